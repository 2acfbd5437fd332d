//! One flat XML element: its name, and the texts of the elements in it. Deeper ones are passed over; whatever is wrong with
//! tags and entities costs no more than it must.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::{NO_NUMBER, Unreadable};

/// Fields one line may have; the longest has a dozen.
const FIELDS_MAX: usize = 64;

/// A line's element, read.
pub(super) struct Fields {
    /// In upper case.
    pub(super) element: String,
    fields: Vec<(String, String)>,
}

impl Fields {
    pub(super) fn read(line: &str) -> Result<Self, Unreadable> {
        let mut reader = Reader::from_str(line);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        let mut read = Self { element: String::new(), fields: Vec::new() };
        let mut depth = 0_usize;
        loop {
            match reader.read_event().map_err(|_| Unreadable("no XML"))? {
                Event::Start(tag) => {
                    read.open(depth, &tag)?;
                    depth += 1;
                }
                Event::Empty(tag) => read.open(depth, &tag)?,
                Event::End(_) => depth = depth.saturating_sub(1),
                Event::Text(text) if depth == 2 => read.add(&String::from_utf8_lossy(&text)),
                Event::CData(text) if depth == 2 => read.add(&String::from_utf8_lossy(&text)),
                Event::GeneralRef(reference) if depth == 2 => read.add(&resolved(&reference)),
                Event::Eof => break,
                _ => {}
            }
        }
        if read.element.is_empty() { Err(Unreadable("no element")) } else { Ok(read) }
    }

    fn open(&mut self, depth: usize, tag: &BytesStart<'_>) -> Result<(), Unreadable> {
        let name = String::from_utf8_lossy(tag.local_name().as_ref()).into_owned();
        match depth {
            0 if self.element.is_empty() => self.element = name.to_ascii_uppercase(),
            1 if self.fields.len() == FIELDS_MAX => return Err(Unreadable("more fields than any line has")),
            1 => self.fields.push((name, String::new())),
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, text: &str) {
        if let Some((_, value)) = self.fields.last_mut() {
            value.push_str(text);
        }
    }

    /// As it stands; empty where it is absent. The first of several counts.
    pub(super) fn raw(&self, name: &str) -> String {
        let found = self.fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// Without the blanks around it.
    pub(super) fn text(&self, name: &str) -> String {
        self.raw(name).trim().to_owned()
    }

    pub(super) fn error(&self) -> Option<u16> {
        let text = self.text("errCode");
        (!text.is_empty()).then(|| text.parse().unwrap_or(NO_NUMBER))
    }
}

/// The characters of `&…;`. One that is not known stays as it stands.
fn resolved(reference: &BytesRef<'_>) -> String {
    let name = String::from_utf8_lossy(reference);
    let character = reference.resolve_char_ref().ok().flatten();
    let predefined = || resolve_predefined_entity(&name).map(str::to_owned);
    character.map(String::from).or_else(predefined).unwrap_or_else(|| format!("&{name};"))
}
