//! The care page as its people have it: over HTTP, beside a real daemon, and in a browser. Each rule that protects numbers,
//! sessions and acts has its test here.

mod acting;
mod journey;
mod looking;
mod people;
mod statements;
pub(crate) mod visitor;

use crate::stores::Store;
use crate::world::{Plan, World};
use visitor::Visitor;

/// A world whose daemon has the page. `keys` stand in its section.
fn plan(store: Store, keys: &str) -> Plan {
    World::of(store).set(&format!("[care]\n{keys}"))
}

/// Somebody of this role, logged in at the first daemon; their name is the role's.
async fn logged_in(world: &World, role: &str) -> Visitor {
    visitor::account(world, role, role).await;
    let visitor = Visitor::at(world);
    visitor.logs_in(role).await;
    visitor
}
