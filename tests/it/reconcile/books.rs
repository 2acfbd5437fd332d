//! The double entries of a day, for any day there may be: they balance, the channel's account says what its statement
//! does, and the suspense is what nobody has explained.

use paygate::journal::reconciliation::{Closing, DiscrepancyRow, Group, Settled, Standing};
use paygate::purchase::money::Currency;
use paygate::reconcile::books::{Account, Books, effect};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn settled() -> impl Strategy<Value = Settled> {
    let amount = 0..1_000_000_i64;
    (0..3_u8, 0..3_u8, amount.clone(), amount.clone(), amount.clone(), amount).prop_map(
        |(package, currency, granted, returned, owed, refunded)| {
            let currency = Currency::try_from(["VND", "USD", "LAK"][usize::from(currency)].to_owned()).unwrap();
            let group = Group {
                short_code: "9029".to_owned(),
                service: "VIP".to_owned(),
                package: format!("NAP{package}"),
                currency,
            };
            Settled { charged: granted + returned + owed, granted, returned, refunded, ..Settled::of(group) }
        },
    )
}

fn discrepancy() -> impl Strategy<Value = DiscrepancyRow> {
    let standing = prop::sample::select(vec![
        Standing::Long,
        Standing::Short,
        Standing::Differs,
        Standing::Duplicate,
        Standing::Carried,
        Standing::Weak,
        Standing::Reversal,
        Standing::Unreturned,
    ]);
    let closing = prop::option::of(prop::sample::select(vec![Closing::Agreed, Closing::Explained]));
    (standing, closing, -100_000..100_000_i64, -100_000..100_000_i64).prop_map(|(standing, closing, theirs, ours)| {
        DiscrepancyRow {
            number: 1,
            statement: 1,
            channel: "viettel".to_owned(),
            day: "2026-11-24".to_owned(),
            version: 1,
            row: None,
            standing,
            purchase: None,
            charge_key: None,
            theirs,
            ours,
            currency: Some(Currency::VND),
            note: String::new(),
            owner: "accounting".to_owned(),
            opened_at: 0,
            closed: closing.map(|closing| (1, closing)),
            reference: None,
            msisdn: None,
            at: None,
        }
    })
}

proptest! {
    #[test]
    fn the_accounts_balance_and_the_suspense_is_what_nobody_explained(
        groups in prop::collection::vec(settled(), 0..20),
        rows in prop::collection::vec(discrepancy(), 0..20),
        unlisted in 0..1_000_000_i64,
    ) {
        let mut books = Books::default();
        books.settle("viettel", &groups);
        books.explain("viettel", &rows);
        books.not_listed("viettel", &BTreeMap::from([(Currency::VND, unlisted)]));
        prop_assert!(books.balances());
        let in_dong = groups.iter().filter(|one| one.group.currency == Currency::VND);
        let journal: i64 = in_dong.clone().map(|one| one.charged - one.refunded).sum();
        let all: i64 = rows.iter().map(effect).sum();
        let balance = |account| books.balance(Currency::VND, &account);
        prop_assert_eq!(balance(Account::Channel("viettel".to_owned())), journal + all + unlisted);
        prop_assert_eq!(balance(Account::NotListed), -unlisted);
        prop_assert_eq!(balance(Account::OwedGrants), -in_dong.map(Settled::owed).sum::<i64>());
        let of = |wanted: fn(&DiscrepancyRow) -> bool| rows.iter().filter(|row| wanted(row)).map(effect).sum::<i64>();
        prop_assert_eq!(balance(Account::Suspense), -of(|row| row.closed.is_none() && row.standing != Standing::Carried));
        prop_assert_eq!(balance(Account::Explained), -of(|row| matches!(row.closed, Some((_, Closing::Explained)))));
    }
}
