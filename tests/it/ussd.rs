//! Dialogues over real sockets: what a phone shows, and that money moves once whatever becomes of the dialogue.

mod at_once;
mod door;
mod dying;
mod once;
mod purchase;

use crate::world::World;

/// What the metrics page counts of the aggregator's steps with this outcome, of all tests of this process together.
async fn counted(world: &World, outcome: &str) -> u64 {
    let page = reqwest::get(world.door("/metrics")).await.unwrap().text().await.unwrap();
    let name = format!("paygate_ussd_hops_total{{gateway=\"aggregator\",outcome=\"{outcome}\"}} ");
    page.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap_or(0)
}
