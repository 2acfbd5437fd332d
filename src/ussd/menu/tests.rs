//! The menu by itself: every screen as a golden table that a person can read, walks through it, and screens that fit whatever
//! the package manager's names are.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::package_manager::OnSale;
use crate::purchase::money::{Currency, Money};
use crate::ussd::screens::SEPTETS;
use paygate_parsers::text::septets;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write;

fn sold(service: &str, code: &str, name: &str, price: i64, days: i64) -> OnSale {
    let price = Money::new(price, Currency::VND);
    OnSale { service: service.to_owned(), code: code.to_owned(), name: name.to_owned(), price, days }
}

/// A catalogue as there are some: long names, accents, more packages than fit.
fn shop() -> Vec<OnSale> {
    vec![
        sold("VIP", "NAP1", "VIP 30 ngày", 10_000, 30),
        sold("VIP", "NAP7", "VIP 7 ngày", 3_000, 7),
        sold("FILM", "NGAY", "Xem phim không giới hạn trong 1 ngày", 2_000, 1),
        sold("FILM", "TUAN", "Xem phim không giới hạn trong 7 ngày", 7_000, 7),
        sold("FILM", "THANG", "Xem phim không giới hạn trong 30 ngày", 20_000, 30),
        sold("FILM", "QUY", "Xem phim không giới hạn trong 90 ngày", 50_000, 90),
        sold("FILM", "NAM", "Xem phim không giới hạn trong 365 ngày, tặng 30 ngày cho bạn bè", 180_000, 365),
        sold("FILM", "GIADINH", "Gói gia đình", 300_000, 365),
        sold("NHAC", "NGAY", "Nhạc 1 ngày", 1_000, 1),
    ]
}

struct Ground {
    catalogue: Catalogue,
    screens: Screens,
    country: Country,
}

impl Ground {
    fn of(list: Vec<OnSale>) -> Self {
        Self {
            catalogue: Catalogue::new(list, &[]),
            screens: Screens::new(&BTreeMap::new(), "18001090").unwrap(),
            country: Country::new("84").unwrap(),
        }
    }

    fn menu(&self) -> Menu<'_> {
        let own = Msisdn::parse(&self.country, "0912345678").unwrap();
        let (catalogue, screens, country) = (&self.catalogue, &self.screens, &self.country);
        Menu { catalogue, screens, country, account: AccountForm::Number, own }
    }

    /// Where a dialogue stands after these answers, one by one; check-user allows at the list's terms.
    fn after(&self, answers: &[&str]) -> Step {
        let menu = self.menu();
        answers.iter().fold(menu.begin(), |step, answer| {
            let Step::Show { position, .. } = self.checked(step) else { panic!("{answer:?} comes after the end") };
            self.checked(menu.step(&position, answer, true))
        })
    }

    fn dialled(&self, shortcut: &[&str]) -> Step {
        let inputs: Vec<String> = shortcut.iter().map(|input| (*input).to_owned()).collect();
        let menu = self.menu();
        self.checked(menu.walk(menu.begin(), &inputs))
    }

    fn checked(&self, step: Step) -> Step {
        let Step::Check(wanted) = step else { return step };
        let terms =
            Terms { package_name: "VIP 30 ngày".to_owned(), price: Money::new(10_000, Currency::VND), days: 30 };
        let (position, text) = self.menu().consent(&wanted, &terms, "1", None);
        Step::Show { position, text, wrong: false }
    }

    fn reads(&self, answers: &[&str]) -> String {
        text(self.after(answers))
    }
}

fn text(step: Step) -> String {
    match step {
        Step::Show { text, .. } | Step::Over(text) => text,
        Step::Agreed => "agreed".to_owned(),
        Step::Check(wanted) => panic!("{wanted:?} was not checked"),
    }
}

fn at_consent(step: &Step) -> Option<&Wanted> {
    match step {
        Step::Show { position: Position::Consent { wanted, .. }, .. } => Some(wanted),
        _ => None,
    }
}

/// One screen as it is held against the golden table.
fn framed(table: &mut String, title: &str, screen: &str) {
    writeln!(table, "\n{title}  ({} of {SEPTETS})", septets(screen).unwrap()).unwrap();
    for line in screen.lines() {
        writeln!(table, "    | {line}").unwrap();
    }
}

