//! What a phone shows, in words: unaccented Vietnamese within GSM 7-bit, each screen within 182 septets whatever the package
//! manager's names are. Never decides which screen comes next.

use crate::replies::{Piece, pieces};
use paygate_parsers::text::{septets, shortened, shown};
use std::collections::BTreeMap;

/// Septets of one screen (3GPP TS 23.038 §5: 160 octets).
pub const SEPTETS: usize = 182;

/// Septets of one line in a list; a longer name is shortened, so that a screen has several.
const LINE: usize = 32;
/// A name this short is still one; under it a screen is not worth showing.
const NAME: usize = 10;

/// Name in `[menu.screens]`, the placeholders it may use, those it must, and the words.
struct Words {
    name: &'static str,
    may: &'static [&'static str],
    must: &'static [&'static str],
    text: &'static str,
}

/// What a screen about one package may name.
const WANTED: &[&str] = &["service", "package", "name", "price", "days", "account", "number", "hotline"];

#[rustfmt::skip]
const WORDS: &[Words] = &[
    Words { name: "services", may: &["items"], must: &["items"], text: "Chon dich vu:\n{items}" },
    Words { name: "service_item", may: &["number", "service"], must: &["number"], text: "{number}. {service}" },
    Words { name: "packages", may: &["service", "items"], must: &["items"], text: "{service}, chon goi:\n{items}" },
    Words { name: "package_item", may: &["number", "package", "name", "price", "days"], must: &["number"], text: "{number}. {name} {price}" },
    Words { name: "more", may: &["number"], must: &["number"], text: "{number}. Xem them" },
    Words { name: "back", may: &["number"], must: &["number"], text: "{number}. Quay lai" },
    Words { name: "leave", may: &["number"], must: &["number"], text: "{number}. Thoat" },
    Words { name: "for_whom", may: WANTED, must: &[], text: "Goi {name}, {price}. Mua cho:\n1. So cua ban\n2. So khac\n0. Quay lai" },
    Words { name: "number", may: WANTED, must: &[], text: "Nhap so dien thoai nhan goi {name}:\n0. Quay lai" },
    Words { name: "consent", may: WANTED, must: &["price", "number"], text: "Goi {name} cho {account}: {price}, {days} ngay.\n{number}. Dong y mua\n0. Quay lai" },
    Words { name: "wrong_choice", may: &[], must: &[], text: "Chon chua dung." },
    Words { name: "wrong_number", may: &["typed"], must: &[], text: "So {typed} chua dung." },
    Words { name: "try_again", may: &[], must: &[], text: "He thong ban, moi thu lai, khong bi tru tien 2 lan." },
    Words { name: "taken", may: WANTED, must: &[], text: "Da nhan: goi {name} cho {account} dang duoc xu ly. Ket qua se bao qua SMS." },
    Words { name: "taken_code", may: WANTED, must: &[], text: "Da nhan: goi {name} cho {account}. Ma xac nhan se gui qua SMS, hay tra loi ma do de mua." },
    Words { name: "taken_pay", may: WANTED, must: &[], text: "Da nhan: goi {name} cho {account}. Link thanh toan se gui qua SMS." },
    Words { name: "refused_no_account", may: WANTED, must: &[], text: "So {account} chua dung duoc dich vu nay. Vui long kiem tra lai so." },
    Words { name: "refused_no_package", may: WANTED, must: &[], text: "Goi {name} khong con ban. Vui long chon goi khac." },
    Words { name: "refused_blocked", may: WANTED, must: &[], text: "So {account} dang bi khoa. Vui long goi {hotline}." },
    Words { name: "refused", may: WANTED, must: &[], text: "So {account} khong mua duoc goi {name}. Vui long goi {hotline}." },
    Words { name: "busy", may: &["hotline"], must: &[], text: "He thong dang ban, ban chua mua gi. Vui long thu lai sau." },
    Words { name: "too_late", may: &["hotline"], must: &[], text: "He thong dang ban. Neu ban da dong y mua, ket qua se bao qua SMS. Neu chua, vui long thu lai sau." },
    Words { name: "lost", may: &["hotline"], must: &[], text: "Phien da het. Vui long bam lai tu dau." },
    Words { name: "nothing_on_sale", may: &["hotline"], must: &[], text: "Hien chua co goi nao. Vui long quay lai sau." },
    Words { name: "unknown_code", may: &["hotline"], must: &[], text: "Ma dich vu nay chua duoc phuc vu." },
    Words { name: "unknown_number", may: &["hotline"], must: &[], text: "Khong nhan ra so dien thoai cua ban. Vui long goi {hotline}." },
    Words { name: "left", may: &["hotline"], must: &[], text: "Cam on ban. Hen gap lai." },
];

