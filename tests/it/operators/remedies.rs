//! What a person has done from the built program, beside real daemons: the peers' own books say what it came to.

use super::{SOON_IN_REVIEW, Terminal, done as done_by_daemon, id_of, in_review};
use crate::stores::both_stores;
use crate::world::{Books, World};
use paygate::journal::rows::{Deed, NewAct};
use paygate::purchase::State;
use paygate::purchase::input::Remedy;
use paygate::sandbox::billing::Endpoint::CreateRefund;
use paygate::sandbox::faults::Fault;
use paygate::sandbox::packages;

/// Bought and done.
async fn done(world: &World) -> String {
    let phone = world.phone("0854689520");
    phone.buys("ON VIP NAP1").await;
    phone.reads_done().await;
    id_of(world, State::Done).await
}

/// The text without the terminal's line breaks.
fn unwrapped(shown: &str) -> String {
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// As `minh` does it.
fn by_minh<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &["--operator", "minh"]].concat()
}

both_stores! {
    async fn what_the_statement_says_was_paid_is_granted_and_told(store: Store) {
        let world = World::of(store).set(SOON_IN_REVIEW).start().await;
        let (terminal, id) = (Terminal::beside(&world), in_review(&world).await);
        let bare = terminal.is_refused(1, &["mark-paid", &id, "--reason", "it is on the statement"]).await;
        assert!(bare.contains("name the evidence") && bare.contains("is review (charge_unknown)"), "{bare}");
        let marked = ["mark-paid", &id, "--reason", "it is on the statement", "--evidence", "2026-11-24 line 17"];
        let told = terminal.does(&marked).await;
        assert!(told.contains("Act 1 is carried out"), "{told}");
        world.phone("0854689520").reads_done().await;
        let again = terminal.is_refused(1, &marked).await;
        assert!(again.contains("it is paid already"), "{again}");
        let shown = unwrapped(&terminal.does(&["purchases", "show", &id]).await);
        assert!(shown.contains("lan marks it as paid: it is on the statement (evidence: 2026-11-24 line 17)"), "{shown}");
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn what_was_paid_and_not_granted_is_granted_once_the_package_manager_can(store: Store) {
        let world = World::of(store).start().await;
        let terminal = Terminal::beside(&world);
        let refuse = |status, code: &str| Fault::Refuse { status, code: code.to_owned() };
        world.package_faults(packages::Endpoint::Grant, refuse(403, "NOT_ELIGIBLE"), 1);
        world.billing_faults(CreateRefund, refuse(403, "REFUND_DENIED"), 1);
        world.phone("0854689520").buys("ON VIP NAP1").await;
        world.comes_to("review").await;
        let id = id_of(&world, State::Review).await;
        let refund = ["refund", &id, "--amount", "10000", "--reason", "the subscriber waits"];
        let refused = terminal.is_refused(1, &refund).await;
        assert!(refused.contains("the channel has refused to give it back"), "{refused}");
        terminal.does(&["grant", &id, "--reason", "they have mended it"]).await;
        world.phone("0854689520").reads_done().await;
        let again = terminal.is_refused(1, &["grant", &id, "--reason", "once more"]).await;
        assert!(again.contains("it is granted already"), "{again}");
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn money_beside_the_package_goes_back_only_by_the_word_of_two(store: Store) {
        let world = World::of(store).start().await;
        let (terminal, id) = (Terminal::beside(&world), done(&world).await);
        let refund = ["refund", &id, "--amount", "10000", "--reason", "it does not play"];
        let plain = terminal.is_refused(1, &refund).await;
        assert!(plain.contains("two people must override that"), "{plain}");
        let overridden = [&refund[..], &["--override"]].concat();
        let wrong: Vec<&str> = overridden.iter().map(|word| if *word == "10000" { "1000" } else { word }).collect();
        let told = terminal.is_refused(1, &wrong).await;
        assert!(told.contains("the amount is not what was charged"), "{told}");
        let told = terminal.does(&overridden).await;
        assert!(told.contains("Act 1 is written and waits for a second person") && told.contains("acts confirm 1"), "{told}");
        let listed = terminal.does(&["acts", "list"]).await;
        assert!(listed.contains("refund 10,000 VND beside the package") && listed.contains("it does not play"), "{listed}");
        let shown = unwrapped(&terminal.does(&["purchases", "show", &id]).await);
        assert!(shown.contains("(act 1; a second person must confirm it)"), "{shown}");
        let own = terminal.is_refused(1, &["acts", "confirm", "1"]).await;
        assert!(own.contains("act 1 is your own, lan; somebody else must confirm it"), "{own}");
        assert_eq!(world.books(), Books::BOUGHT, "nothing has moved yet");
        let told = terminal.does(&by_minh(&["acts", "confirm", "1"])).await;
        assert!(told.contains("Act 1 is carried out"), "{told}");
        world.phone("0854689520").reads("Da hoan 10.000d cua goi NAP1").await;
        let shown = unwrapped(&terminal.does(&["purchases", "show", &id]).await);
        assert!(shown.contains("lan has 10,000 VND given back beside its package, confirmed by minh"), "{shown}");
        let twice = terminal.is_refused(1, &by_minh(&["acts", "confirm", "1"])).await;
        assert!(twice.contains("act 1 waits for nobody"), "{twice}");
        assert_eq!(terminal.does(&["acts", "list"]).await, "nothing waits for a second person\n");
        assert_eq!(world.books(), Books { debits: 1, refunds: 1, grants: 1 });
    }

    async fn the_journal_itself_takes_no_second_word_from_whoever_gave_the_first(store: Store) {
        let world = World::of(store).start().await;
        let (journal, id) = (world.daemons[0].journal.clone(), done(&world).await);
        let deed = Deed::Remedy { purchase: id.clone(), remedy: Remedy::Grant, overrides: true };
        let act = NewAct { operator: "lan".to_owned(), deed, reason: "again".to_owned(), evidence: None };
        let number = journal.act(&act).await.unwrap();
        assert!(!journal.confirm_act(number, "lan").await.unwrap());
        assert!(journal.confirm_act(number, "minh").await.unwrap());
        assert!(!journal.confirm_act(number, "an").await.unwrap(), "once");
        assert!(!journal.withdraw_act(number, "an").await.unwrap(), "what is confirmed is not taken back");
        let row = journal.act_of(number).await.unwrap().unwrap();
        assert_eq!((row.act.deed, row.second.map(|(second, _)| second)), (act.deed, Some("minh".to_owned())));
    }

    async fn an_act_that_came_too_late_reads_as_refused(store: Store) {
        let world = World::of(store).start().await;
        let (journal, id) = (world.daemons[0].journal.clone(), done(&world).await);
        let deed = Deed::Remedy { purchase: id.clone(), remedy: Remedy::MarkPaid, overrides: false };
        let evidence = Some("line 17".to_owned());
        let act = NewAct { operator: "lan".to_owned(), deed, reason: "on the statement".to_owned(), evidence };
        done_by_daemon(&journal, journal.act(&act).await.unwrap()).await;
        let shown = unwrapped(&Terminal::beside(&world).does(&["purchases", "show", &id]).await);
        let line = "lan marks it as paid: on the statement (evidence: line 17) refused: the purchase had moved on";
        assert!(shown.contains(line), "{shown}");
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn an_act_that_nobody_confirms_moves_nothing_and_can_be_taken_back(store: Store) {
        let world = World::of(store).start().await;
        let (terminal, id) = (Terminal::beside(&world), done(&world).await);
        let refund = ["refund", &id, "--amount", "10000", "--override", "--reason", "a mistake"];
        terminal.does(&refund).await;
        let entries = terminal.reads(&["acts", "list"]).await;
        assert_eq!((&entries[0]["verb"], &entries[0]["purchase"]), (&"refund".into(), &id.as_str().into()));
        let told = terminal.does(&["acts", "withdraw", "1"]).await;
        assert!(told.contains("Act 1 is taken back; nothing was done by it."), "{told}");
        let shown = unwrapped(&terminal.does(&["purchases", "show", &id]).await);
        assert!(shown.contains("orders refund 10,000 VND beside the package: a mistake (act 1; taken back by lan)"), "{shown}");
        let late = terminal.is_refused(1, &by_minh(&["acts", "confirm", "1"])).await;
        assert!(late.contains("act 1 waits for nobody"), "{late}");
        world.ends(&["done"], Books::BOUGHT).await;
    }
}
