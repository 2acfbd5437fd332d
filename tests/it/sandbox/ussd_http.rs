//! The simulated USSD gateway that calls by HTTP: what it writes on the wire, held against an application of the test's own.

use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Form, Router};
use paygate::config::UssdInput;
use paygate::sandbox::dialogues::{Shown, Stands};
use paygate::sandbox::ussd_http::{HttpGateway, HttpGatewaySettings};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;

type Forms = Arc<Mutex<Vec<(String, BTreeMap<String, String>)>>>;

/// Answers the words that were keyed in last: `END` where they are `bye`, and no screen at all where they are `rubbish`.
async fn answers(
    State(forms): State<Forms>,
    Path(gateway): Path<String>,
    Form(form): Form<BTreeMap<String, String>>,
) -> String {
    let last = form["text"].rsplit('*').next().unwrap_or_default().to_owned();
    forms.lock().unwrap().push((gateway, form));
    match last.as_str() {
        "bye" => "END bye".to_owned(),
        "rubbish" => "<html>".to_owned(),
        last => format!("CON you said {last}"),
    }
}

async fn gateway(input: UssdInput) -> (HttpGateway, Forms) {
    let forms = Forms::default();
    let routes = Router::new().route("/ussd/{gateway}", post(answers)).with_state(Arc::clone(&forms));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway =
        HttpGateway::new(HttpGatewaySettings { name: "mine".to_owned(), input, ..HttpGatewaySettings::default() });
    gateway.is_told_of(&format!("http://{}/", listener.local_addr().unwrap()));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    (gateway, forms)
}

fn texts(forms: &Forms) -> Vec<String> {
    forms.lock().unwrap().iter().map(|(_, form)| form["text"].clone()).collect()
}

#[tokio::test]
async fn each_step_has_all_inputs_or_its_own_behind_one_session_number_and_code() {
    for (input, written) in [(UssdInput::Whole, ["1*2", "1*2*3", "1*2*3*bye"]), (UssdInput::Last, ["1*2", "3", "bye"])]
    {
        let (gateway, forms) = gateway(input).await;
        let id = gateway.dial("84854689520", "*098*1*2#").await;
        assert!(gateway.answer(id, "3").await && gateway.answer(id, "bye").await);
        assert_eq!(texts(&forms), written);
        for (named, form) in forms.lock().unwrap().iter() {
            let said = (named.as_str(), form["serviceCode"].as_str(), form["phoneNumber"].as_str());
            assert_eq!(said, ("mine", "*098#", "+84854689520"));
        }
        let sessions: BTreeSet<String> =
            forms.lock().unwrap().iter().map(|(_, form)| form["sessionId"].clone()).collect();
        assert_eq!(sessions.len(), 1);
        let dialogue = gateway.dialogue(id);
        assert_eq!((dialogue.stands, dialogue.screens.len()), (Stands::Ended, 3));
        assert_eq!(dialogue.screens[2], Shown { text: "bye".to_owned(), ends: true });
    }
}

#[tokio::test]
async fn a_doubled_step_is_sent_twice_and_shown_once() {
    let (gateway, forms) = gateway(UssdInput::Whole).await;
    let id = gateway.dial("84854689520", "*098#").await;
    gateway.faults(|faults| faults.double_hops = 1);
    assert!(gateway.answer(id, "1").await && gateway.answer(id, "2").await);
    assert_eq!(texts(&forms), ["", "1", "1", "1*2"]);
    assert_eq!(gateway.dialogue(id).screens.len(), 3);
}

#[tokio::test]
async fn what_is_neither_con_nor_end_is_no_screen() {
    let (gateway, _) = gateway(UssdInput::Last).await;
    let id = gateway.dial("84854689520", "*098#").await;
    assert!(gateway.next_screen(id, Duration::ZERO).await.is_some());
    assert!(!gateway.answer(id, "rubbish").await);
    assert_eq!(gateway.next_screen(id, Duration::ZERO).await, None);
    gateway.abort(id);
    assert_eq!(gateway.dialogue(id).stands, Stands::Aborted);
}
