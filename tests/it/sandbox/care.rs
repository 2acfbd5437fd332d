//! Seed 000's care table (charging.md R000.16-25), case by case: produced in the sandbox, recognised on the care page within
//! one search, and remedied by the action that it names; by the simulators' books.

use super::{PATIENCE, Visit};
use crate::browser::Browser;
use crate::care::visitor::{Visitor, hidden};
use reqwest::StatusCode;
use serde_json::json;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// A sandbox and its people, each at the care page.
struct Office {
    visit: Visit,
    agent: Visitor,
    supervisor: Visitor,
    another: Visitor,
}

/// A row of the list, as the page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    id: String,
    stands: [String; 3],
}

impl Office {
    async fn opens() -> Self {
        let visit = Visit::start().await;
        let about = visit.state().await["about"].clone();
        let people = about["people"].as_array().unwrap();
        let mut in_their_places = Vec::new();
        for name in ["agent", "supervisor", "supervisor-2"] {
            let person = people.iter().find(|person| person["name"] == name).unwrap();
            let visitor = Visitor::of(about["daemon"].as_str().unwrap());
            let page = visitor.tries(name, person["password"].as_str().unwrap()).await;
            assert_eq!(page.status, StatusCode::SEE_OTHER, "{name}: {page:?}");
            in_their_places.push(visitor);
        }
        let [agent, supervisor, another] = in_their_places.try_into().ok().unwrap();
        Self { visit, agent, supervisor, another }
    }

    /// The number to search for.
    async fn produces(&self, case: &str) -> String {
        let made = self.visit.post("/case", json!({ "case": case })).await;
        assert!(!made["did"].as_str().unwrap().is_empty());
        made["number"].as_str().unwrap().to_owned()
    }

    async fn searches(&self, number: &str) -> String {
        self.agent.reads(&format!("/care/purchases?q={number}")).await
    }

    /// Until one search shows these rows: state, paid?, granted?
    async fn sees<const ROWS: usize>(&self, number: &str, wanted: [[&str; 3]; ROWS]) -> [Row; ROWS] {
        let mut last = Vec::new();
        let seen = timeout(PATIENCE, async {
            loop {
                last = rows(&self.searches(number).await);
                if last.iter().map(|row| row.stands.each_ref().map(String::as_str)).eq(wanted) {
                    return;
                }
                sleep(Duration::from_millis(200)).await;
            }
        });
        assert!(seen.await.is_ok(), "{wanted:?} never came: {last:?}");
        last.try_into().unwrap()
    }

    /// What an agent is told to do about it.
    async fn is_told(&self, row: &Row, care: &str, says: &str) {
        let page = self.agent.reads(&format!("/care/purchases/{}", row.id)).await;
        assert!(page.contains(&format!("data-care=\"{care}\"")) && page.contains(says), "{care}, {says}: {page}");
    }

    /// A supervisor's form, as the page has it.
    async fn does(&self, row: &Row, verb: &str, fields: &[(&str, &str)]) -> String {
        let path = format!("/care/purchases/{}", row.id);
        let seen = hidden(&self.supervisor.reads(&path).await, "seen");
        let own = [("seen", seen.as_str()), ("reason", "the subscriber called")];
        let page = self.supervisor.posts(&format!("{path}/{verb}"), &[fields, &own].concat()).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{verb}: {page:?}");
        page.location.unwrap()
    }

    /// What the simulators' books say of it.
    async fn books(&self, row: &Row, wanted: &str) {
        let mut last = String::new();
        let seen = timeout(PATIENCE, async {
            loop {
                let state = self.visit.state().await;
                let own = state["purchases"].as_array().unwrap().iter().find(|one| one["id"] == *row.id);
                last = own.map_or_else(String::new, |one| one["books"]["verdict"].as_str().unwrap().to_owned());
                if last.starts_with(wanted) {
                    return;
                }
                sleep(Duration::from_millis(200)).await;
            }
        });
        assert!(seen.await.is_ok(), "{wanted} never stood in the books: {last}");
    }
}