/// Somebody's words as a screen shows them; none are worth more than a whole one.
#[must_use]
pub(super) fn label(words: &str) -> String {
    shortened(&shown(words), SEPTETS)
}

/// A placeholder's value; the first of a name counts.
pub(super) type Value<'v> = (&'static str, &'v str);

/// The texts, checked.
#[derive(Clone, Debug)]
pub struct Screens {
    texts: BTreeMap<&'static str, String>,
    hotline: String,
}

impl Screens {
    /// The built-in texts with those of `[menu.screens]` in their place.
    ///
    /// # Errors
    /// All that is wrong with them at once, one line each.
    pub fn new(overrides: &BTreeMap<String, String>, hotline: &str) -> Result<Self, Vec<String>> {
        let texts = WORDS.iter().map(|words| (words.name, words.text.to_owned())).collect();
        let mut screens = Self { texts, hotline: shown(hotline) };
        let mut errors = Vec::new();
        for (name, text) in overrides {
            match WORDS.iter().find(|words| words.name == name) {
                Some(words) => {
                    errors.extend(problems(words, text));
                    screens.texts.insert(words.name, text.clone());
                }
                None => errors.push(unknown_text(name)),
            }
        }
        errors.extend(overrides.keys().filter_map(|name| screens.too_long(name)));
        if errors.is_empty() { Ok(screens) } else { Err(errors) }
    }