#[test]
fn every_screen_is_the_golden_one() {
    let ground = Ground::of(shop());
    let mut table = "Every screen of the menu, built-in words. `*098#` and the answers lead to each.\n".to_owned();
    for answers in [
        &[] as &[&str],
        &["7"],
        &["2"],
        &["2", "9"],
        &["2", "9", "8"],
        &["1"],
        &["1", "1"],
        &["1", "1", "5"],
        &["1", "1", "1"],
        &["1", "1", "1", "4"],
        &["1", "1", "2"],
        &["1", "1", "2", "08546"],
        &["1", "1", "2", "0854689520"],
        &["0"],
    ] {
        framed(&mut table, &format!("*098# {}", answers.join(" > ")), &ground.reads(answers));
    }
    for shortcut in
        [&["1", "2"] as &[&str], &["NAP1", "0854689520"], &["1", "2", "1", "1"], &["NAP1", "085468952"], &["5"]]
    {
        framed(&mut table, &format!("*098*{}#", shortcut.join("*")), &text(ground.dialled(shortcut)));
    }
    let wanted =
        Wanted { service: "VIP".to_owned(), package: "NAP1".to_owned(), account: "0854689520".to_owned(), typed: true };
    let terms = Terms { package_name: "VIP 30 ngày".to_owned(), price: Money::new(10_000, Currency::VND), days: 30 };
    let menu = ground.menu();
    framed(&mut table, "not durable now", &menu.consent(&wanted, &terms, "1", Some("try_again")).1);
    framed(&mut table, "where a doubled step cannot be told from two", &menu.consent(&wanted, &terms, "11", None).1);
    for name in
        ["taken", "taken_code", "taken_pay", "refused_no_account", "refused_no_package", "refused_blocked", "refused"]
    {
        framed(&mut table, name, &menu.about_wanted(name, &wanted, Some(&terms), "", None));
    }
    for name in ["busy", "too_late", "lost", "nothing_on_sale", "unknown_code", "unknown_number", "left"] {
        framed(&mut table, name, &ground.screens.screen(name, &[], None));
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/ussd_screens.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &table).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap_or_default();
    assert!(table == golden, "the screens changed; look at `git diff` after UPDATE_GOLDEN=1 cargo test --lib golden");
}

#[test]
fn a_shortcut_leads_to_the_consent_and_never_past_it() {
    let ground = Ground::of(shop());
    for shortcut in
        [&["1", "1", "1"] as &[&str], &["1", "1", "1", "1"], &["1", "1", "1", "1", "1"], &["NAP1", "1", "1"]]
    {
        let step = ground.dialled(shortcut);
        assert_eq!(at_consent(&step).map(|wanted| wanted.account.as_str()), Some("0912345678"), "{shortcut:?}");
    }
    let named = ground.dialled(&["nap1", "0854 689 520"]);
    let wanted = at_consent(&named).unwrap();
    assert_eq!((wanted.package.as_str(), wanted.account.as_str()), ("NAP1", "0854689520"));
    assert!(text(ground.dialled(&["1", "2"])).starts_with("Goi VIP 7 ngay"));
}

#[test]
fn nothing_is_agreed_to_among_other_inputs() {
    let ground = Ground::of(shop());
    let consent = ground.after(&["1", "1", "1"]);
    let inputs = |inputs: &[&str]| inputs.iter().map(|input| (*input).to_owned()).collect::<Vec<_>>();
    let menu = ground.menu();
    assert_eq!(menu.walk(consent.clone(), &inputs(&["1"])), Step::Agreed);
    for several in [&["1", "1"] as &[&str], &["1", "5"], &["5", "1"]] {
        assert!(at_consent(&menu.walk(consent.clone(), &inputs(several))).is_some(), "{several:?}");
    }
    assert!(matches!(menu.walk(consent, &inputs(&["0", "1"])), Step::Check(_)), "back, and for whom once more");
}

