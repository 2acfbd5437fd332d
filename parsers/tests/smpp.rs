//! The SMPP codec held to known octets and to its laws, over its public face only.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use bytes::{Bytes, BytesMut};
use paygate_parsers::smpp::bind::{Bind, BindResp, Outbind, Role};
use paygate_parsers::smpp::message::{Address, Message};
use paygate_parsers::smpp::receipt::{Receipt, State};
use paygate_parsers::smpp::tlv::{self, Tlvs};
use paygate_parsers::smpp::{Body, Frame, MAX_PDU, Malformed, Pdu, Quirks, frame, header, status};
use proptest::prelude::*;

fn written(pdu: &Pdu) -> BytesMut {
    let mut out = BytesMut::new();
    pdu.write(&mut out);
    out
}

fn read(octets: &[u8]) -> Result<Pdu, Malformed> {
    let mut input = BytesMut::from(octets);
    Pdu::read(frame(&mut input, MAX_PDU).unwrap().unwrap())
}

/// A `deliver_sm` (sequence 7) whose body is given octet by octet.
fn deliver(body: &[u8]) -> Result<Pdu, Malformed> {
    Pdu::read(Frame {
        command_id: header::DELIVER_SM,
        command_status: 0,
        sequence: 7,
        body: Bytes::copy_from_slice(body),
    })
}

/// `84912345678` writes `ON` to `9029`.
const PLAIN: &[u8] = b"\0\x01\x0184912345678\0\0\x009029\0\0\0\0\0\0\0\0\0\0\x02ON";

fn plain_with(tail: &[u8]) -> Message {
    message(deliver(&[PLAIN, tail].concat()).unwrap())
}

fn message(pdu: Pdu) -> Message {
    match pdu.body {
        Body::DeliverSm(message) | Body::SubmitSm(message) | Body::DataSm(message) => message,
        other => panic!("{other:?} carries no message"),
    }
}

#[test]
fn each_pdu_stands_on_the_wire_as_the_standard_has_it() {
    let bind = Bind {
        system_id: "paygate".into(),
        password: "secret".into(),
        system_type: "VMS".into(),
        interface_version: 0x34,
        ..Bind::default()
    };
    let text = Message {
        source: Address::new(1, 1, "84912345678"),
        destination: Address::new(0, 0, "9029"),
        short_message: "ON".into(),
        ..Message::default()
    };
    let table: [(Pdu, &[u8]); 9] = [
        (Pdu::new(1, Body::EnquireLink), b"\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\x01"),
        (Pdu::new(0xFFFF_FFFF, Body::EnquireLinkResp), b"\0\0\0\x10\x80\0\0\x15\0\0\0\0\xff\xff\xff\xff"),
        (Pdu::new(2, Body::Unbind), b"\0\0\0\x10\0\0\0\x06\0\0\0\0\0\0\0\x02"),
        (Pdu::with_status(status::ESME_RINVCMDLEN, 0, Body::GenericNack), b"\0\0\0\x10\x80\0\0\0\0\0\0\x02\0\0\0\0"),
        (
            Pdu::new(1, Body::Bind(Role::Transceiver, bind)),
            b"\0\0\0\x27\0\0\0\x09\0\0\0\0\0\0\0\x01paygate\0secret\0VMS\0\x34\0\0\0",
        ),
        (
            Pdu::new(
                1,
                Body::BindResp(Role::Receiver, BindResp { system_id: "S".into(), interface_version: Some(0x34) }),
            ),
            b"\0\0\0\x17\x80\0\0\x01\0\0\0\0\0\0\0\x01S\0\x02\x10\0\x01\x34",
        ),
        (Pdu::new(3, Body::DeliverSm(text)), &[b"\0\0\0\x32\0\0\0\x05\0\0\0\0\0\0\0\x03".as_slice(), PLAIN].concat()),
        (Pdu::new(3, Body::SubmitSmResp("a1".into())), b"\0\0\0\x13\x80\0\0\x04\0\0\0\0\0\0\0\x03a1\0"),
        (
            Pdu::with_status(status::ESME_RX_T_APPN, 3, Body::DeliverSmResp(Bytes::new())),
            b"\0\0\0\x10\x80\0\0\x05\0\0\0\x64\0\0\0\x03",
        ),
    ];
    for (pdu, octets) in table {
        assert_eq!(written(&pdu).as_ref(), octets, "{pdu:?}");
        assert_eq!(read(octets).unwrap(), pdu);
    }
}

