//! The socket's session alone, in virtual time: every wait passes in an instant, and every order of lines can be had.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::time::Duration;

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// A session with a clock of its own and a gateway that reads what it writes.
struct Bench {
    session: Session,
    now: Instant,
    input: BytesMut,
}

impl Bench {
    fn new(concurrency: usize) -> Self {
        let settings = LineSettings { concurrency, ..LineSettings::new("line", "", "2001", "secret".into()) };
        let (session, now) = (Session::new(Arc::new(settings), 100), Instant::now());
        let mut bench = Self { session, now, input: BytesMut::new() };
        bench.session.connected(now);
        bench.advance();
        bench
    }

    fn logged_in(concurrency: usize) -> Self {
        let mut bench = Self::new(concurrency);
        bench.hear("<LOGIN><errCode>0</errCode></LOGIN>");
        assert!(bench.session.is_logged_in());
        bench.written();
        bench
    }

    fn hear(&mut self, line: &str) {
        self.input.extend_from_slice(line.as_bytes());
        self.input.extend_from_slice(b"\n");
        self.receive();
    }

    fn receive(&mut self) {
        self.session.receive(&mut self.input, self.now);
        self.advance();
    }

    /// Advances and finds that nothing is left to do now: a session that stayed due would never sleep.
    fn advance(&mut self) {
        self.session.advance(self.now);
        if self.session.ended().is_none() {
            assert!(self.session.wake_at().is_none_or(|at| at > self.now), "the session is due and does nothing");
        }
    }

    /// Lets time pass, stopping wherever the session asked to be woken.
    fn wait(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.session.wake_at().filter(|at| *at <= end && self.session.ended().is_none()) {
            self.now = at;
            self.advance();
        }
        self.now = end;
    }

    /// What was written since the last look.
    fn written(&mut self) -> Vec<Line> {
        let mut lines = Vec::new();
        while let Some(line) = cut(&mut self.session.out, 8192).unwrap() {
            lines.push(Line::read(&line).unwrap());
        }
        lines
    }

    /// Takes the next hop and answers it.
    fn show(&mut self, screen: Screen) -> Ussd {
        let (hop, back) = self.session.next_hop().unwrap();
        self.session.answer(&hop.session, Some((back, screen)));
        self.advance();
        match self.written().pop().unwrap() {
            Line::Ussd(ussd) => ussd,
            other => panic!("{other:?} is no screen"),
        }
    }
}

fn hop(msg_id: &str, kind: &str, text: &str) -> String {
    format!(
        "<USSD><msg_id>{msg_id}</msg_id><trans_id>7</trans_id><otid>o</otid><dtid>d</dtid><msisdn>84912345678</msisdn>\
         <ussdString>{text}</ussdString><type>{kind}</type><errCode>0</errCode><shortCode>098</shortCode></USSD>"
    )
}

#[test]
fn a_dialogue_goes_there_and_back_under_numbers_that_are_never_given_twice() {
    let mut bench = Bench::logged_in(10);
    bench.hear(&hop("1", "PULL_INIT_REQ", "*098*1#"));
    bench.hear(&hop("2", "PULL_REQ", "1"));
    let (begun, back) = bench.session.next_hop().unwrap();
    assert_eq!((begun.session.as_str(), begun.service_code.as_str()), ("84912345678+7", "*098#"));
    assert_eq!((begun.begins, begun.input), (true, HopInput::Dialled("*098*1#".to_owned())));
    let screen = Screen::Ask("1. VIP\n2. Data".to_owned());
    bench.session.answer(&begun.session, Some((back, screen)));
    let Line::Ussd(asked) = bench.written().pop().unwrap() else { panic!("no screen") };
    assert_eq!((asked.msg_id.as_str(), asked.kind, asked.error), ("2001_101", Some(Kind::PULL_REQ), None));
    assert_eq!((asked.trans_id.as_str(), asked.otid.as_str(), asked.dtid.as_str()), ("7", "o", "d"));
    assert_eq!(
        (asked.text.as_str(), asked.data_coding, asked.short_code.as_str()),
        ("1. VIP\n2. Data", Some(15), "098")
    );
    let ended = bench.show(Screen::End("Dang xu ly".to_owned()));
    assert_eq!((ended.msg_id.as_str(), ended.kind), ("2001_102", Some(Kind::PULL_NTF)));
}

#[test]
fn each_kind_of_message_is_the_hop_that_it_means() {
    for (kind, text, input) in [
        ("PULL_INIT_REQ", "", Some(HopInput::Dialled("*098#".to_owned()))),
        ("PULL_REQ", "1", Some(HopInput::Last("1".to_owned()))),
        ("PULL_NTF", "", Some(HopInput::Ended)),
        ("PULL_INIT_NTF", "*098#", Some(HopInput::Ended)),
        ("PUSH_REQ", "1", None),
        ("NONSENSE", "1", None),
    ] {
        let mut bench = Bench::logged_in(10);
        bench.hear(&hop("1", kind, text));
        assert_eq!(bench.session.next_hop().map(|(hop, _)| hop.input), input, "{kind}");
    }
}

#[test]
fn a_line_that_comes_twice_has_the_same_sequence_and_another_has_not() {
    let mut bench = Bench::logged_in(10);
    let lines = [hop("1", "PULL_REQ", "1"), hop("1", "PULL_REQ", "1"), hop("2", "PULL_REQ", "1")];
    lines.iter().for_each(|line| bench.hear(line));
    let mut sequence = || {
        let (hop, _) = bench.session.next_hop().unwrap();
        bench.session.answer(&hop.session, None);
        hop.sequence.unwrap()
    };
    let (first, again, next) = (sequence(), sequence(), sequence());
    assert_eq!(first, again);
    assert_ne!(first, next);
}

