//! USSD gateways: which one stands at the end of a link, and one task for each that paygate connects to by itself, with how
//! it stands. Knows nothing of what a screen says.

use super::links::Starter;
use crate::config::{Config, Ussd, UssdKind, UssdLine};
use crate::http::{Part, Readiness};
use crate::smpp::UssdLink;
use crate::ussd::Dialogues;
use crate::ussd::line::{self, Health, LineSettings};
use tokio::sync::watch;

/// The gateway at the end of an SMPP link, if there is one.
pub(super) fn of_link(config: &Config, link: &str) -> Option<UssdLink> {
    config.ussd.iter().find_map(|(name, ussd)| match &ussd.kind {
        UssdKind::Smpp(smpp) if ussd.link == link => Some(UssdLink {
            gateway: name.clone(),
            dialect: smpp.dialect,
            concurrency: smpp.concurrency,
            screen_ttl: smpp.screen_ttl,
        }),
        UssdKind::Smpp(_) | UssdKind::Http(_) | UssdKind::Line(_) => None,
    })
}

/// Those that paygate connects to, by their names on the readiness page.
pub(super) fn parts(config: &Config) -> impl Iterator<Item = String> {
    lines(config).map(|(name, _)| part_name(name))
}

pub(super) fn part_name(name: &str) -> String {
    format!("ussd {name}")
}

pub(super) fn start(config: &Config, menus: &Dialogues, starter: &Starter<'_>) {
    for (name, line) in lines(config) {
        let (health, changes) = watch::channel(Health::Down);
        starter.tasks.spawn(line::run(settings(name, line), menus.clone(), health, starter.stop.clone()));
        starter.tasks.spawn(follow(part_name(name), changes, starter.readiness.clone()));
    }
}

pub(super) fn lines(config: &Config) -> impl Iterator<Item = (&str, &UssdLine)> {
    config.ussd.iter().filter_map(|(name, Ussd { kind, .. })| match kind {
        UssdKind::Line(line) => Some((name.as_str(), line)),
        UssdKind::Smpp(_) | UssdKind::Http(_) => None,
    })
}

pub(super) fn settings(name: &str, line: &UssdLine) -> LineSettings {
    LineSettings {
        keep_alive: line.keep_alive,
        silence_max: line.silence_max,
        login_timeout: line.login_timeout,
        concurrency: line.concurrency,
        line_max: line.line_max,
        reconnect_min: line.reconnect_min,
        reconnect_max: line.reconnect_max,
        refused_max: line.refused_max,
        ..LineSettings::new(name, &line.address, &line.spid, line.password.clone())
    }
}

async fn follow(part: String, mut changes: watch::Receiver<Health>, readiness: watch::Sender<Readiness>) {
    loop {
        let state = match *changes.borrow_and_update() {
            Health::LoggedIn { .. } => Part::Ready,
            Health::Down => Part::Missing("down".to_owned()),
            Health::LoggingIn => Part::Missing("logging in".to_owned()),
            Health::Refused { code } => Part::Missing(format!("refused with error {code}")),
        };
        super::mark(&readiness, &part, state);
        if changes.changed().await.is_err() {
            return;
        }
    }
}