#[test]
fn a_length_no_pdu_can_have_is_told_from_its_four_octets_alone() {
    for length in [0, 15, MAX_PDU as u32 + 1, 0x7fff_ffff, u32::MAX] {
        let mut input = BytesMut::from(length.to_be_bytes().as_slice());
        assert_eq!(frame(&mut input, MAX_PDU).unwrap_err().command_length, length);
        assert!(input.capacity() < 1024, "nothing is reserved for a length that is only claimed");
    }
}

#[test]
fn a_field_that_cannot_be_read_is_named_with_the_sequence_to_answer() {
    let mut long_sm = PLAIN.to_vec();
    *long_sm.iter_mut().rfind(|octet| **octet == 2).unwrap() = 200;
    let table: [(&[u8], &str, u32); 6] = [
        (b"", "service_type", status::ESME_RINVPARLEN),
        (&long_sm, "short_message", status::ESME_RINVMSGLEN),
        (b"\0\x01\x0184912345678", "source_addr", status::ESME_RINVPARLEN),
        (&[b"\0\x01\x01".as_slice(), &[b'8'; 90]].concat(), "source_addr", status::ESME_RINVPARLEN),
        (&PLAIN[..PLAIN.len() - 3], "sm_length", status::ESME_RINVPARLEN),
        (b"\0\x01", "source_addr", status::ESME_RINVPARLEN),
    ];
    for (body, field, status) in table {
        let malformed = deliver(body).unwrap_err();
        assert_eq!((malformed.field, malformed.status(), malformed.sequence), (field, status, 7));
        assert_eq!((malformed.command_id, malformed.body.as_ref()), (header::DELIVER_SM, body));
    }
}

#[test]
fn what_is_odd_but_plain_in_meaning_is_read_and_noted() {
    let quirks = |tail: &[u8]| deliver(&[PLAIN, tail].concat()).unwrap().quirks;
    assert!(quirks(b"").is_empty());
    assert!(quirks(b"\x14\x01\0\x02xy\x14\x02\0\0").is_empty(), "vendors' own and empty TLVs are no oddity");
    assert!(quirks(b"\0").contains(Quirks::TRAILING_OCTETS));
    assert!(quirks(b"\x02\x0c\0\x01\x05").contains(Quirks::TLV_WRONG_LENGTH));
    assert!(quirks(b"\x04\x24\xff\xffab").contains(Quirks::TLV_BEYOND_PDU));
    assert!(quirks(b"\x04\x24\0\x02no").contains(Quirks::TWO_TEXTS));
    let long = deliver(b"1234567\0\x01\x01+849123456789012345678\0\0\0\0\0\0\0odd\0odd\0\0\0\0\0\0").unwrap();
    assert!(long.quirks.contains(Quirks::LONG_STRING));
    assert_eq!(message(long).source.digits, "+849123456789012345678");
}

#[test]
fn a_broken_tlv_costs_itself_and_the_next_is_still_read() {
    let message = plain_with(b"\x02\x0c\0\x01\x05\x14\x00\0\x01z\x04\x24\xff\xffab");
    assert_eq!(message.tlvs.iter().map(|tlv| tlv.tag).collect::<Vec<_>>(), [0x1400]);
    assert_eq!(message.payload(), "ON");
}

#[test]
fn the_payload_is_preferred_to_a_short_message_and_an_empty_one_is_not() {
    assert_eq!(plain_with(b"\x04\x24\0\x04OFF!").payload(), "OFF!");
    assert_eq!(plain_with(b"\x04\x24\0\0").payload(), "ON");
}

#[test]
fn a_response_is_taken_for_what_it_still_says() {
    let id = |body: &'static [u8]| {
        let frame = Frame { command_id: header::SUBMIT_SM_RESP, command_status: 0, sequence: 9, body: body.into() };
        match Pdu::read(frame).unwrap().body {
            Body::SubmitSmResp(id) => id,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        (id(b""), id(b"abc"), id(b"abc\0"), id(b"a\0rubbish")),
        ("".into(), "abc".into(), "abc".into(), "a".into())
    );
    assert_eq!(id(&[b'f'; 300]).len(), 255);
}

