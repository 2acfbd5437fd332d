//! Two other implementations as judges: what we write they read, and write again octet for octet; what they make of their
//! own accord we read the same. And one of them as an SMSC that a link binds to.
//!
//! Both are stricter than real SMSCs, so only sound PDUs are put to them, each cut to its length first: rusmpp 0.4 reads
//! past the end of a PDU otherwise.

use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use paygate::engine::door::Submitted;
use paygate_parsers::smpp::bind::{Bind, BindResp, Role};
use paygate_parsers::smpp::message::{Address, Message};
use paygate_parsers::smpp::receipt::State;
use paygate_parsers::smpp::tlv::Tlvs;
use paygate_parsers::smpp::{Body, MAX_PDU, Pdu, frame, status};
use proptest::prelude::*;
use rusmpp::tokio_codec::CommandCodec;
use smpp34::server::ESME;
use smpp34::{CommandHeader, SmppConnectionInformation, SmppServer, SmppServerListener, TlvTag};
use tokio::sync::mpsc;
use tokio_util::codec::{Decoder, Encoder};

use super::hostile::octets;
use super::{Link, outcome, settings};
use crate::stores::free_port;

fn ascii(max: usize) -> impl Strategy<Value = Bytes> {
    prop::collection::vec(0x20..0x7F_u8, 0..max).prop_map(Bytes::from)
}

fn address() -> impl Strategy<Value = Address> {
    (0..=6_u8, prop::sample::select(vec![0, 1, 3, 8]), ascii(21)).prop_map(|(ton, npi, digits)| Address {
        ton,
        npi,
        digits,
    })
}

/// Empty, or an absolute time of 16 characters.
fn time() -> impl Strategy<Value = Bytes> {
    prop::sample::select(vec![Bytes::new(), Bytes::from_static(b"260101120000028+")])
}

fn tlvs() -> impl Strategy<Value = Tlvs> {
    let value = prop::collection::vec(any::<u8>(), 0..20);
    prop::collection::vec((0x1400..0x3FFF_u16, value), 0..3).prop_map(|list| {
        let mut tlvs = Tlvs::default();
        list.into_iter().for_each(|(tag, value)| tlvs.push(tag, value));
        tlvs
    })
}

fn message() -> impl Strategy<Value = Message> {
    let text = prop::collection::vec(any::<u8>(), 0..=254);
    let flags = (any::<u8>(), prop::sample::select(vec![0, 0x04, 0x40]), any::<u8>(), 0..=1_u8);
    (ascii(6), address(), address(), (time(), time()), flags, text, tlvs()).prop_map(
        |(service_type, source, destination, times, (protocol_id, esm_class, sm_default_msg_id, bit), text, tlvs)| {
            let (schedule_delivery_time, validity_period) = times;
            Message {
                service_type,
                source,
                destination,
                esm_class,
                protocol_id,
                priority_flag: bit,
                schedule_delivery_time,
                validity_period,
                registered_delivery: bit,
                replace_if_present_flag: bit,
                data_coding: if bit == 0 { 0 } else { 8 },
                sm_default_msg_id,
                short_message: text.into(),
                tlvs,
            }
        },
    )
}

fn data_sm() -> impl Strategy<Value = Message> {
    message().prop_map(
        |Message { service_type, source, destination, esm_class, registered_delivery, data_coding, tlvs, .. }| {
            Message {
                service_type,
                source,
                destination,
                esm_class,
                registered_delivery,
                data_coding,
                tlvs,
                ..Message::default()
            }
        },
    )
}

fn bind() -> impl Strategy<Value = Bind> {
    (ascii(16), ascii(9), ascii(13), ascii(41)).prop_map(|(system_id, password, system_type, address_range)| Bind {
        system_id,
        password,
        system_type,
        interface_version: 0x34,
        addr_ton: 1,
        addr_npi: 1,
        address_range,
    })
}

fn role() -> impl Strategy<Value = Role> {
    prop::sample::select(vec![Role::Receiver, Role::Transmitter, Role::Transceiver])
}

