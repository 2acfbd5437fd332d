//! CAMARA's own scenarios (Carrier Billing 0.5, Refund 0.3), each played raw against the simulator: it must answer as the
//! Gherkin says, or nothing that is proven with it would mean anything. What paygate's driver makes of each refusal is in
//! `refusals`; how each scenario is covered is in tests/golden/camara_scenarios.txt.

mod alike;
mod deciding;
mod opening;
mod reading;
mod refunding;
mod stage;

use super::operator::golden;
use deciding::{deciding, validating};
use futures_util::future::join_all;
use opening::{opened, opening};
use paygate::sandbox::billing::Settings;
use reading::{listing, reading, statuses};
use refunding::{refunding, refusing_refunds, remaining};
use reqwest::Client;
use serde_json::{Value, json};
use stage::play;

/// Every scenario's id, as the feature files of CAMARA's release r3.2 have them.
const IDS: &str = include_str!("scenario_ids.txt");

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Op {
    Create,
    Prepare,
    Validate,
    Confirm,
    Cancel,
    Get,
    List,
    Refund,
    GetRefund,
    ListRefunds,
    Remaining,
}

/// How paygate's own side of it is covered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ours {
    /// A refusal: the driver's finding is in tests/golden/camara_refusals.txt.
    Refusal,
    /// The driver does this in `billing_flow`.
    Flow,
    /// Not ours, and why.
    Never(&'static str),
}