#[test]
fn receipts_are_read_from_text_from_tlvs_and_from_half_of_each() {
    let receipt = |text: &'static str, tlvs: Tlvs| {
        Receipt::of_message(&Message { short_message: text.into(), tlvs, ..Message::default() })
    };
    let of_text =
        |text| receipt(text, Tlvs::default()).map(|receipt| (receipt.message_id, receipt.state, receipt.error));
    let known = |id: &str, state, error: Option<&str>| Some((id.to_owned(), state, error.map(str::to_owned)));
    let full = "id:0a1F sub:001 dlvrd:001 submit date:2601010101 done date:2601010102 stat:DELIVRD err:000 text:id:9";
    assert_eq!(of_text(full), known("0a1F", State::Delivered, Some("000")));
    assert_eq!(of_text("STAT:undeliverable ID:7"), known("7", State::Undeliverable, None));
    assert_eq!(of_text("id: 12 stat: EXPIRED err: 123456789"), known("12", State::Expired, Some("12345678")));
    assert_eq!(of_text("id:1 stat:WHATEVER"), known("1", State::Unknown, None));
    assert_eq!(of_text("id:1 text:stat:DELIVRD"), None);
    assert_eq!(of_text("ON VIP NAP1"), None);

    let mut tlvs = Tlvs::default();
    tlvs.push(tlv::RECEIPTED_MESSAGE_ID, "77\0");
    assert_eq!(receipt("", tlvs.clone()), None, "an id without a state reports nothing");
    assert_eq!(receipt("id:1 stat:REJECTD", tlvs.clone()).unwrap().message_id, "77");
    tlvs.push(tlv::MESSAGE_STATE, vec![2]);
    assert_eq!(receipt("", tlvs).unwrap().state, State::Delivered);
}

#[test]
fn every_state_is_spelled_so_that_it_is_read_back() {
    for octet in 1..=8 {
        let state = State::of_octet(octet);
        assert_eq!((state.octet(), State::of_word(state.word())), (octet, state));
        let receipt = Receipt { message_id: "1f".into(), state, error: Some("007".into()) };
        let message = Message { short_message: receipt.text().into(), ..Message::default() };
        assert_eq!(Receipt::of_message(&message), Some(receipt));
    }
}

fn c_octets(max: usize) -> impl Strategy<Value = Bytes> {
    prop::collection::vec(1..=255_u8, 0..max).prop_map(Bytes::from)
}

fn octets(max: usize) -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..max).prop_map(Bytes::from)
}

fn address() -> impl Strategy<Value = Address> {
    (any::<u8>(), any::<u8>(), c_octets(21)).prop_map(|(ton, npi, digits)| Address { ton, npi, digits })
}

/// TLVs of tags that no length is fixed for, and a payload only where no short message stands.
fn tlvs() -> impl Strategy<Value = Tlvs> {
    prop::collection::vec((0x1400_u16..0x3FFF, octets(40)), 0..5).prop_map(|list| {
        let mut tlvs = Tlvs::default();
        list.into_iter().for_each(|(tag, value)| tlvs.push(tag, value));
        tlvs
    })
}

fn any_message() -> impl Strategy<Value = Message> {
    let octet = any::<u8>;
    let parties = (c_octets(6), address(), address(), c_octets(17), c_octets(17));
    (parties, (octet(), octet(), octet(), octet(), octet(), octet(), octet()), octets(255), tlvs()).prop_map(
        |((service_type, source, destination, schedule_delivery_time, validity_period), o, short_message, tlvs)| {
            Message {
                service_type,
                source,
                destination,
                esm_class: o.0,
                protocol_id: o.1,
                priority_flag: o.2,
                schedule_delivery_time,
                validity_period,
                registered_delivery: o.3,
                replace_if_present_flag: o.4,
                data_coding: o.5,
                sm_default_msg_id: o.6,
                short_message,
                tlvs,
            }
        },
    )
}

fn any_data_sm() -> impl Strategy<Value = Message> {
    let fields = (c_octets(6), address(), address(), any::<u8>(), any::<u8>(), any::<u8>(), tlvs());
    fields.prop_map(|(service_type, source, destination, esm_class, registered_delivery, data_coding, tlvs)| Message {
        service_type,
        source,
        destination,
        esm_class,
        registered_delivery,
        data_coding,
        tlvs,
        ..Message::default()
    })
}

fn any_role() -> impl Strategy<Value = Role> {
    prop::sample::select(vec![Role::Receiver, Role::Transmitter, Role::Transceiver])
}

fn any_bind() -> impl Strategy<Value = Bind> {
    (c_octets(16), c_octets(9), c_octets(13), any::<[u8; 3]>(), c_octets(41)).prop_map(
        |(system_id, password, system_type, [interface_version, addr_ton, addr_npi], address_range)| Bind {
            system_id,
            password,
            system_type,
            interface_version,
            addr_ton,
            addr_npi,
            address_range,
        },
    )
}