#[test]
fn back_leads_to_the_screen_before_and_a_wrong_choice_to_the_same() {
    let ground = Ground::of(shop());
    for (there, back) in [
        (&["1", "0"] as &[&str], &[] as &[&str]),
        (&["2", "9", "0"], &["2"]),
        (&["1", "1", "0"], &["1"]),
        (&["1", "1", "1", "0"], &["1", "1"]),
        (&["1", "1", "2", "0"], &["1", "1"]),
        (&["1", "1", "2", "0854689520", "0"], &["1", "1", "2"]),
    ] {
        assert_eq!(ground.reads(there), ground.reads(back), "{there:?}");
    }
    for answers in [&[] as &[&str], &["1"], &["1", "1"], &["1", "1", "1"]] {
        for wrong in ["8", "", "x", "99", "-1", "١"] {
            let screen = ground.reads(&[answers, &[wrong]].concat());
            assert_eq!(screen, format!("Chon chua dung.\n{}", ground.reads(answers)), "{answers:?} {wrong:?}");
        }
    }
}

#[test]
fn a_choice_means_what_was_shown_though_the_list_has_changed() {
    let ground = Ground::of(shop());
    let Step::Show { position, .. } = ground.after(&["1"]) else { panic!("a list") };
    let mut list = shop();
    list.insert(0, sold("VIP", "DAT", "Goi dat", 999_000, 1));
    let changed = Ground::of(list);
    let chosen = changed.menu().step(&position, "1", true);
    assert!(text(chosen).starts_with("Goi VIP 30 ngay, 10.000d"));
    let gone = Ground::of(vec![sold("VIP", "DAT", "Goi dat", 999_000, 1)]);
    assert!(text(gone.menu().step(&position, "1", true)).contains("khong con ban"));
}

#[test]
fn one_service_alone_is_not_asked_for() {
    let ground = Ground::of(vec![sold("VIP", "NAP1", "VIP 30 ngay", 10_000, 30)]);
    assert_eq!(ground.reads(&[]), "VIP, chon goi:\n1. VIP 30 ngay 10.000d\n0. Thoat");
    assert_eq!(ground.reads(&["1", "0"]), ground.reads(&[]));
}

fn any_list() -> impl Strategy<Value = Vec<OnSale>> {
    let word = prop_oneof!["[A-Z0-9]{1,8}", "\\PC{1,80}", "[\\[\\]{}|^~€ ]{1,70}"];
    let name = prop_oneof!["[A-Za-z0-9 ]{0,40}", "\\PC{0,300}", "[\\[€ế]{0,200}", "(?s).{0,60}"];
    let package = (word.clone(), word, name, 1..=i64::MAX, any::<i64>());
    let package = package.prop_map(|(service, code, name, price, days)| sold(&service, &code, &name, price, days));
    prop::collection::vec(package, 0..25)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_screen_fits_whatever_the_catalogue(
        list in any_list(),
        answers in prop::collection::vec(prop_oneof!["[0-9]", "[0-9]", "0854689520", "\\PC{0,40}"], 0..12),
        terms in ("\\PC{0,300}", 1..=i64::MAX, any::<i64>()),
        note in prop::sample::select(vec![None, Some("try_again"), Some("wrong_choice")]),
        account in prop::sample::select(vec![AccountForm::Number, AccountForm::Word]),
    ) {
        let ground = Ground::of(list);
        let menu = Menu { account, ..ground.menu() };
        let terms = Terms { package_name: terms.0, price: Money::new(terms.1, Currency::VND), days: terms.2 };
        let mut step = menu.begin();
        for answer in answers {
            if let Step::Check(wanted) = &step {
                let (position, text) = menu.consent(wanted, &terms, "11", note);
                for name in ["taken", "taken_code", "taken_pay", "refused_no_account", "refused_blocked", "refused"] {
                    let screen = menu.about_wanted(name, wanted, Some(&terms), "", None);
                    prop_assert!(septets(&screen).is_some_and(|septets| septets <= SEPTETS), "{screen:?}");
                }
                prop_assert!(text.ends_with("11. Dong y mua\n0. Quay lai") && text.contains(&price(terms.price)), "{text:?}");
                step = Step::Show { position, text, wrong: false };
            }
            match &step {
                Step::Show { position, text, .. } => {
                    prop_assert!(septets(text).is_some_and(|septets| septets <= SEPTETS), "{text:?}");
                    prop_assert!(text.contains("\n0. "), "no way back: {text:?}");
                    step = menu.step(position, &answer, true);
                }
                Step::Over(text) => {
                    prop_assert!(septets(text).is_some_and(|septets| septets <= SEPTETS), "{text:?}");
                    step = menu.begin();
                }
                Step::Check(_) | Step::Agreed => step = menu.begin(),
            }
        }
    }
}
