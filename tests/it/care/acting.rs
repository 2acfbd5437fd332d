//! What is done from the page: the same acts as from the command line, by those who may, each once, with who and why.

use super::visitor::{Page, Visitor, hidden};
use super::{logged_in, plan};
use crate::stores::both_stores;
use crate::world::{Books, World};
use paygate::journal::rows::ActRow;
use paygate::sandbox::billing::Endpoint::{ConfirmPayment, RetrievePayment, RetrievePayments};
use paygate::sandbox::faults::Fault;
use reqwest::StatusCode;

/// The plan is through at once, so that what is unknown is soon a person's.
const SOON: &str = r#"charging.viettel = { timeout = "300ms", inquiry_plan = ["30ms"] }"#;
/// Nobody asks by plan while the test lasts.
const NEVER: &str = r#"charging.viettel = { timeout = "300ms", inquiry_plan = ["1h"] }
purchase.checking_after = "1h""#;

/// Charged, and nobody is told so; the id.
async fn comes_to(world: &World, state: &str) -> String {
    for endpoint in [RetrievePayment, RetrievePayments] {
        world.billing_faults(endpoint, Fault::Failed { status: 500 }, 100_000);
    }
    world.billing_faults(ConfirmPayment, Fault::Lost, 1);
    world.phone("0854689520").buys("ON VIP NAP1").await;
    world.comes_to(state).await;
    world.purchases().await.pop().unwrap().purchase.id
}

async fn acts(world: &World, id: &str) -> Vec<ActRow> {
    world.daemons[0].journal.story(id).await.unwrap().unwrap().acts
}

/// Sends the form of a verb as a page has it that was opened just now.
async fn does(world: &World, visitor: &Visitor, id: &str, verb: &str, fields: &[(&str, &str)]) -> Page {
    let purchase = world.daemons[0].journal.purchases(&[id.to_owned()]).await.unwrap().pop().unwrap();
    let review = purchase.review.map_or("", |review| review.as_str());
    let seen = format!("{} {review} {} {}", purchase.state.as_str(), purchase.paid().as_str(), purchase.granted());
    visitor.posts(&format!("/care/purchases/{id}/{verb}"), &[fields, &[("seen", seen.as_str())]].concat()).await
}