fn any_body() -> impl Strategy<Value = Body> {
    let resp = (c_octets(16), any::<Option<u8>>())
        .prop_map(|(system_id, interface_version)| BindResp { system_id, interface_version });
    prop_oneof![
        (any_role(), any_bind()).prop_map(|(role, bind)| Body::Bind(role, bind)),
        (any_role(), resp).prop_map(|(role, resp)| Body::BindResp(role, resp)),
        (c_octets(16), c_octets(9)).prop_map(|(system_id, password)| Body::Outbind(Outbind { system_id, password })),
        any_message().prop_map(Body::SubmitSm),
        any_message().prop_map(Body::DeliverSm),
        any_data_sm().prop_map(Body::DataSm),
        c_octets(65).prop_map(Body::SubmitSmResp),
        c_octets(65).prop_map(Body::DeliverSmResp),
        c_octets(65).prop_map(Body::DataSmResp),
        (address(), address()).prop_map(|(source, esme)| Body::AlertNotification { source, esme }),
        prop::sample::select(vec![
            Body::Unbind,
            Body::UnbindResp,
            Body::GenericNack,
            Body::EnquireLink,
            Body::EnquireLinkResp,
            Body::Unknown { command_id: 0x0001_0200 },
        ]),
    ]
}

fn any_pdu() -> impl Strategy<Value = Pdu> {
    (any::<u32>(), any_body()).prop_map(|(sequence, body)| Pdu::new(sequence, body))
}

/// Octets that are PDUs for the most part, with a few of them changed.
fn nearly_pdus() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (prop::collection::vec(any_pdu(), 1..6), changes).prop_map(|(pdus, changes)| {
        let mut octets: Vec<u8> = pdus.iter().flat_map(|pdu| written(pdu).to_vec()).collect();
        for (index, octet) in changes {
            let index = index.index(octets.len());
            octets[index] = octet;
        }
        octets
    })
}

/// All frames of a stream that comes in pieces, and whether it ended on an impossible length.
fn frames<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Frame>, bool) {
    let (mut input, mut frames) = (BytesMut::new(), Vec::new());
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            let before = input.len();
            match frame(&mut input, MAX_PDU) {
                Ok(Some(frame)) => {
                    assert_eq!(before - input.len(), frame.body.len() + 16, "exactly command_length is consumed");
                    frames.push(frame);
                }
                Ok(None) => break,
                Err(_) => return (frames, true),
            }
        }
    }
    (frames, false)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_written_is_read_back_the_same(pdu in any_pdu()) {
        prop_assert_eq!(read(&written(&pdu)).unwrap(), pdu);
    }

    #[test]
    fn what_is_read_is_written_and_read_the_same_again(octets in nearly_pdus()) {
        for frame in frames([octets.as_slice()]).0 {
            let Ok(mut pdu) = Pdu::read(frame) else { continue };
            let mut again = read(&written(&pdu));
            // An answer that refuses loses its body, and a text over 254 octets moves into a TLV: both by design.
            let refusal = pdu.body.is_response() && pdu.status != status::ESME_ROK;
            let long = matches!(&pdu.body, Body::DeliverSm(m) | Body::SubmitSm(m) if m.short_message.len() > 254);
            if refusal || long { continue }
            pdu.quirks = Quirks::default();
            again.as_mut().unwrap().quirks = Quirks::default();
            prop_assert_eq!(again.unwrap(), pdu);
        }
    }

    #[test]
    fn any_split_of_a_stream_gives_the_same_frames(octets in nearly_pdus(), cuts in prop::collection::vec(1..50_usize, 1..40)) {
        let (mut rest, mut pieces) = (octets.as_slice(), Vec::new());
        for cut in cuts.iter().cycle() {
            let (piece, left) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece);
            rest = left;
            if rest.is_empty() { break }
        }
        prop_assert_eq!(frames(pieces), frames([octets.as_slice()]));
    }

    #[test]
    fn no_octets_make_it_panic_or_read_beyond_themselves(command in any::<u32>(), body in octets(300)) {
        for command_id in [command, header::DELIVER_SM, header::BIND_RECEIVER, header::ALERT_NOTIFICATION, header::DATA_SM] {
            let frame = Frame { command_id, command_status: 0, sequence: 1, body: body.clone() };
            if let Ok(pdu) = Pdu::read(frame) && let Body::DeliverSm(message) | Body::DataSm(message) = pdu.body {
                prop_assert!(message.payload().len() <= body.len());
                let _ = Receipt::of_message(&message);
            }
        }
    }
}
