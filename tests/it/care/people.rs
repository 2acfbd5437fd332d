//! Who is let in, for how long, and what is written down about it.

use super::visitor::{PASSWORD, Visitor, account, hidden};
use super::{logged_in, plan};
use crate::stores::{Store, both_stores};
use crate::world::World;
use paygate::people::{Right, Role};
use reqwest::StatusCode;
use serde_json::Value;
use std::process::Stdio;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Exit code, stdout and stderr of `paygate operator …`, with this piped in.
async fn operator(world: &World, arguments: &[&str], piped: &str) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("paygate.toml"), world.toml()).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_paygate"))
        .arg("operator")
        .args(arguments)
        .arg("--config")
        .arg(folder.path().join("paygate.toml"))
        .env_clear()
        .env("USER", "root")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A verb that reads nothing may be gone before this is written.
    let _ = child.stdin.take().unwrap().write_all(piped.as_bytes()).await;
    let output = child.wait_with_output().await.unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Who did what about whom, the oldest first.
async fn audit(world: &World) -> Vec<(String, String, String)> {
    let mut lines = world.daemons[0].journal.audited(None, 100).await.unwrap();
    lines.reverse();
    lines.into_iter().map(|line| (line.operator, line.what, line.detail)).collect()
}

fn is_sent_to_the_login(page: &super::visitor::Page) -> bool {
    page.status == StatusCode::SEE_OTHER && page.location.as_deref().is_some_and(|it| it.starts_with("/care/login"))
}