both_stores! {
    async fn an_agent_has_the_peers_asked_and_what_they_prove_goes_on(store: Store) {
        let world = plan(store, "").set(NEVER).start().await;
        world.billing_faults(ConfirmPayment, Fault::Lost, 1);
        let phone = world.phone("0854689520");
        phone.buys("ON VIP NAP1").await;
        world.comes_to("charge_unknown").await;
        let id = world.purchases().await.pop().unwrap().purchase.id;
        let agent = logged_in(&world, "agent").await;
        let page = does(&world, &agent, &id, "inquire", &[("reason", "")]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "an act without a reason is none");
        assert!(acts(&world, &id).await.is_empty());
        let page = does(&world, &agent, &id, "inquire", &[("reason", "she is on the line")]).await;
        let next = page.location.unwrap();
        let after = agent.reads(&next).await;
        assert!(after.contains("Act 1 (inquire) is carried out"), "{after}");
        phone.reads_done().await;
        let act = &acts(&world, &id).await[0];
        assert_eq!((act.act.operator.as_str(), act.act.reason.as_str()), ("agent", "she is on the line"));
        let line = world.daemons[0].journal.audited(None, 1).await.unwrap().pop().unwrap();
        assert_eq!((line.what.as_str(), line.detail.as_str()), ("act", format!("inquire {id}: she is on the line").as_str()));
        let page = does(&world, &agent, &id, "inquire", &[("reason", "again")]).await;
        assert!(page.status == StatusCode::CONFLICT && page.text.contains("nothing about it is unknown"), "{page:?}");
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_review_is_resolved_by_a_supervisor_and_not_by_an_agent(store: Store) {
        let world = plan(store, "").set(SOON).start().await;
        let id = comes_to(&world, "review").await;
        let agent = logged_in(&world, "agent").await;
        let page = agent.reads(&format!("/care/purchases/{id}")).await;
        assert!(page.contains("Not possible: this is for supervisor, accountant, administrator."), "{page}");
        let fields = [("verdict", "refunded"), ("reason", "given back at the counter"), ("evidence", "ticket 7")];
        let page = does(&world, &agent, &id, "resolve", &fields).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        assert!(acts(&world, &id).await.is_empty());
        let supervisor = logged_in(&world, "supervisor").await;
        let page = does(&world, &supervisor, &id, "resolve", &[("reason", "no verdict")]).await;
        assert!(page.status == StatusCode::UNPROCESSABLE_ENTITY && page.text.contains("Choose what became of it."));
        let page = does(&world, &supervisor, &id, "resolve", &fields).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{page:?}");
        world.comes_to("refunded").await;
        let act = &acts(&world, &id).await[0];
        assert_eq!((act.act.operator.as_str(), act.act.evidence.as_deref()), ("supervisor", Some("ticket 7")));
    }

    async fn a_form_that_is_old_or_sent_twice_does_nothing_more(store: Store) {
        let world = plan(store, "act_wait = \"10ms\"").set(SOON).start().await;
        let id = comes_to(&world, "review").await;
        let supervisor = logged_in(&world, "supervisor").await;
        let seen = hidden(&supervisor.reads(&format!("/care/purchases/{id}")).await, "seen");
        let path = format!("/care/purchases/{id}/inquire");
        let token = supervisor.token().await;
        let fields = [("seen", seen.as_str()), ("reason", "twice"), ("csrf", &token)];
        let (one, two) = tokio::join!(supervisor.sends(&path, &fields), supervisor.sends(&path, &fields));
        assert!(one.status != StatusCode::SERVICE_UNAVAILABLE && two.status != StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(acts(&world, &id).await.len(), 1, "a double click is one act");
        let boss = logged_in(&world, "administrator").await;
        let verdict = [("verdict", "refunded"), ("reason", "at the counter"), ("evidence", "ticket 7")];
        assert_eq!(does(&world, &boss, &id, "resolve", &verdict).await.status, StatusCode::SEE_OTHER);
        world.comes_to("refunded").await;
        let late = [("seen", seen.as_str()), ("reason", "late"), ("csrf", &token)];
        let page = supervisor.sends(&path, &late).await;
        assert!(page.status == StatusCode::CONFLICT && page.text.contains("changed since you looked"), "{page:?}");
        assert_eq!(acts(&world, &id).await.len(), 2);
    }

    async fn money_goes_back_only_when_another_person_confirms_it(store: Store) {
        let world = plan(store, "").start().await;
        let phone = world.phone("0854689520");
        phone.buys("ON VIP NAP1").await;
        phone.reads_done().await;
        world.comes_to("done").await;
        let id = world.purchases().await.pop().unwrap().purchase.id;
        let supervisor = logged_in(&world, "supervisor").await;
        let page = does(&world, &supervisor, &id, "refund", &[("amount", "10.000"), ("reason", "complained")]).await;
        assert_eq!(page.status, StatusCode::CONFLICT, "never both without an override: {page:?}");
        let both = [("amount", "9999"), ("reason", "complained"), ("override", "yes")];
        assert_eq!(does(&world, &supervisor, &id, "refund", &both).await.status, StatusCode::CONFLICT, "exactly what was charged");
        let both = [("amount", "10.000"), ("reason", "complained"), ("override", "yes")];
        let page = does(&world, &supervisor, &id, "refund", &both).await;
        let after = supervisor.reads(&page.location.unwrap()).await;
        assert!(after.contains("waits for a second person to confirm it"), "{after}");
        assert!(!after.contains("/care/acts/1/confirm"), "whoever wrote it is not asked to confirm it");
        let page = supervisor.posts("/care/acts/1/confirm", &[]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        let agent = logged_in(&world, "agent").await;
        assert_eq!(agent.posts("/care/acts/1/confirm", &[]).await.status, StatusCode::FORBIDDEN);
        assert_eq!(world.books(), Books::BOUGHT);
        let accountant = logged_in(&world, "accountant").await;
        let home = accountant.reads("/care").await;
        let ordered = "refund 10,000 VND beside the package";
        assert!(home.contains(&format!("{ordered}, ordered by supervisor, waits for a second person")), "{home}");
        let page = accountant.reads(&format!("/care/purchases/{id}")).await;
        assert!(page.contains("/care/acts/1/confirm"), "{page}");
        assert!(page.contains(&format!("1 {ordered}: waits")), "what is confirmed is shown whole: {page}");
        let page = accountant.posts("/care/acts/1/confirm", &[]).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{page:?}");
        world.comes_to("refunded").await;
        phone.reads("").await;
        assert_eq!(world.books(), Books { refunds: 1, ..Books::BOUGHT });
        let act = &acts(&world, &id).await[0];
        assert_eq!(act.second.as_ref().map(|(second, _)| second.as_str()), Some("accountant"));
    }

    async fn a_channel_is_frozen_and_thawed_by_those_who_may(store: Store) {
        let world = plan(store, "").start().await;
        let (agent, supervisor) = (logged_in(&world, "agent").await, logged_in(&world, "supervisor").await);
        assert!(agent.reads("/care/channels").await.contains("Freezing and thawing is for supervisor, administrator."));
        let page = agent.posts("/care/channels/viettel/freeze", &[("reason", "because")]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        let page = supervisor.posts("/care/channels/viettel/freeze", &[("reason", " ")]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(supervisor.posts("/care/channels/none/freeze", &[("reason", "x")]).await.status, StatusCode::NOT_FOUND);
        let journal = &world.daemons[0].journal;
        assert!(journal.frozen().await.unwrap().is_empty());
        for _ in 0..2 {
            let page = supervisor.posts("/care/channels/viettel/freeze", &[("reason", "billing is down")]).await;
            assert_eq!(page.status, StatusCode::SEE_OTHER);
        }
        assert!(journal.frozen().await.unwrap().contains("viettel"));
        assert!(supervisor.reads("/care").await.contains("viettel is frozen since"));
        let page = supervisor.reads("/care/channels").await;
        assert!(page.contains("by supervisor: billing is down") && page.contains("/care/channels/viettel/thaw"), "{page}");
        supervisor.posts("/care/channels/viettel/thaw", &[("reason", "it is up")]).await;
        assert!(journal.frozen().await.unwrap().is_empty());
    }
}
