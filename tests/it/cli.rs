//! The command line as a person or a script meets it: the built program, what it prints, and how it exits.

use paygate::config::{Config, Environment};
use paygate::journal::Journal;
use paygate::journal::rows::{AttemptRow, Committed, EventRow, PurchaseRow, Unit};
use paygate::purchase::record::{Attempt, Purchase};
use serde_json::{Value, json};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Exit code, stdout and stderr.
type Printed = (i32, String, String);

fn paygate(arguments: &[&str]) -> Printed {
    let output = command(arguments).output().unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_paygate"));
    command.args(arguments).env_clear().env("TZ", "Asia/Ho_Chi_Minh").stdin(Stdio::null());
    command
}

#[test]
fn parse_says_how_a_message_would_be_understood() {
    for (text, code, printed) in [
        ("ON VIP NAP1 0854689520", 0, r#"{"kind":"buy","service":"VIP","package":"NAP1","account":"0854689520"}"#),
        (
            "ĐK vip  nap1 +84 854 689 520.",
            0,
            r#"{"kind":"buy","service":"VIP","package":"NAP1","account":"0854689520"}"#,
        ),
        ("ON VIP NAP1", 0, r#"{"kind":"buy","service":"VIP","package":"NAP1"}"#),
        ("123456", 0, r#"{"kind":"confirm","code":"123456"}"#),
        ("OFF", 0, r#"{"kind":"cancel"}"#),
        ("KT", 0, r#"{"kind":"status"}"#),
        ("HD", 0, r#"{"kind":"help"}"#),
        ("y", 0, r#"{"kind":"yes"}"#),
        (
            "ON VIP NAP1 a085468952",
            1,
            r#"{"kind":"invalid","part":"account","reason":"there is a letter in the account, which has to be a phone number","example":"ON VIP NAP1 0912345678"}"#,
        ),
    ] {
        assert_eq!(paygate(&["parse", "--json", text]), (code, format!("{printed}\n"), String::new()), "{text}");
    }
    let table = "kind     buy\nservice  VIP\npackage  NAP1\naccount  the sender's own number\n";
    assert_eq!(paygate(&["parse", "ON", "VIP", "NAP1"]), (0, table.to_owned(), String::new()));
}

#[test]
fn parse_reads_by_the_configured_words() {
    let folder = tempfile::tempdir().unwrap();
    let file = configuration(folder.path(), "[syntax]\nbuy = [\"MUA\"]\n");
    let asked = |text| paygate(&["parse", "--config", file.to_str().unwrap(), "--json", text]).0;
    assert_eq!((asked("MUA VIP NAP1"), asked("ON VIP NAP1")), (0, 1));
}

#[test]
fn wrong_usage_is_one_line_and_exit_code_two() {
    for (arguments, told) in [
        (&[] as &[&str], "no command was given; try `paygate --help`"),
        (
            &["prase"],
            "unrecognized subcommand 'prase'; some similar subcommands exist: 'purchases', 'parse'; try `paygate --help`",
        ),
        (&["run"], "the following required arguments were not provided: --config <FILE>; try `paygate --help`"),
        (
            &["purchases", "list", "--config", "x", "--since", "tomorrow"],
            "invalid value 'tomorrow' for '--since <TIME>': expected 2026-11-22, 2026-11-22T09:30, 2026-11-22T02:30:00Z or 2h \
             (ago); try `paygate --help`",
        ),
        (
            &["run", "--config", "/nonexistent/paygate.toml"],
            "/nonexistent/paygate.toml: cannot be read (No such file or directory (os error 2)); expected a TOML file",
        ),
    ] {
        assert_eq!(paygate(arguments), (2, String::new(), format!("paygate: {told}\n")), "{arguments:?}");
    }
}

#[test]
fn a_faulty_configuration_is_told_fault_by_fault() {
    let folder = tempfile::tempdir().unwrap();
    let file = configuration(folder.path(), "[http]\nlisen = \"x\"\n[engine]\nqueue = 0\n");
    let file = file.to_str().unwrap();
    for verb in [&["run"] as &[&str], &["check"], &["purchases", "list"]] {
        let (code, out, err) = paygate(&[verb, &["--config", file]].concat());
        assert_eq!((code, out.as_str()), (2, ""));
        let expected = format!(
            "paygate: {file}: http.lisen: is not a known key; the nearest known one is http.listen\n\
             paygate: {file}: engine.queue: 0 cannot be used; expected a whole number from 1 to 1000000\n"
        );
        assert_eq!(err, expected);
    }
}

#[test]
fn a_faulty_text_is_a_faulty_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let file = configuration(folder.path(), "[replies]\ndoen = \"x\"\notp = \"Ma cua ban\"\n");
    let (code, out, err) = paygate(&["run", "--config", file.to_str().unwrap()]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert_eq!(err.matches(&format!("paygate: {}: replies.", file.display())).count(), 2, "{err}");
}

#[test]
fn help_and_version_are_answers() {
    let (code, out, err) = paygate(&["--help"]);
    assert_eq!((code, err.as_str()), (0, ""));
    for verb in ["sandbox", "run", "check", "parse", "purchases", "review", "inquire", "freeze", "thaw"] {
        assert!(out.contains(verb), "{out}");
    }
    let version = format!("paygate {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(paygate(&["--version"]), (0, version, String::new()));
}

#[test]
fn a_reader_that_has_gone_away_is_no_fault() {
    let mut child = command(&["--help"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!((child.wait().unwrap().code(), told.as_str()), (Some(0), ""));
}

/// A configuration in `folder` with a journal of its own.
pub(crate) fn configuration(folder: &Path, more: &str) -> PathBuf {
    let file = folder.join("paygate.toml");
    let journal = folder.join("paygate.db");
    let text = format!(
        r#"
[journal]
url = "sqlite:{}"
[[smsc]]
name = "viettel"
address = "127.0.0.1:2775"
password = "secret"
short_codes = ["9029"]
[charging.viettel]
kind = "carrier-billing"
base_url = "http://127.0.0.1:9001/carrier-billing/v0.5"
token = "secret"
[package_manager]
base_url = "http://127.0.0.1:9002"
token = "secret"
{more}"#,
        journal.display()
    );
    std::fs::write(&file, text).unwrap();
    file
}

fn attempt(key: &str, peer_reference: &str) -> Value {
    json!({
        "key": key, "sends": 1, "status": "succeeded", "amount": { "amount": 10_000, "currency": "VND" },
        "intended_at": 1_780_000_001_000_000_i64, "send_by": 1_780_000_011_000_000_i64,
        "in_flight_until": 1_780_000_041_000_000_i64, "peer_reference": peer_reference,
    })
}

/// A purchase that is paid and granted.
fn done(id: &str, msisdn: &str, created_at: i64) -> Unit {
    let (charge, grant) = (attempt(&format!("{id}-c1"), "PAY-1"), attempt(&format!("{id}-g1"), "GRANT-1"));
    let purchase: Purchase = serde_json::from_value(json!({
        "id": id, "version": 1, "state": "done", "created_at": created_at, "updated_at": created_at, "due_at": null,
        "order": {
            "msisdn": msisdn, "account": "0854689520", "service": "VIP", "package": "NAP1", "channel": "viettel",
            "door": "smpp", "link": "viettel", "short_code": "9029",
        },
        "offer": {
            "package_name": "VIP 30 ngay", "price": { "amount": 10_000, "currency": "VND" }, "days": 30,
            "asks": "code", "nonce": "6e6f6e6365", "digits": 6, "expires_at": created_at,
            "tries_left": 3, "sends": 1, "last_sent_at": created_at,
        },
        "charge": charge, "grant": grant,
    }))
    .unwrap();
    let row = |attempt: &Attempt| AttemptRow {
        purchase_id: id.to_owned(),
        msisdn: purchase.order.msisdn,
        channel: "viettel".to_owned(),
        attempt: attempt.clone(),
        request: "{}".to_owned(),
        fingerprint: "0".repeat(64),
        at: created_at,
    };
    let event = EventRow {
        purchase_id: id.to_owned(),
        seq: 1,
        at: created_at,
        kind: "channel_code".to_owned(),
        state_from: "offered".to_owned(),
        state_to: "done".to_owned(),
        body: r#"{"input":"channel_code","code":"918273"}"#.to_owned(),
    };
    Unit {
        charge: purchase.charge.as_ref().map(row),
        grant: purchase.grant.as_ref().map(row),
        events: vec![event],
        purchase: Some(PurchaseRow { purchase, seen: 0 }),
        ..Unit::default()
    }
}

/// A configuration whose journal holds these units.
async fn journal(folder: &Path, units: Vec<Unit>) -> PathBuf {
    let file = configuration(folder, "");
    let config = Config::load(&file, &Environment::new()).unwrap();
    let journal = Journal::open(&config.journal).await.unwrap();
    let outcomes = journal.commit(units).await.unwrap();
    assert!(outcomes.iter().all(|outcome| *outcome == Committed::Durable), "{outcomes:?}");
    file
}

const START: i64 = 1_780_000_000_500_000;

#[tokio::test]
async fn a_list_has_every_key_that_scripts_were_promised() {
    let folder = tempfile::tempdir().unwrap();
    let file = journal(folder.path(), vec![done("p1", "+84854689520", START)]).await;
    let (code, out, err) = paygate(&["purchases", "list", "--json", "--config", file.to_str().unwrap()]);
    assert_eq!((code, err.as_str()), (0, ""));
    let expected = json!([{
        "id": "p1", "created_at": "2026-05-28T20:26:40.5Z", "door": "smpp", "link": "viettel", "short_code": "9029",
        "msisdn": "+84854689520", "account": "0854689520", "service": "VIP", "package": "NAP1", "amount": 10_000,
        "currency": "VND", "channel": "viettel", "state": "done", "paid": "yes", "granted": "yes", "review": null,
        "charges": [{ "key": "p1-c1", "peer_reference": "PAY-1", "state": "succeeded", "amount": 10_000 }],
        "grant_id": "GRANT-1",
    }]);
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap(), expected);
}

#[tokio::test]
async fn a_list_is_filtered_and_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    let minute = 60_000_000;
    let units = vec![
        done("p1", "+84854689520", START),
        done("p2", "+84912345678", START + minute),
        done("p3", "+84854689520", START + 2 * minute),
    ];
    let file = journal(folder.path(), units).await;
    for (filters, ids) in [
        (&[] as &[&str], &["p3", "p2", "p1"] as &[&str]),
        (&["--limit", "1"], &["p3"]),
        (&["--search", "0912 345 678"], &["p2"]),
        (&["--search", "p1"], &["p1"]),
        (&["--state", "done", "--channel", "viettel"], &["p3", "p2", "p1"]),
        (&["--state", "review"], &[]),
        (&["--since", "2026-05-28T20:27:00Z"], &["p3", "p2"]),
        (&["--until", "2026-05-29T03:27"], &["p1"]),
    ] {
        let all = [&["purchases", "list", "--json", "--config", file.to_str().unwrap()], filters].concat();
        let (code, out, err) = paygate(&all);
        assert_eq!((code, err.as_str()), (0, ""));
        let listed: Vec<Value> = serde_json::from_str(&out).unwrap();
        assert_eq!(listed.iter().map(|entry| entry["id"].as_str().unwrap()).collect::<Vec<_>>(), ids, "{filters:?}");
    }
}

#[tokio::test]
async fn a_list_reads_as_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let file = journal(folder.path(), vec![done("p1", "+84854689520", START)]).await;
    let listed = paygate(&["purchases", "list", "--config", file.to_str().unwrap()]);
    let expected = "\
CREATED              ID  NUMBER        ACCOUNT     PACKAGE   PRICE       CHANNEL  STATE  PAID  GRANTED  REVIEW
2026-05-29 03:26:40  p1  +84854689520  0854689520  VIP NAP1  10,000 VND  viettel  done   yes   yes
";
    assert_eq!(listed, (0, expected.to_owned(), String::new()));
    let none = paygate(&["purchases", "list", "--state", "review", "--config", file.to_str().unwrap()]);
    assert_eq!(none, (0, "no purchase matches\n".to_owned(), String::new()));
}

#[tokio::test]
async fn one_purchase_is_shown_with_its_story_and_without_its_codes() {
    let folder = tempfile::tempdir().unwrap();
    let file = journal(folder.path(), vec![done("p1", "+84854689520", START)]).await;
    let (code, out, err) = paygate(&["purchases", "show", "p1", "--json", "--config", file.to_str().unwrap()]);
    assert_eq!((code, err.as_str()), (0, ""));
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&told["id"], &told["grant_id"]), (&json!("p1"), &json!("GRANT-1")));
    let event = json!([{
        "seq": 1, "at": "2026-05-28T20:26:40.5Z", "kind": "channel_code", "from": "offered", "to": "done",
        "body": { "input": "channel_code" },
    }]);
    assert_eq!(told["events"], event);
    let (code, table, _) = paygate(&["purchases", "show", "p1", "--config", file.to_str().unwrap()]);
    assert_eq!(code, 0);
    for part in ["price     10,000 VND", "Answers a code for the channel to judge -> done", "PAY-1", "GRANT-1"] {
        assert!(table.contains(part), "{part} is not in\n{table}");
    }
    for text in [&out, &table] {
        assert!(!text.contains("918273") && !text.contains("6e6f6e6365"), "{text}");
    }
}

#[tokio::test]
async fn a_purchase_that_is_not_there_is_the_answer_no() {
    let folder = tempfile::tempdir().unwrap();
    let file = journal(folder.path(), Vec::new()).await;
    let shown = paygate(&["purchases", "show", "p9", "--config", file.to_str().unwrap()]);
    let told = "paygate: there is no purchase \"p9\"; find its id with `paygate purchases list --search`\n";
    assert_eq!(shown, (1, String::new(), told.to_owned()));
}
