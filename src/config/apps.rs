//! `[app.NAME]`: the apps that may order, once for each.

use super::App;
use super::doors::short_code;
use super::duration::{MINUTE, MS, SECOND};
use super::section::Section;
use secrecy::SecretString;
use std::collections::BTreeMap;

pub(super) fn apps(root: &mut Section<'_>) -> BTreeMap<String, App> {
    root.section("app", |section| {
        let names = section.names();
        names.into_iter().map(|name| section.section(&name.clone(), |at| (name, App::read(at)))).collect()
    })
}

impl App {
    fn read(section: &mut Section<'_>) -> Self {
        Self {
            token: section
                .required("token", SecretString::default(), "the token that the app sends", |at| at.secret("token")),
            link: section.text("link", 1..=64),
            short_code: section.parsed("short_code", "a short code of 1 to 20 letters or digits", short_code),
            wait: section.duration("wait", 100 * MS..=5 * MINUTE).unwrap_or(8 * SECOND),
            events_max: section.integer("events_max", 1..=65_536).unwrap_or(100),
            poll: section.duration("poll", 10 * MS..=MINUTE).unwrap_or(SECOND),
            keep_alive: section.duration("keep_alive", 100 * MS..=5 * MINUTE).unwrap_or(15 * SECOND),
            rate: section.integer("rate", 1..=100_000).unwrap_or(50),
        }
    }
}
