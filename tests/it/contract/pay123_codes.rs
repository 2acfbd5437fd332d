//! What the driver concludes from each code of 123PAY, over a real socket, as one printed table: createOrder's refusals,
//! queryOrder's, and every status of an order. A line here is a promise about money.

use super::operator::{golden, order, words};
use super::shop::Shop;
use futures_util::{StreamExt, stream};
use paygate::charging::pay123::codes::{Place, ROWS};
use paygate::http_client::HttpClient;
use paygate::purchase::evidence::Finding;
use paygate::sandbox::faults::Fault;
use paygate::sandbox::pay123::Endpoint;

/// Codes that no table has.
const OTHERS: [(Place, &str); 8] = [
    (Place::CreateOrder, "9999"),
    (Place::CreateOrder, "-1"),
    (Place::CreateOrder, "20"),
    (Place::QueryOrder, "9999"),
    (Place::QueryOrder, "-10"),
    (Place::QueryOrder, "7201"),
    (Place::Status, "2"),
    (Place::Status, "01"),
];

#[tokio::test]
async fn each_code_proves_what_the_mapping_says_and_no_more() {
    let rows = ROWS.iter().map(|row| (row.place, row.code, row.means));
    let others = OTHERS.into_iter().map(|(place, code)| (place, code, "in no table"));
    let client = HttpClient::new().unwrap();
    let lines = stream::iter(rows.chain(others)).map(|row| line(client.clone(), row)).buffered(8);
    let lines: Vec<String> = lines.collect().await;
    golden("pay123_codes.txt", &(lines.join("\n") + "\n"));
}

async fn line(client: HttpClient, (place, code, means): (Place, &str, &str)) -> String {
    let shop = Shop::with(client, |_| {}, |_| {}).await;
    let refusal = Fault::Refuse { status: 200, code: code.to_owned() };
    let answer = match place {
        Place::CreateOrder => {
            shop.fault(Endpoint::CreateOrder, refusal);
            shop.driver.charge(&order("k1")).await
        }
        Place::QueryOrder => {
            let order = shop.ordered(order("k1")).await;
            shop.fault(Endpoint::QueryOrder, refusal);
            shop.driver.inquire(&order).await
        }
        Place::Status => {
            let order = shop.ordered(order("k1")).await;
            assert!(shop.pay123.set_status("k1", code));
            shop.driver.inquire(&order).await
        }
    };
    match answer.finding {
        Finding::Charged { .. } => assert_eq!(shop.pay123.debits("k1"), 1, "{code}"),
        _ => assert_eq!(shop.pay123.debits("k1"), 0, "{code}"),
    }
    assert!(answer.heard.contains(code), "{code} is not in {:?}", answer.heard);
    format!("{:<11} {code:<5} {means:<52} {}", format!("{place:?}"), words(&answer.finding))
}