fn body() -> impl Strategy<Value = Body> {
    let resp = |system_id| BindResp { system_id, interface_version: Some(0x34) };
    prop_oneof![
        4 => message().prop_map(Body::SubmitSm),
        4 => message().prop_map(Body::DeliverSm),
        2 => data_sm().prop_map(Body::DataSm),
        2 => (role(), bind()).prop_map(|(role, bind)| Body::Bind(role, bind)),
        2 => (role(), ascii(16)).prop_map(move |(role, id)| Body::BindResp(role, resp(id))),
        1 => ascii(64).prop_map(Body::SubmitSmResp),
        1 => ascii(64).prop_map(Body::DataSmResp),
        1 => prop::sample::select(vec![Body::DeliverSmResp(Bytes::new()), Body::EnquireLink, Body::EnquireLinkResp,
            Body::Unbind, Body::UnbindResp, Body::GenericNack]),
    ]
}

fn pdu() -> impl Strategy<Value = Pdu> {
    (1..=0x7FFF_FFFF_u32, body()).prop_map(|(sequence, body)| Pdu::new(sequence, body))
}

/// Reads by rusmpp and writes again.
fn by_rusmpp(octets: &[u8]) -> BytesMut {
    let (mut input, mut out) = (BytesMut::from(octets), BytesMut::new());
    let command = CommandCodec::new().decode(&mut input).unwrap().expect("a whole PDU is a command");
    assert!(input.is_empty(), "rusmpp left {} octets of a PDU cut to its length", input.len());
    CommandCodec::new().encode(&command, &mut out).unwrap();
    out
}

/// Reads by smpp34 and writes again; `None` for what it has no public reader for.
fn by_smpp34(pdu: &Pdu, octets: &[u8]) -> Option<Vec<u8>> {
    let header = CommandHeader::decode(octets).unwrap();
    Some(match &pdu.body {
        Body::SubmitSm(_) => smpp34::submit_sm::decode(header, octets).unwrap().encode(),
        Body::DeliverSm(_) => smpp34::deliver_sm::decode(header, octets).unwrap().encode(),
        Body::DataSm(_) => smpp34::data_sm::decode(header, octets).unwrap().encode(),
        Body::Bind(Role::Transceiver, _) => smpp34::bind_transceiver::decode(header, octets).unwrap().encode(),
        Body::Bind(Role::Receiver, _) => smpp34::bind_receiver::decode(header, octets).unwrap().encode(),
        Body::Bind(Role::Transmitter, _) => smpp34::bind_transmitter::decode(header, octets).unwrap().encode(),
        Body::SubmitSmResp(_) => smpp34::submit_sm_resp::decode(header, octets).unwrap().encode(),
        Body::EnquireLink => smpp34::enquire_link::decode(header, octets).unwrap().encode(),
        _ => return None,
    })
}