#[test]
fn a_refused_login_names_what_is_wrong_and_whose_turn_it_is() {
    for (line, words) in [
        ("<LOGIN><errCode>204</errCode></LOGIN>", "204, the login is wrong; check spid and password with the telco"),
        ("<LOGIN><errCode>205</errCode></LOGIN>", "205, our address is not allowed; the telco must open"),
        ("<LOGIN><errCode>999</errCode></LOGIN>", "999, an error the telco must explain"),
        ("<LOGIN></LOGIN>", "no number"),
        ("<USSD><errCode>203</errCode></USSD>", "203, another socket holds this spid"),
    ] {
        let mut bench = Bench::new(10);
        bench.hear(line);
        let ended = bench.session.ended().unwrap().to_string();
        assert!(ended.contains(words), "{ended}");
    }
}

#[test]
fn an_error_about_one_message_costs_that_message_and_only_some_cost_the_socket() {
    for (code, ends) in [(208, false), (209, false), (210, false), (212, false), (213, false), (999, false)]
        .into_iter()
        .chain([203, 204, 205, 206, 207, 211].map(|code| (code, true)))
    {
        let mut bench = Bench::logged_in(10);
        bench.hear(&hop("1", "PULL_REQ", "1"));
        let screen = bench.show(Screen::Ask("1. VIP".to_owned()));
        bench.hear(&format!("<USSD><msg_id>{}</msg_id><errCode>{code}</errCode></USSD>", screen.msg_id));
        assert_eq!(bench.session.ended().is_some(), ends, "{code}");
        assert!(bench.session.next_hop().is_none(), "an answer to our own message is no hop");
    }
}

#[test]
fn what_the_gateway_says_of_our_own_screen_is_no_hop() {
    let mut bench = Bench::logged_in(10);
    bench.hear(&hop("1", "PULL_REQ", "1"));
    let screen = bench.show(Screen::Ask("1. VIP".to_owned()));
    bench.hear(&hop(&screen.msg_id, "PULL_REQ", "1. VIP"));
    assert!(bench.session.next_hop().is_none());
    bench.hear(&hop("2001_7", "PULL_REQ", "1"));
    assert!(bench.session.next_hop().is_some(), "a number that we never gave is the gateway's own");
}

#[test]
fn both_sides_say_that_they_live_and_neither_makes_the_other_say_it_for_ever() {
    let mut bench = Bench::logged_in(10);
    let mut acks = 0;
    for _ in 0..600 {
        bench.wait(SECOND / 2);
        // A gateway that answers every sign of life at once, and sends one of its own each second.
        for _ in bench.written() {
            acks += 1;
            bench.hear("<ACK/>");
        }
        bench.hear("<ACK/>");
    }
    assert!((10..=25).contains(&acks), "{acks} in five minutes of 30 s each");
    assert!(bench.session.is_logged_in());
    bench.wait(91 * SECOND);
    assert_eq!(bench.session.ended(), Some(Ended::Silent("sign of life")));
}

#[test]
fn a_login_without_an_answer_is_given_up() {
    let mut bench = Bench::new(10);
    bench.wait(11 * SECOND);
    assert_eq!(bench.session.ended(), Some(Ended::Silent("answer to the login")));
}

#[test]
fn a_socket_with_enough_under_way_is_not_read_and_is_not_taken_for_silent() {
    let mut bench = Bench::logged_in(1);
    for text in ["1", "2"] {
        bench.hear(&hop(text, "PULL_REQ", text));
    }
    assert!(!bench.session.wants_octets() && !bench.input.is_empty());
    bench.wait(300 * SECOND);
    assert!(bench.session.is_logged_in(), "what is not read cannot be heard");
    bench.show(Screen::Ask("1. VIP".to_owned()));
    bench.receive();
    assert_eq!(bench.session.next_hop().unwrap().0.input, HopInput::Last("2".to_owned()));
}

#[test]
fn a_socket_that_stops_lets_the_screens_out_that_it_owes() {
    let mut bench = Bench::logged_in(10);
    bench.hear(&hop("1", "PULL_REQ", "1"));
    bench.session.shutdown(bench.now);
    bench.advance();
    assert!(bench.session.ended().is_none() && !bench.session.wants_octets());
    assert_eq!(bench.show(Screen::End("Dang xu ly".to_owned())).text, "Dang xu ly");
    assert_eq!(bench.session.ended(), Some(Ended::Drained));

    let mut late = Bench::logged_in(10);
    late.hear(&hop("1", "PULL_REQ", "1"));
    late.session.shutdown(late.now);
    late.wait(6 * SECOND);
    assert_eq!(late.session.ended(), Some(Ended::Drained), "menus that never answer do not keep it");
}

proptest! {
    #[test]
    fn no_octets_make_it_panic_or_answer_a_hop_twice(pieces in prop::collection::vec(prop_oneof![
        prop::collection::vec(any::<u8>(), 0..60),
        Just(b"\n<ACK/>\n".to_vec()),
        Just(format!("\n{}\n", hop("1", "PULL_REQ", "1")).into_bytes()),
        Just(b"\n<USSD><msg_id>2001_101</msg_id><errCode>210</errCode></USSD>\n".to_vec()),
    ], 1..30)) {
        let mut bench = Bench::logged_in(4);
        let (mut hops, mut screens) = (0, 0);
        for piece in pieces {
            bench.input.extend_from_slice(&piece);
            bench.receive();
            while let Some((hop, back)) = bench.session.next_hop() {
                hops += 1;
                bench.session.answer(&hop.session, Some((back, Screen::End("x".to_owned()))));
            }
            bench.advance();
            screens += bench.written().iter().filter(|line| matches!(line, Line::Ussd(_))).count();
        }
        prop_assert_eq!(hops, screens);
    }
}