    /// A screen, with a note above it where there is one. Where it does not fit, the package's name is shortened; a text of
    /// `[menu.screens]` that is too long even so gives way to the built-in one, and a note to the screen.
    #[must_use]
    pub(super) fn screen(&self, name: &str, values: &[Value<'_>], note: Option<&str>) -> String {
        let note = note.unwrap_or_default();
        let ways = [(self.text(name), note), (built_in(name), note), (built_in(name), "")];
        let fitting = ways.into_iter().find_map(|(text, note)| self.fitted(text, values, note));
        // The built-in ones fit with the longest values there are; this is for what nobody has thought of.
        fitting.unwrap_or_else(|| shortened(&self.filled(built_in(name), values), SEPTETS))
    }

    /// The operator's own text with its note, where it fits.
    pub(super) fn fitting(&self, name: &str, values: &[Value<'_>], note: Option<&str>) -> Option<String> {
        self.fitted(self.text(name), values, note.unwrap_or_default())
    }

    /// A line of a list, its name shortened to what leaves room for others.
    pub(super) fn line(&self, name: &str, values: &[Value<'_>]) -> String {
        let fitting = [self.text(name), built_in(name)].into_iter().find_map(|text| self.within(LINE, text, values));
        fitting.unwrap_or_else(|| shortened(&self.filled(built_in(name), values), LINE))
    }

    /// A text that is neither screen nor line: a note, a word of navigation.
    pub(super) fn words(&self, name: &str, values: &[Value<'_>]) -> String {
        self.filled(self.text(name), values)
    }

    fn text(&self, name: &str) -> &str {
        self.texts.get(name).map_or("", String::as_str)
    }

    fn fitted(&self, text: &str, values: &[Value<'_>], note: &str) -> Option<String> {
        let above = if note.is_empty() { String::new() } else { format!("{note}\n") };
        let room = SEPTETS.checked_sub(septets(&above)?)?;
        self.within(room, text, values).map(|screen| above + &screen)
    }

    /// The text in so many septets, or `None` where not even a short name makes it fit.
    fn within(&self, most: usize, text: &str, values: &[Value<'_>]) -> Option<String> {
        let name = values.iter().find(|(known, _)| *known == "name").map_or("", |(_, name)| *name);
        let named = pieces(text).filter(|piece| matches!(piece, Piece::Placeholder("name"))).count();
        let (whole, mut room) = (septets(name)?, septets(name)?);
        loop {
            let short = shortened(name, room);
            let filled = self.filled(text, &[&[("name", short.as_str())], values].concat());
            let over = septets(&filled)?.saturating_sub(most);
            if over == 0 {
                return Some(filled);
            }
            let less = over.div_ceil(named.max(1));
            room = room.checked_sub(less).filter(|room| named > 0 && *room >= NAME.min(whole))?;
        }
    }

    fn filled(&self, text: &str, values: &[Value<'_>]) -> String {
        let value = |name: &str| match name {
            "hotline" => self.hotline.as_str(),
            _ => values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| *value),
        };
        pieces(text)
            .map(|piece| match piece {
                Piece::Text(text) => text,
                Piece::Placeholder(name) => value(name),
            })
            .collect()
    }

    /// What an operator's text takes with long but ordinary values, the longest note above it.
    fn too_long(&self, name: &str) -> Option<String> {
        let words = WORDS.iter().find(|words| words.name == name)?;
        let (most, note) = match name {
            "service_item" | "package_item" | "more" | "back" | "leave" => (LINE, 0),
            "wrong_choice" | "wrong_number" | "try_again" => (NOTE, 0),
            "services" | "packages" | "for_whom" | "number" | "consent" => (SEPTETS, NOTE + 1),
            _ => (SEPTETS, 0),
        };
        let taken = septets(&self.filled(self.text(words.name), SAMPLE))? + note;
        (taken > most).then(|| {
            format!(
                "menu.screens.{name}: it takes {} characters with ordinary values; shorten it to {}",
                taken - note,
                most - note
            )
        })
    }
}

/// Septets of a note, so that a screen has room for it.
const NOTE: usize = 60;

/// Long but ordinary values, to count a screen with. A list's items are one line, and two to go on and back.
const SAMPLE: &[Value<'static>] = &[
    ("service", "GIAITRI"),
    ("package", "THANG30"),
    ("name", "VIP 30 n.."),
    ("price", "1.000.000d"),
    ("days", "365"),
    ("account", "0854689520"),
    ("typed", "08546895201234567890"),
    ("number", "11"),
    ("items", "1. VIP 30 ngay hang thang 10.000d\n9. Xem them\n0. Quay lai"),
];

fn built_in(name: &str) -> &'static str {
    WORDS.iter().find(|words| words.name == name).map_or("", |words| words.text)
}

fn problems(words: &Words, text: &str) -> Vec<String> {
    let named: Vec<&str> = pieces(text)
        .filter_map(|piece| match piece {
            Piece::Placeholder(name) => Some(name),
            Piece::Text(_) => None,
        })
        .collect();
    let unknown = named.iter().filter(|name| !words.may.contains(name)).map(|name| {
        let may =
            if words.may.is_empty() { "no placeholder".to_owned() } else { format!("{{{}}}", words.may.join("} {")) };
        format!("menu.screens.{}: there is no {{{name}}} in this text; it may use {may}", words.name)
    });
    let missing = words
        .must
        .iter()
        .filter(|name| !named.contains(name))
        .map(|name| format!("menu.screens.{}: it must hold {{{name}}}", words.name));
    let foreign = septets(text).is_none().then(|| {
        let strange: String = text.chars().filter(|c| septets(&c.to_string()).is_none()).collect();
        format!("menu.screens.{}: GSM 7-bit has no {strange:?}; write it without accents", words.name)
    });
    unknown.chain(missing).chain(foreign).collect()
}

fn unknown_text(name: &str) -> String {
    let nearest = WORDS.iter().map(|words| words.name).min_by_key(|known| strsim::damerau_levenshtein(known, name));
    format!("menu.screens.{name}: there is no such text; did you mean {}?", nearest.unwrap_or("services"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn with(overrides: &[(&str, &str)]) -> Result<Screens, Vec<String>> {
        let overrides = overrides.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Screens::new(&overrides, "18001090")
    }

    #[test]
    fn each_built_in_screen_fits_and_names_only_its_own_placeholders() {
        let screens = with(&[]).unwrap();
        for words in WORDS {
            assert_eq!(problems(words, words.text), Vec::<String>::new());
            assert_eq!(screens.too_long(words.name), None);
        }
    }

    #[test]
    fn all_that_is_wrong_with_the_screens_is_said_at_once() {
        let long = "x".repeat(170);
        let errors = with(&[
            ("consent", "Mua {package}?\n{number}. Co"),
            ("servces", "x"),
            ("number", "Nhap {so}:"),
            ("taken", "Đã nhận"),
            ("for_whom", &long),
        ]);
        let all = errors.unwrap_err().join("\n");
        for part in [
            "menu.screens.consent: it must hold {price}",
            "did you mean services?",
            "menu.screens.number: there is no {so} in this text",
            "menu.screens.taken: GSM 7-bit has no \"Đãậ\"",
            "menu.screens.for_whom: it takes 170 characters with ordinary values; shorten it to 121",
        ] {
            assert!(all.contains(part), "{part} is missing in:\n{all}");
        }
    }

    #[test]
    fn a_long_name_is_shortened_and_everything_else_stays() {
        let screens = with(&[]).unwrap();
        let name = "Goi".repeat(80);
        let values =
            [("name", name.as_str()), ("account", "0854689520"), ("price", "10.000d"), ("days", "30"), ("number", "1")];
        let screen = screens.screen("consent", &values, Some("Chon chua dung."));
        assert_eq!(septets(&screen), Some(SEPTETS));
        assert!(screen.starts_with("Chon chua dung.\nGoi GoiGoi"), "{screen}");
        assert!(screen.ends_with(".. cho 0854689520: 10.000d, 30 ngay.\n1. Dong y mua\n0. Quay lai"), "{screen}");
    }
}