fn read(octets: &[u8]) -> Pdu {
    Pdu::read(frame(&mut BytesMut::from(octets), MAX_PDU).unwrap().unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn rusmpp_reads_what_we_write_and_we_read_what_it_writes(pdu in pdu()) {
        let ours = octets(&pdu);
        let theirs = by_rusmpp(&ours);
        prop_assert_eq!(&theirs, &ours);
        prop_assert_eq!(read(&theirs), pdu);
    }

    #[test]
    fn smpp34_reads_what_we_write_and_we_read_what_it_writes(pdu in pdu()) {
        let ours = octets(&pdu);
        if let Some(theirs) = by_smpp34(&pdu, &ours) {
            prop_assert_eq!(&theirs, &ours);
            prop_assert_eq!(read(&theirs), pdu);
        }
    }
}

#[test]
fn a_message_made_by_smpp34_says_the_same_field_by_field() {
    let theirs = smpp34::deliver_sm::new(
        9,
        "VMS".into(),
        1,
        2,
        "84912345678".into(),
        3,
        4,
        "9029".into(),
        0x40,
        5,
        6,
        String::new(),
        "260101120000028+".into(),
        7,
        8,
        9,
        10,
        b"ON VIP".to_vec(),
    );
    let theirs = theirs.with_tlvs([smpp34::Tlv::from_c_string(TlvTag::ReceiptedMessageId, "77")]);
    let mut tlvs = Tlvs::default();
    tlvs.push(0x001E, "77\0");
    let ours = Message {
        service_type: "VMS".into(),
        source: Address::new(1, 2, "84912345678"),
        destination: Address::new(3, 4, "9029"),
        esm_class: 0x40,
        protocol_id: 5,
        priority_flag: 6,
        schedule_delivery_time: Bytes::new(),
        validity_period: "260101120000028+".into(),
        registered_delivery: 7,
        replace_if_present_flag: 8,
        data_coding: 9,
        sm_default_msg_id: 10,
        short_message: "ON VIP".into(),
        tlvs,
    };
    assert_eq!(read(&theirs.encode()), Pdu::new(9, Body::DeliverSm(ours)));
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An SMSC made of smpp34: takes any bind and any reply, and gives its ESME to the test.
struct Smsc34 {
    esmes: mpsc::UnboundedSender<ESME>,
    replies: Mutex<Vec<smpp34::submit_sm>>,
}

// The trait's methods are written as its macro would, without depending on the macro.
impl SmppServerListener for Smsc34 {
    fn on_bind_transceiver<'a, 'b, 'c, 'd>(
        &'a self,
        bind: smpp34::bind_transceiver,
        _: &'b SmppConnectionInformation,
        _: &'c String,
    ) -> Answer<'d, smpp34::bind_transceiver_resp>
    where
        'a: 'd,
        'b: 'd,
        'c: 'd,
        Self: 'd,
    {
        assert_eq!((bind.system_id.as_str(), bind.password.as_str()), ("paygate", "secret"));
        Box::pin(async { bind.accept("smpp34".into(), Some(0x34)) })
    }

    fn on_esme_bound<'a, 'b, 'd>(&'a self, esme: ESME, _: &'b String) -> Answer<'d, ()>
    where
        'a: 'd,
        'b: 'd,
        Self: 'd,
    {
        Box::pin(async { self.esmes.send(esme).unwrap_or_default() })
    }

    fn on_submit_sm<'a, 'b, 'c, 'd>(
        &'a self,
        submit: smpp34::submit_sm,
        _: &'b SmppConnectionInformation,
        _: &'c String,
    ) -> Answer<'d, smpp34::submit_sm_resp>
    where
        'a: 'd,
        'b: 'd,
        'c: 'd,
        Self: 'd,
    {
        self.replies.lock().unwrap().push(submit.clone());
        Box::pin(async { submit.accept("id-34".into()) })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_binds_to_smpp34_hears_from_it_and_replies() {
    let (esmes, mut bound) = mpsc::unbounded_channel();
    let smsc = Arc::new(Smsc34 { esmes, replies: Mutex::default() });
    // smpp34 cannot be given a listener, nor say which port it took.
    let port = free_port();
    let mut server = SmppServer::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port, smsc.clone());
    server.start().await;
    let mut link = Link::start(settings(format!("127.0.0.1:{port}")));
    link.bound().await;
    let esme = bound.recv().await.unwrap();

    let text = esme.deliver_sm().source_addr("84912345678").destination_addr("9029").short_message(b"ON VIP NAP1");
    let (answer, message) = tokio::join!(text.send(), link.message());
    assert_eq!(answer.unwrap().command_status(), status::ESME_ROK);
    assert_eq!((message.from.as_str(), message.payload.as_ref()), ("84912345678", b"ON VIP NAP1".as_slice()));

    let reply = link.reply("84912345678", "Ma OTP: 123456").await;
    assert_eq!(outcome(reply).await, Submitted::Accepted { message_id: "id-34".into() });
    let reply = smsc.replies.lock().unwrap()[0].clone();
    assert_eq!(
        (reply.destination_addr.as_str(), reply.short_message.as_slice()),
        ("84912345678", b"Ma OTP: 123456".as_slice())
    );

    let receipt = esme.deliver_sm().esm_class(0x04).short_message(b"id:id-34 stat:DELIVRD");
    let receipt = receipt.tlv(TlvTag::ReceiptedMessageId, b"id-34\0".to_vec()).tlv(TlvTag::MessageStateTlv, [2]);
    let (answer, receipt) = tokio::join!(receipt.send(), link.receipt());
    assert!(answer.unwrap().is_success());
    assert_eq!((receipt.message_id.as_str(), receipt.state), ("id-34", State::Delivered));

    link.stopped().await;
    server.stop().await;
}
