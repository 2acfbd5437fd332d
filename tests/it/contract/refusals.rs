//! What the driver concludes from each refusal, endpoint by endpoint, as one printed table: every code of CAMARA's
//! scenarios, the YAML's other spellings, and what no table has. A line here is a promise about money.

use super::operator::{Operator, continued, golden, order, refund_order, words};
use super::scenarios::{Op, Ours, all};
use futures_util::{StreamExt, stream};
use paygate::charging::{ChargeOrder, RefundOrder};
use paygate::http_client::HttpClient;
use paygate::purchase::evidence::{ChannelAnswer, Finding};
use paygate::sandbox::billing::{Endpoint, Settings};
use paygate::sandbox::faults::Fault;

/// Codes that the YAML has and no scenario plays, and answers that nobody's table has.
const OTHERS: [(&[Op], u16, &str); 14] = [
    (&[Op::Validate, Op::Confirm, Op::Cancel], 409, "ALREADY_EXISTS"),
    (&[Op::Create, Op::Prepare], 422, "CARRIER_BILLING.USER_AMOUNT_THRESHOLD_OVERPASSED"),
    (&[Op::Refund], 422, "CARRIER_BILLING_REFUND.USER_AMOUNT_THRESHOLD_OVERPASSED"),
    (&[Op::Create, Op::Prepare], 400, "OUT_OF_RANGE"),
    (&[Op::ListRefunds], 404, "NOT_FOUND"),
    (EVERY, 400, "SOMETHING_NEW"),
    (EVERY, 403, "CARRIER_BILLING.SOMETHING_NEW"),
    (EVERY, 418, "PAYMENT_DENIED"),
    (EVERY, 302, "MOVED"),
    (EVERY, 500, "INTERNAL"),
    (EVERY, 501, "NOT_IMPLEMENTED"),
    (EVERY, 502, "PAYMENT_DENIED"),
    (EVERY, 503, "UNAVAILABLE"),
    (EVERY, 504, "TIMEOUT"),
];

const EVERY: &[Op] = &[
    Op::Create,
    Op::Prepare,
    Op::Validate,
    Op::Confirm,
    Op::Cancel,
    Op::Get,
    Op::List,
    Op::Refund,
    Op::GetRefund,
    Op::ListRefunds,
];

#[tokio::test]
async fn each_refusal_proves_what_the_mapping_says_and_no_more() {
    let mut cases: Vec<(Op, u16, String)> = Vec::new();
    for scenario in all().into_iter().filter(|scenario| matches!(scenario.ours, Ours::Refusal)) {
        cases.push((scenario.op(), scenario.status, scenario.code.to_owned()));
    }
    for (ops, status, code) in OTHERS {
        cases.extend(ops.iter().map(|op| (*op, status, code.to_owned())));
    }
    cases.sort_unstable();
    cases.dedup();
    let client = HttpClient::new().unwrap();
    let lines = stream::iter(cases).map(|(op, status, code)| line(client.clone(), op, status, code)).buffered(8);
    let lines: Vec<String> = lines.collect().await;
    golden("camara_refusals.txt", &(lines.join("\n") + "\n"));
}

async fn line(client: HttpClient, op: Op, status: u16, code: String) -> String {
    let first = concluded(client.clone(), op, status, &code, 1).await;
    let repeat = concluded(client, op, status, &code, 2).await;
    let name = format!("{op:?} {status} {code}");
    if first == repeat { format!("{name:<70} {first}") } else { format!("{name:<70} {first} | on a repeat: {repeat}") }
}

/// The finding, with the books as witness that it is true.
async fn concluded(client: HttpClient, op: Op, status: u16, code: &str, sends: u32) -> String {
    let settings = Settings { texts_codes: op == Op::Validate, ..Settings::default() };
    let operator = Operator::using(client, settings, |config| config.one_step = op == Op::Create).await;
    let ready = prepared(&operator, op, sends).await;
    operator.fault(endpoint(op), Fault::Refuse { status, code: code.to_owned() });
    let answer = called(&operator, op, &ready, sends).await;
    let debits = operator.billing.debits("k1");
    match &answer.finding {
        Finding::Charged { .. } => assert_eq!(debits, 1),
        Finding::NotCharged(_) | Finding::WrongCode(_) | Finding::NotSent { .. } => {
            assert!(debits == 0 || op == Op::Refund, "{op:?} {status} {code}: {answer:?} of a charge that was made");
        }
        Finding::Refunded { .. } => assert_eq!(operator.billing.refunds("r1"), 1),
        Finding::NotRefunded(_) => assert_eq!(operator.billing.refunds("r1"), 0),
        Finding::CodeSent
        | Finding::Reserved
        | Finding::AwaitsPayment { .. }
        | Finding::NotFound
        | Finding::Unknown { .. } => {}
    }
    words(&answer.finding)
}

/// What stands before the call.
async fn prepared(operator: &Operator, op: Op, sends: u32) -> ChargeOrder {
    match op {
        Op::Create | Op::Prepare | Op::Confirm | Op::List => ChargeOrder { sends, ..order("k1") },
        Op::Validate => {
            let answer = operator.driver.prepare(&order("k1")).await;
            ChargeOrder { code: Some("123456".to_owned()), sends, ..continued(order("k1"), answer) }
        }
        Op::Cancel => continued(order("k1"), operator.driver.prepare(&order("k1")).await),
        Op::Get | Op::Refund | Op::GetRefund | Op::ListRefunds | Op::Remaining => operator.charged("k1").await,
    }
}

async fn called(operator: &Operator, op: Op, order: &ChargeOrder, sends: u32) -> ChannelAnswer {
    let driver = &operator.driver;
    let refund = RefundOrder { sends, ..refund_order("r1", order) };
    match op {
        Op::Create | Op::Validate | Op::Confirm => driver.charge(order).await,
        Op::Prepare => driver.prepare(order).await,
        Op::Cancel => driver.cancel(order).await,
        Op::Get | Op::List => driver.inquire(order).await,
        Op::Refund => driver.refund(&refund).await,
        Op::GetRefund => {
            let handle = driver.refund(&RefundOrder { sends: 1, ..refund.clone() }).await.handle;
            driver.inquire_refund(&RefundOrder { handle, ..refund }).await
        }
        Op::ListRefunds | Op::Remaining => driver.inquire_refund(&refund).await,
    }
}

const fn endpoint(op: Op) -> Endpoint {
    match op {
        Op::Create => Endpoint::CreatePayment,
        Op::Prepare => Endpoint::PreparePayment,
        Op::Validate => Endpoint::ValidatePayment,
        Op::Confirm => Endpoint::ConfirmPayment,
        Op::Cancel => Endpoint::CancelPayment,
        Op::Get => Endpoint::RetrievePayment,
        Op::List => Endpoint::RetrievePayments,
        Op::Refund => Endpoint::CreateRefund,
        Op::GetRefund => Endpoint::RetrieveRefund,
        Op::ListRefunds => Endpoint::RetrieveRefunds,
        Op::Remaining => Endpoint::RetrievePaymentRemainingAmount,
    }
}