both_stores! {
    async fn an_account_is_made_listed_closed_and_opened_again(store: Store) {
        let world = plan(store, "").start().await;
        let (code, out, err) = operator(&world, &["add", "Lan", "--role", "supervisor"], "correct horse battery\n").await;
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        assert!(out.contains("lan may log in at /care as supervisor"), "{out}");
        assert_eq!(operator(&world, &["add", "lan", "--role", "agent"], "correct horse battery\n").await.0, 1);
        let (code, _, err) = operator(&world, &["add", "hoa", "--role", "agent"], "short\n").await;
        assert!(code == 2 && err.contains("5 characters") && err.contains("12"), "{err}");
        assert_eq!(operator(&world, &["add", "hoa", "--role", "agent"], "").await.0, 2, "there is no default password");
        assert_eq!(operator(&world, &["add", "hoa", "--role", "boss"], "correct horse battery\n").await.0, 2);
        let (_, listed, _) = operator(&world, &["list", "--json"], "").await;
        assert!(!listed.contains("argon2") && !listed.contains("correct"), "{listed}");
        let listed: Value = serde_json::from_str(&listed).unwrap();
        assert_eq!((&listed[0]["name"], &listed[0]["role"], &listed[1]), (&"lan".into(), &"supervisor".into(), &Value::Null));

        let visitor = Visitor::at(&world);
        visitor.logs_in("lan").await;
        assert_eq!(operator(&world, &["disable", "lan"], "").await.0, 0);
        assert!(is_sent_to_the_login(&visitor.opens("/care").await), "who is disabled is logged out");
        assert_eq!(visitor.tries("lan", PASSWORD).await.status, StatusCode::FORBIDDEN);
        assert_eq!(operator(&world, &["enable", "lan"], "").await.0, 0);
        visitor.logs_in("lan").await;
        assert_eq!(operator(&world, &["password", "lan"], "another long password\n").await.0, 0);
        assert!(is_sent_to_the_login(&visitor.opens("/care").await), "a new password ends the sessions of the old one");
        assert_eq!(visitor.tries("lan", PASSWORD).await.status, StatusCode::FORBIDDEN);
        assert_eq!(visitor.tries("lan", "another long password").await.status, StatusCode::SEE_OTHER);
        assert_eq!(operator(&world, &["disable", "nobody"], "").await.0, 1);
        let nameless = &["add", "tuan", "--role", "agent", "--operator", " "];
        assert_eq!(operator(&world, nameless, "correct horse battery\n").await.0, 2, "it is written down who made it");
        assert!(world.daemons[0].journal.operator("tuan").await.unwrap().is_none());
        let noted: Vec<String> = audit(&world).await.into_iter().map(|(who, what, _)| format!("{who} {what}")).collect();
        let expected = ["root operator_added", "lan login", "root operator_disabled", "lan login_failed",
            "root operator_enabled", "lan login", "root password_set", "lan login_failed", "lan login"];
        assert_eq!(noted, expected);
    }

    async fn nobody_sees_or_does_anything_without_a_session(store: Store) {
        let world = plan(store, "").start().await;
        let visitor = Visitor::at(&world);
        for cookie in [None, Some("paygate-care=0123456789abcdef".to_owned()), Some("paygate-care=".to_owned())] {
            visitor.has(cookie);
            for path in ["/care", "/care/purchases", "/care/purchases/x", "/care/channels", "/care/audit"] {
                let page = visitor.opens(path).await;
                assert!(is_sent_to_the_login(&page), "{path}: {page:?}");
            }
            for path in ["/care/channels/viettel/freeze", "/care/purchases/x/inquire", "/care/acts/1/confirm", "/care/logout"] {
                let page = visitor.sends(path, &[("reason", "because"), ("csrf", "")]).await;
                assert!(is_sent_to_the_login(&page), "{path}: {page:?}");
            }
        }
        assert!(world.daemons[0].journal.frozen().await.unwrap().is_empty());
        let page = visitor.opens("/care/purchases?q=0854689520&state=open").await;
        let next = page.location.unwrap();
        assert!(next.ends_with("next=%2Fcare%2Fpurchases%3Fq%3D0854689520%26state%3Dopen"), "{next}");
    }

    async fn what_is_wrong_about_a_login_is_not_told_and_no_slip_of_the_hand_is_written_down(store: Store) {
        let world = plan(store, "").start().await;
        account(&world, "lan", "agent").await;
        let visitor = Visitor::at(&world);
        let wrong = visitor.tries("lan", "wrong horse battery").await;
        let nobody = visitor.tries("correct horse battery", PASSWORD).await;
        let unknown = visitor.tries("hoa", PASSWORD).await;
        for page in [&nobody, &unknown] {
            assert_eq!((page.status, &page.text), (wrong.status, &wrong.text));
        }
        assert!(wrong.cookie.is_none() && wrong.text.contains("Name or password is wrong."));
        let noted = audit(&world).await;
        let names: Vec<(&str, &str)> = noted.iter().map(|(who, what, _)| (who.as_str(), what.as_str())).collect();
        assert_eq!(names, [("lan", "login_failed"), ("", "login_failed"), ("", "login_failed")]);
    }

    async fn a_session_ends_with_the_logout_with_disuse_and_with_age(store: Store) {
        let world = plan(store, "session_idle = \"15m\"\nsession_max = \"8h\"").start().await;
        let visitor = logged_in(&world, "agent").await;
        let held = visitor.cookie();
        let page = visitor.posts("/care/logout", &[]).await;
        assert_eq!((page.status, visitor.cookie()), (StatusCode::SEE_OTHER, None), "{page:?}");
        visitor.has(held);
        assert!(is_sent_to_the_login(&visitor.opens("/care").await), "a token that was logged out is worth nothing");

        // The password is older than each session of this test.
        world.store.execute("UPDATE operator SET password_at = 0").await.unwrap();
        let minutes = 60_000_000_i64;
        for (moved, lives) in [("used_at", 14), ("opened_at", 8 * 60 - 1)] {
            visitor.logs_in("agent").await;
            world.store.execute(&format!("UPDATE session SET {moved} = {moved} - {}", lives * minutes)).await.unwrap();
            visitor.reads("/care").await;
            // A look counts as use.
            visitor.reads("/care").await;
            world.store.execute(&format!("UPDATE session SET {moved} = {moved} - {}", 15 * minutes)).await.unwrap();
            assert!(is_sent_to_the_login(&visitor.opens("/care").await), "{moved}");
        }
    }

    async fn a_session_is_a_new_secret_whose_hash_alone_is_kept(store: Store) {
        let world = plan(store, "").start().await;
        account(&world, "lan", "agent").await;
        let visitor = Visitor::at(&world);
        let cookie = visitor.tries("lan", PASSWORD).await.cookie.unwrap();
        for word in ["paygate-care=", "HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=28800"] {
            assert!(cookie.contains(word), "{word} in {cookie}");
        }
        assert!(!cookie.contains("Secure"), "this machine alone, without TLS");
        let secret = visitor.cookie().unwrap().split_once('=').unwrap().1.to_owned();
        assert_eq!(secret.len(), 64);
        let kept = world.store.execute(&format!("UPDATE session SET used_at = used_at WHERE token = '{secret}'")).await.unwrap();
        assert_eq!(kept, 0, "the token itself is not in the journal");
        visitor.logs_in("lan").await;
        assert_ne!(visitor.cookie().unwrap(), format!("paygate-care={secret}"));
    }

    async fn tries_are_counted_by_name_before_the_password_is_looked_at(store: Store) {
        let world = plan(store, "login_tries = 3").start().await;
        for name in ["lan", "hoa"] {
            account(&world, name, "agent").await;
        }
        let visitor = Visitor::at(&world);
        for _ in 0..3 {
            assert_eq!(visitor.tries("lan", "wrong horse battery").await.status, StatusCode::FORBIDDEN);
        }
        for _ in 0..2 {
            let page = visitor.tries("lan", PASSWORD).await;
            assert_eq!((page.status, page.cookie), (StatusCode::TOO_MANY_REQUESTS, None));
        }
        visitor.logs_in("hoa").await;
        let refused = audit(&world).await.into_iter().filter(|(_, what, _)| what == "login_refused").count();
        assert_eq!(refused, 1, "the first one too many is written down, the others are only more of it");
    }

    async fn tries_are_counted_by_address_whatever_the_name(store: Store) {
        let world = plan(store, "address_tries = 3\nproxies = [\"127.0.0.1\"]").start().await;
        account(&world, "lan", "agent").await;
        let visitor = Visitor::at(&world);
        for name in ["a", "b", "c"] {
            assert_eq!(visitor.tries(name, PASSWORD).await.status, StatusCode::FORBIDDEN);
        }
        assert_eq!(visitor.tries("lan", PASSWORD).await.status, StatusCode::TOO_MANY_REQUESTS);
        // Behind our proxy each caller is an address of its own.
        let base = world.door("/care/login");
        let request = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap().post(&base);
        let request = request.header("x-forwarded-for", "1.2.3.4, 203.0.113.7").header("origin", world.door(""));
        let page = visitor.asks(request.form(&[("name", "lan"), ("password", PASSWORD)])).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{page:?}");
        let line = world.daemons[0].journal.audited(None, 1).await.unwrap().pop().unwrap();
        assert_eq!((line.what.as_str(), line.address.as_str()), ("login", "203.0.113.7"));
    }

    async fn a_form_of_another_site_or_of_another_session_does_nothing(store: Store) {
        let world = plan(store, "").start().await;
        let (lan, hoa) = (logged_in(&world, "supervisor").await, logged_in(&world, "administrator").await);
        let (own, other) = (lan.token().await, hoa.token().await);
        let freeze = "/care/channels/viettel/freeze";
        assert_ne!(own, other);
        for token in ["", other.as_str()] {
            let page = lan.sends(freeze, &[("reason", "because"), ("csrf", token)]).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{token}");
        }
        for origin in ["http://evil.example", "null", "http://127.0.0.1:1"] {
            let page = lan.sends_from(origin, freeze, &[("reason", "because"), ("csrf", &own)]).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{origin}");
            let page = lan.sends_from(origin, "/care/login", &[("name", "supervisor"), ("password", PASSWORD)]).await;
            assert_eq!((page.status, page.cookie), (StatusCode::FORBIDDEN, None), "{origin}");
        }
        assert!(world.daemons[0].journal.frozen().await.unwrap().is_empty());
        let page = lan.sends(freeze, &[("reason", "because"), ("csrf", &own)]).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{page:?}");
        assert!(world.daemons[0].journal.frozen().await.unwrap().contains("viettel"));
    }

    async fn the_audit_only_grows_and_the_administrator_reads_it(store: Store) {
        let world = plan(store, "page = 2").start().await;
        let boss = logged_in(&world, "administrator").await;
        logged_in(&world, "agent").await;
        logged_in(&world, "supervisor").await;
        for change in ["UPDATE audit SET operator = 'somebody'", "DELETE FROM audit"] {
            assert!(world.store.execute(change).await.is_err(), "{change}");
        }
        let first = boss.reads("/care/audit").await;
        assert_eq!(first.matches("data-what=\"login\"").count(), 2, "{first}");
        let (_, next) = first.split_once("/care/audit?before=").unwrap();
        let older = boss.reads(&format!("/care/audit?before={}", next.split('"').next().unwrap())).await;
        assert_eq!((older.matches("data-what=\"login\"").count(), older.contains("Older")), (1, false));
        for role in Role::ALL.into_iter().filter(|role| !role.may(Right::ReadAudit)).map(Role::as_str).take(2) {
            let other = Visitor::at(&world);
            other.logs_in(role).await;
            assert_eq!(other.opens("/care/audit").await.status, StatusCode::FORBIDDEN, "{role}");
            assert!(!other.reads("/care").await.contains("/care/audit"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_tls_the_cookie_travels_by_tls_alone_and_forms_come_from_there() {
    let world = plan(Store::sqlite(), "origin = \"https://care.example\"").start().await;
    account(&world, "lan", "agent").await;
    let visitor = Visitor::at(&world);
    assert_eq!(visitor.tries("lan", PASSWORD).await.status, StatusCode::FORBIDDEN, "our own address is not the origin");
    let page =
        visitor.sends_from("https://care.example", "/care/login", &[("name", "lan"), ("password", PASSWORD)]).await;
    let cookie = page.cookie.unwrap();
    assert!(cookie.starts_with("__Host-paygate-care=") && cookie.contains("; Secure"), "{cookie}");
    assert!(hidden(&visitor.reads("/care").await, "csrf").len() == 64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_section_there_is_no_page_and_with_one_it_holds_to_its_policy() {
    let world = World::of(Store::sqlite()).start().await;
    assert_eq!(Visitor::at(&world).opens("/care").await.status, StatusCode::NOT_FOUND);
    let (code, _, err) = operator(&world, &["list"], "").await;
    assert!(code == 2 && err.contains("[care]"), "{err}");

    let world = plan(Store::sqlite(), "").start().await;
    let answer = reqwest::get(world.door("/care/login")).await.unwrap();
    let policy = answer.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let foreign = reqwest::Client::new().get(world.door("/care/login")).header("host", "evil.example");
    assert_eq!(foreign.send().await.unwrap().status(), StatusCode::FORBIDDEN, "a foreign name that points here");
}