#[derive(Clone, Debug)]
enum Edit {
    Set(&'static str, Value),
    Without(&'static str),
    Body(&'static str),
    Token(Option<&'static str>),
    Correlator(&'static str),
    Query(String),
    UnknownId,
}

#[derive(Clone)]
enum Check {
    Is(&'static str, Value),
    Echoes(&'static str),
    Absent(&'static str),
    Present(&'static str),
    Length(usize),
    Each(&'static str, Value),
    Ascending(bool),
}

#[derive(Clone)]
struct Step {
    op: Op,
    edits: Vec<Edit>,
}

const fn plain(op: Op) -> Step {
    Step { op, edits: Vec::new() }
}

/// What stands where a scenario says nothing else.
fn standing(op: Op) -> Vec<Step> {
    match op {
        Op::Create | Op::Prepare => vec![],
        Op::Validate | Op::Confirm | Op::Cancel | Op::Get => vec![plain(Op::Prepare)],
        Op::List => vec![plain(Op::Create); 7],
        Op::Refund | Op::Remaining => vec![plain(Op::Create)],
        Op::GetRefund => vec![plain(Op::Create), plain(Op::Refund)],
        Op::ListRefunds => [vec![plain(Op::Create)], vec![partial(); 7]].concat(),
    }
}

/// A refund of a part.
fn partial() -> Step {
    Step { op: Op::Refund, edits: part() }
}

fn part() -> Vec<Edit> {
    let charging = json!({"amount": 100, "currency": "VND", "description": "a part", "isTaxIncluded": true});
    vec![
        Edit::Set("/type", json!("partial")),
        Edit::Set("/amountTransaction/refundAmount/chargingInformation", charging),
    ]
}

#[derive(Clone)]
pub(super) struct Scenario {
    pub(super) id: String,
    settings: fn(&mut Settings),
    /// What stands before the step.
    standing: Vec<Step>,
    step: Step,
    pub(super) status: u16,
    pub(super) code: &'static str,
    checks: Vec<Check>,
    pub(super) ours: Ours,
}

const PHONE: &str = "/amountTransaction/phoneNumber";
const CORRELATOR: &str = "/amountTransaction/clientCorrelator";
const REFERENCE: &str = "/amountTransaction/referenceCode";
const TAX_INCLUDED: &str = "/amountTransaction/paymentAmount/chargingInformation/isTaxIncluded";
const DETAILS: &str = "/amountTransaction/paymentAmount/paymentDetails";
const THREE_LEGGED: &str = "subscribers-token";

fn at(op: Op, id: impl Into<String>) -> Scenario {
    let status = match op {
        Op::Create | Op::Prepare | Op::Refund => 201,
        Op::Validate => 204,
        Op::Confirm | Op::Cancel => 202,
        Op::Get | Op::List | Op::GetRefund | Op::ListRefunds | Op::Remaining => 200,
    };
    let step = Step { op, edits: Vec::new() };
    let ours = if op == Op::Remaining { NO_PARTS } else { Ours::Flow };
    Scenario {
        id: id.into(),
        settings: |_| {},
        standing: standing(op),
        step,
        status,
        code: "",
        checks: Vec::new(),
        ours,
    }
}

impl Scenario {
    fn edit(mut self, edit: Edit) -> Self {
        self.step.edits.push(edit);
        self
    }

    fn set(self, pointer: &'static str, value: impl Into<Value>) -> Self {
        self.edit(Edit::Set(pointer, value.into()))
    }

    fn without(self, pointer: &'static str) -> Self {
        self.edit(Edit::Without(pointer))
    }

    fn query(self, query: impl Into<String>) -> Self {
        self.edit(Edit::Query(query.into()))
    }

    fn after(mut self, op: Op, edits: Vec<Edit>) -> Self {
        self.standing.push(Step { op, edits });
        self
    }

    fn with(mut self, settings: fn(&mut Settings)) -> Self {
        self.settings = settings;
        self
    }

    fn instead(mut self, standing: Vec<Step>) -> Self {
        self.standing = standing;
        self
    }

    fn three_legged(self) -> Self {
        self.edit(Edit::Token(Some(THREE_LEGGED)))
    }

    fn check(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }

    fn is(self, pointer: &'static str, value: impl Into<Value>) -> Self {
        self.check(Check::Is(pointer, value.into()))
    }

    fn echoes(self, pointer: &'static str) -> Self {
        self.check(Check::Echoes(pointer))
    }

    fn never(mut self, why: &'static str) -> Self {
        self.ours = Ours::Never(why);
        self
    }

    fn refused(mut self, status: u16, code: &'static str) -> Self {
        (self.status, self.code) = (status, code);
        self.ours = if self.step.op == Op::Remaining { NO_PARTS } else { Ours::Refusal };
        self
    }

    pub(super) const fn op(&self) -> Op {
        self.step.op
    }
}

const NO_PARTS: Ours = Ours::Never("paygate gives back whole charges only, so it asks for no remainder");
const TWO_LEGGED: &str = "paygate's token names no subscriber";

/// Every scenario of the eleven files.
pub(super) fn all() -> Vec<Scenario> {
    let groups = [
        opening(Op::Create, "create_payment"),
        opening(Op::Prepare, "prepare_payment"),
        opened(),
        validating(),
        deciding(Op::Confirm, "confirm_payment"),
        deciding(Op::Cancel, "cancel_payment"),
        reading(),
        listing(Op::List, "retrieve_payments", "paymentCreationDate", "CARRIER_BILLING"),
        listing(Op::ListRefunds, "retrieve_refunds", "refundCreationDate", "CARRIER_BILLING_REFUND"),
        statuses(),
        refunding(),
        refusing_refunds(),
        remaining(),
    ];
    groups.into_iter().flatten().collect()
}

#[tokio::test]
async fn the_simulated_operator_plays_every_scenario_of_camara() {
    let client = Client::builder().no_proxy().build().unwrap();
    let playing = all().into_iter().map(|scenario| tokio::spawn(play(scenario, client.clone())));
    let failed = join_all(playing).await.into_iter().filter(Result::is_err).count();
    assert_eq!(failed, 0, "each has said above what was wrong");
}

#[test]
fn no_scenario_of_camara_is_left_out() {
    let mut played: Vec<String> = all().into_iter().map(|scenario| scenario.id).collect();
    played.sort_unstable();
    let mut ids: Vec<&str> = IDS.lines().collect();
    ids.sort_unstable();
    assert_eq!(ids.len(), 237);
    let missing: Vec<_> = ids.iter().filter(|id| !played.iter().any(|one| one == *id)).collect();
    assert!(missing.is_empty(), "no row for {missing:?}");
    assert_eq!(played, ids, "a row that CAMARA does not have, or has once");
}

#[test]
fn how_each_scenario_is_covered_stands_in_one_table() {
    let mut lines: Vec<String> = all().iter().map(covered).collect();
    lines.sort_unstable();
    golden("camara_scenarios.txt", &(lines.join("\n") + "\n"));
}

fn covered(scenario: &Scenario) -> String {
    let ours = match scenario.ours {
        Ours::Refusal => "driver: its finding is in camara_refusals.txt".to_owned(),
        Ours::Flow => "driver: billing_flow.rs".to_owned(),
        Ours::Never(why) => format!("not ours: {why}"),
    };
    format!("{:<90} simulator | {ours}", scenario.id)
}