fn rows(page: &str) -> Vec<Row> {
    let between = |text: &str, from: &str, to: &str| {
        let (_, rest) = text.split_once(from)?;
        rest.split_once(to).map(|(found, _)| found.to_owned())
    };
    let pill = |row: &str, name: &str| {
        let cell = between(row, &format!("data-name=\"{name}\""), "</td>").unwrap();
        cell.rsplit_once("</span>").map(|(pill, _)| pill.rsplit('>').next().unwrap().to_owned()).unwrap()
    };
    let row = |row: &str| Row {
        id: between(row, "/care/purchases/", "\"").unwrap(),
        stands: [row.split('"').next().unwrap().to_owned(), pill(row, "Paid?"), pill(row, "Granted?")],
    };
    page.split("<tr data-state=\"").skip(1).map(row).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_subscriber_did_wrong_is_only_shown() {
    let office = Office::opens().await;
    let (poor, lost) = (office.produces("no_money").await, office.produces("wrong_account").await);
    let [row] = office.sees(&poor, [["declined", "no", "no"]]).await;
    office.is_told(&row, "show_subscriber", "no money").await;
    office.books(&row, "not charged, not granted").await;
    let [row] = office.sees(&lost, [["refused", "no", "no"]]).await;
    office.is_told(&row, "show_subscriber", "no account").await;
    office.books(&row, "not charged, not granted").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_debit_that_we_were_never_told_of_is_the_partners_to_check_and_marked_paid_by_its_word() {
    let office = Office::opens().await;
    let number = office.produces("charge_never_told").await;
    let [row] = office.sees(&number, [["review", "unknown", "no"]]).await;
    office.is_told(&row, "ask_partner", "Send it to the partner to check").await;
    office.does(&row, "mark_paid", &[("evidence", "the telco's mail of today")]).await;
    office.sees(&number, [["done", "yes", "yes"]]).await;
    office.books(&row, "charged once, granted once").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_that_comes_back_by_itself_is_only_told_of() {
    let office = Office::opens().await;
    let (now, later) = (office.produces("given_back_now").await, office.produces("given_back_later").await);
    for (number, says) in [(now, "by itself, at once"), (later, "by itself, in one or two days")] {
        let [row] = office.sees(&number, [["declined", "no", "no"]]).await;
        office.is_told(&row, "show_subscriber", says).await;
        office.books(&row, "charged once, given back once, not granted").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_that_does_not_come_back_is_granted_for_or_settled_with_the_partner() {
    let office = Office::opens().await;
    let (granted, settled) = (office.produces("not_given_back").await, office.produces("not_given_back").await);
    let [row] = office.sees(&granted, [["review", "yes", "owed"]]).await;
    office.is_told(&row, "grant_or_refund", "Choose one").await;
    office.does(&row, "grant", &[]).await;
    office.sees(&granted, [["done", "yes", "yes"]]).await;
    office.books(&row, "charged once, granted once").await;
    let [row] = office.sees(&settled, [["review", "yes", "owed"]]).await;
    office.does(&row, "resolve", &[("verdict", "refunded"), ("evidence", "given back at the telco's desk")]).await;
    office.sees(&settled, [["refunded", "refunded", "no"]]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_package_that_could_not_be_granted_is_granted_again() {
    let office = Office::opens().await;
    let number = office.produces("cannot_grant").await;
    let [row] = office.sees(&number, [["review", "yes", "owed"]]).await;
    office.is_told(&row, "check_package_manager", "package manager").await;
    // As soon as it can be seen, the package manager is well again.
    sleep(Duration::from_secs(3)).await;
    office.does(&row, "grant", &[]).await;
    office.sees(&number, [["done", "yes", "yes"]]).await;
    office.books(&row, "charged once, granted once").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_that_was_answered_with_an_error_is_found_and_not_made_twice() {
    let office = Office::opens().await;
    let number = office.produces("granted_but_error").await;
    let [row] = office.sees(&number, [["done", "yes", "yes"]]).await;
    let page = office.agent.reads(&format!("/care/purchases/{}", row.id)).await;
    assert!(page.contains("Nothing went wrong."), "{page}");
    office.books(&row, "charged once, granted once").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_debit_that_nobody_told_us_nothing_is_known_and_the_administrator_is_called() {
    let office = Office::opens().await;
    let number = office.produces("no_transaction").await;
    let page = office.searches(&number).await;
    assert!(rows(&page).is_empty() && page.contains("data-care=\"contact_paygate\""), "{page}");
    assert!(page.contains("told of no such transaction") && page.contains("Contact paygate"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_package_that_was_charged_twice_is_flagged_and_one_is_given_back_by_two_people() {
    let office = Office::opens().await;
    let number = office.produces("repeated").await;
    let done = ["done", "yes", "yes"];
    let [second, first] = office.sees(&number, [done, done]).await;
    for row in [&first, &second] {
        office.is_told(row, "contact_paygate", "data-finding=\"surplus\"").await;
    }
    let both = [("amount", "10.000"), ("override", "yes")];
    let filed = office.does(&second, "refund", &both).await;
    let act = filed.rsplit('=').next().unwrap();
    let page = office.supervisor.posts(&format!("/care/acts/{act}/confirm"), &[]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "not whoever ordered it");
    let page = office.another.posts(&format!("/care/acts/{act}/confirm"), &[]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{page:?}");
    office.sees(&number, [["refunded", "refunded", "yes"], done]).await;
    office.books(&second, "charged once, given back once, granted once").await;
    office.books(&first, "charged once, granted once").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_packages_that_were_both_wanted_are_not_flagged() {
    let office = Office::opens().await;
    let number = office.produces("another_wish").await;
    let done = ["done", "yes", "yes"];
    for row in office.sees(&number, [done, done]).await {
        let page = office.agent.reads(&format!("/care/purchases/{}", row.id)).await;
        assert!(page.contains("Nothing went wrong.") && !page.contains("data-finding"), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_status_is_put_right_by_the_channels_own_evidence() {
    let office = Office::opens().await;
    let number = office.produces("wrong_status").await;
    let [row] = office.sees(&number, [["declined", "no", "no"]]).await;
    office.is_told(&row, "show_subscriber", "the channel gives nothing back by itself").await;
    office.books(&row, "charged once, not granted — but the journal says declined").await;
    office.does(&row, "mark_paid", &[("evidence", "the statement's line 7")]).await;
    office.sees(&number, [["done", "yes", "yes"]]).await;
    office.books(&row, "charged once, granted once").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_package_that_runs_otherwise_than_it_was_sold_is_flagged() {
    let office = Office::opens().await;
    let number = office.produces("wrong_duration").await;
    let [row] = office.sees(&number, [["done", "yes", "yes"]]).await;
    office.is_told(&row, "contact_paygate", "data-finding=\"duration\"").await;
    office.is_told(&row, "contact_paygate", "Sold for 30 days").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_leaves_a_visitors_own_switches_as_they_were() {
    let office = Office::opens().await;
    office.visit.post("/faults", json!({ "switch": "charge_answer_lost", "setting": "always" })).await;
    let switches = office.visit.state().await["switches"].clone();
    let number = office.produces("wrong_account").await;
    office.sees(&number, [["refused", "no", "no"]]).await;
    assert_eq!(office.visit.state().await["switches"], switches);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_produces_a_case_and_follows_its_link_to_the_care_page() {
    let visit = Visit::start().await;
    let browser = Browser::start(1440, 900).await;
    browser.open(&visit.url("/")).await;
    browser.sees("#people li").await;
    assert_eq!(browser.runs("return document.querySelectorAll('#people li').length").await, 4);
    browser.clicks("[data-case=no_money]").await;
    browser.sees("#case-link").await;
    let link = browser.runs("return document.getElementById('case-link').href").await;
    let password = browser.reads("#people li:first-child code").await;
    browser.open(link.as_str().unwrap()).await;
    browser.types("input[name=name]", "agent").await;
    browser.types("input[name=password]", &password).await;
    browser.clicks("form button").await;
    browser.open(link.as_str().unwrap()).await;
    browser.sees("tr[data-state=declined]").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}
