//! The table of advice by reason, with the texts that follow from it, held against its golden text.

use super::sample::{MINUTE, after, allowed, rules};
use paygate::config::{Otp, REASONS};
use paygate::purchase::evidence::{Advice, Decline, Reason};
use paygate::purchase::input::{Input, Notice};
use paygate::purchase::record::{Purchase, Retry};
use paygate::replies::Replies;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Advice that a channel's code gives otherwise than its reason's default (charging.md §3.4).
const OTHERWISE: [Decline; 6] = [
    Decline::new(Reason::Declined, Advice::Stop),
    Decline::new(Reason::Limit, Advice::Stop),
    Decline::new(Reason::Blocked, Advice::Stop),
    Decline::new(Reason::Cancelled, Advice::NewCode),
    Decline::new(Reason::NoMoney, Advice::CallOperator),
    Decline::new(Reason::Limit, Advice::CallOperator),
];

fn texts() -> Replies {
    Replies::new(&BTreeMap::new(), "18001090", "ON", "HUY").unwrap()
}

fn put_off(decline: Decline) -> Purchase {
    let (mut purchase, now) = after(&rules(Otp::Gateway), &[Input::Asked, allowed(), Input::CodeRight]);
    purchase.retry = Some(Retry { attempt: 2, at: now + 4 * 60 * MINUTE, decline });
    purchase
}

#[test]
fn each_reason_has_one_advice_and_each_text_follows_the_advice() {
    let replies = texts();
    let mut table = String::from(
        "What is advised about each reason (1 stop, 2 wait, 3 call the operator, 4 another account, 5 a new code,\n\
         6 technical), and what the subscriber reads; \"put off\" where it is tried again by itself. Below the rule:\n\
         codes that advise otherwise.\n\n",
    );
    let all = Reason::ALL.map(Decline::of).into_iter().map(Some).chain([None]).chain(OTHERWISE.map(Some));
    for decline in all {
        let Some(decline) = decline else {
            table += "---\n";
            continue;
        };
        let purchase = put_off(decline);
        let _ = writeln!(table, "{} {}", decline.advice.number(), decline.reason.as_str());
        let _ = writeln!(table, "    {}", replies.notice(Notice::Declined { decline }, &purchase));
        if decline.advice == Advice::Wait {
            let _ = writeln!(table, "    put off: {}", replies.notice(Notice::PutOff { decline }, &purchase));
        }
    }
    crate::contract::golden("advice.txt", &table);
}

#[test]
fn no_text_about_a_refusal_asks_for_the_money_again_or_speaks_of_two_charges() {
    let replies = texts();
    for (reason, advice) in Reason::ALL.iter().flat_map(|reason| Advice::ALL.map(|advice| (*reason, advice))) {
        let decline = Decline::new(reason, advice);
        for notice in [Notice::Declined { decline }, Notice::PutOff { decline }] {
            let text = replies.notice(notice, &put_off(decline));
            assert!(text.contains("hua bi tru tien"), "{reason:?} {advice:?}: {text}");
            assert!(!text.contains("hai lan") && !text.contains('{') && text.len() <= 160, "{text}");
        }
    }
}

#[test]
fn a_reason_is_spelled_alike_in_the_journal_the_configuration_and_the_table() {
    assert_eq!(Reason::ALL.map(Reason::as_str), REASONS);
    for reason in Reason::ALL {
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
    }
    for advice in Advice::ALL {
        assert_eq!(serde_json::to_value(advice).unwrap(), advice.as_str());
    }
    assert_eq!(Advice::ALL.map(Advice::number), [1, 2, 3, 4, 5, 6]);
}
