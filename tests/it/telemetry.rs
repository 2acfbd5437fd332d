//! What operators are promised, held against the source and the files beside it.

use paygate::telemetry::message_ids;
use paygate::telemetry::metrics::{COUNTERS, GAUGES, HISTOGRAMS};
use std::collections::BTreeSet;
use std::path::Path;

/// Every Rust file under `folder`.
fn source(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &source(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text += &std::fs::read_to_string(&path).unwrap();
        }
    }
    text
}

#[test]
fn every_metric_in_the_source_is_described() {
    let source = source(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let literals = source.split("\"paygate_").skip(1).filter_map(|rest| rest.split('"').next());
    let names = literals.filter(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
    let named: BTreeSet<String> = names.map(|name| format!("paygate_{name}")).collect();
    let described: BTreeSet<String> =
        [&COUNTERS[..], &GAUGES, &HISTOGRAMS].concat().iter().map(|(name, _)| (*name).to_owned()).collect();
    assert!(named.len() > 10, "the search is broken: {named:?}");
    assert_eq!(named.difference(&described).collect::<Vec<_>>(), [""; 0], "describe these in telemetry/metrics.rs");
    for (name, _) in COUNTERS {
        assert!(name.ends_with("_total"), "{name}");
    }
    for (name, _) in HISTOGRAMS {
        assert!(name.ends_with("_seconds"), "{name}");
    }
}

#[test]
fn every_fixed_record_has_its_page_in_the_catalogue() {
    let catalogue = include_str!("../../systemd/paygate.catalog");
    for (name, id) in message_ids::ALL {
        assert!(id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{name}");
        assert_eq!(catalogue.matches(&format!("-- {id}\n")).count(), 1, "{name} {id}");
    }
    let ids: BTreeSet<&str> = message_ids::ALL.iter().map(|(_, id)| *id).collect();
    assert_eq!(ids.len(), message_ids::ALL.len(), "no two records are one");
    assert_eq!(catalogue.matches("\nSubject: ").count(), message_ids::ALL.len());
}

#[test]
fn every_fixed_record_is_told_somewhere() {
    let source = source(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    for (name, _) in message_ids::ALL {
        let constant = name.replace('-', "_").to_uppercase();
        assert!(source.contains(&format!("message_ids::{constant}")), "nothing tells {constant}");
    }
}
