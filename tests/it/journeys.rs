//! Whole journeys of subscribers through a real daemon, its real store and simulated neighbours.

mod advice;
mod again;
mod answering;
mod asking;
mod bank;
mod channels;
mod charge_faults;
mod doors;
mod failover;
mod links;
mod order_events;
mod order_links;
mod orders;
mod outages;
mod package_faults;
mod partners;
mod parts;
mod refused;
