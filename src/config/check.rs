//! What must agree between sections. Says nothing where a part is missing or wrong by itself: that is told already.

use super::section::Section;
use super::ussd;
use super::{App, Bind, Config, LinkKind, Partner, Smsc};
use paygate_parsers::msisdn::Country;
use secrecy::ExposeSecret;

pub(super) fn check(config: &Config, root: &Section<'_>) {
    if config.charging.is_empty() && !root.told("charging") {
        root.fault("charging", "has no channel", "expected at least one [charging.NAME]");
    }
    if config.smsc.is_empty() && !root.told("smsc") {
        root.fault("smsc", "has no link", "expected at least one [[smsc]]");
    }
    words_can_be_understood(config, root);
    care_is_reached_safely(config, root);
    for (name, app) in &config.app {
        app_can_be_served(config, name, app, root);
    }
    for (name, partner) in &config.partner {
        partner_is_reached_rightly(config, name, partner, root);
    }
    for name in config.statement.keys() {
        statement_is_of_a_channel(config, name, root);
    }
    ussd::check(config, root);
    for (index, smsc) in config.smsc.iter().enumerate() {
        channel_is_known(config, smsc, index, root);
        short_codes_are_given(smsc, index, root);
        name_is_shared_rightly(config, smsc, index, root);
    }
}

fn words_can_be_understood(config: &Config, root: &Section<'_>) {
    let Ok(country) = Country::new(&config.purchase.country_code) else { return };
    for problem in config.syntax.faults(&country) {
        root.fault("syntax", problem, "expected words that a subscriber can write and that mean one thing");
    }
}

fn channel_is_known(config: &Config, smsc: &Smsc, index: usize, root: &Section<'_>) {
    if smsc.charging.is_empty() || config.charging.is_empty() || config.charging.contains_key(&smsc.charging) {
        return;
    }
    let known: Vec<&str> = config.charging.keys().map(String::as_str).collect();
    let problem = format!("{:?} is no channel", smsc.charging);
    root.fault(&format!("smsc[{index}].charging"), problem, format!("expected one of: {}", known.join(", ")));
}

fn app_can_be_served(config: &Config, name: &str, app: &App, root: &Section<'_>) {
    if app.wait >= config.http.request_timeout {
        let remedy = "expected less than [http] request_timeout, which ends the request that waits";
        root.fault(&format!("app.{name}.wait"), "is too long", remedy);
    }
    let token = app.token.expose_secret();
    let namesake = config.app.iter().find(|(other, app)| other.as_str() < name && app.token.expose_secret() == token);
    if let Some((other, _)) = namesake.filter(|_| !token.is_empty()) {
        root.fault(
            &format!("app.{name}.token"),
            format!("is the token of app.{other}, too"),
            "expected one of its own, since an app is known by it",
        );
    }
    link_is_known(config, app.link.as_deref(), &format!("app.{name}.link"), root);
}

fn statement_is_of_a_channel(config: &Config, name: &str, root: &Section<'_>) {
    let known: Vec<&str> = config.charging.keys().chain(config.partner.keys()).map(String::as_str).collect();
    if !known.is_empty() && !known.contains(&name) {
        let remedy = format!("expected one of: {}", known.join(", "));
        root.fault(&format!("statement.{name}"), "is of no channel", remedy);
    }
}

/// On a network the page is behind TLS, and says by which name.
fn care_is_reached_safely(config: &Config, root: &Section<'_>) {
    let exposed = !config.http.listen.ip().is_loopback();
    let unnamed = config.care.as_ref().is_some_and(|care| care.origin.is_none());
    if exposed && unnamed && !root.told("care.origin") {
        let problem = format!("is missing, and [http] listen = {} is on a network", config.http.listen);
        root.fault("care.origin", problem, "expected how browsers reach the page through TLS: \"https://HOST\"");
    }
}

fn partner_is_reached_rightly(config: &Config, name: &str, partner: &Partner, root: &Section<'_>) {
    if name.is_empty() || name.len() > 64 || !name.bytes().all(|octet| octet.is_ascii_graphic()) {
        let remedy = "expected 1 to 64 letters, digits or marks: the partner sends it as X-Partner";
        root.fault(&format!("partner.{name}"), "has a name that no header can hold", remedy);
    }
    link_is_known(config, partner.link.as_deref(), &format!("partner.{name}.link"), root);
}

/// The link by which an app's, a partner's or a gateway's subscribers are told.
pub(super) fn link_is_known(config: &Config, link: Option<&str>, key: &str, root: &Section<'_>) {
    let Some(link) = link else { return };
    if !config.smsc.is_empty() && !config.smsc.iter().any(|smsc| smsc.name == link) {
        let known: Vec<&str> = config.smsc.iter().map(|smsc| smsc.name.as_str()).collect();
        root.fault(key, format!("{link:?} is no link"), format!("expected one of: {}", known.join(", ")));
    }
}

fn short_codes_are_given(smsc: &Smsc, index: usize, root: &Section<'_>) {
    let mut sorted = smsc.short_codes.clone();
    sorted.sort();
    if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        root.fault(&format!("smsc[{index}].short_codes"), format!("{:?} stands twice", twice[0]), "expected it once");
    }
}

/// One SMSC may be reached by a receiver and a transmitter; otherwise a name is one link.
fn name_is_shared_rightly(config: &Config, smsc: &Smsc, index: usize, root: &Section<'_>) {
    let namesakes: Vec<(usize, &Smsc)> =
        config.smsc.iter().enumerate().filter(|(at, other)| *at != index && other.name == smsc.name).collect();
    let first_of_name = namesakes.iter().all(|(at, _)| *at > index);
    match (bind(smsc), namesakes.as_slice()) {
        _ if smsc.name.is_empty() => {}
        (Some(Bind::Receiver), []) => root.fault(
            &format!("smsc[{index}].bind"),
            "a receiver alone cannot send replies",
            format!("expected a second [[smsc]] named {:?} with bind = \"transmitter\"", smsc.name),
        ),
        (_, []) => {}
        (Some(own), [(_, other)]) if pairs(own, bind(other)) => {
            if !first_of_name && (smsc.charging != other.charging || smsc.short_codes != other.short_codes) {
                root.fault(
                    &format!("smsc[{index}]"),
                    format!("differs from the other {:?} in charging or short_codes", smsc.name),
                    "expected both binds of one SMSC to say the same",
                );
            }
        }
        (_, _) if first_of_name => {}
        (_, _) => root.fault(
            &format!("smsc[{index}].name"),
            format!("{:?} is taken", smsc.name),
            "expected another name; only a receiver and a transmitter of one SMSC share theirs",
        ),
    }
}

fn bind(smsc: &Smsc) -> Option<Bind> {
    match &smsc.kind {
        LinkKind::Smpp(link) => Some(link.bind),
        LinkKind::Kannel(_) => None,
    }
}

fn pairs(own: Bind, other: Option<Bind>) -> bool {
    matches!((own, other), (Bind::Receiver, Some(Bind::Transmitter)) | (Bind::Transmitter, Some(Bind::Receiver)))
}
