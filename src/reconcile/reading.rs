//! A channel's row by its column map. Lenient in form, exact about what is wrong: the column and why. Pure; drops nothing,
//! since a row that cannot be read is a row of its own kind.

use super::amount::amount;
use super::lines::Fields;
use super::time::time;
use crate::config::{Column, Statement};
use crate::journal::reconciliation::{Kind, Standing, StatementRow};
use crate::purchase::money::{Currency, Money};
use paygate_parsers::msisdn::{Country, Msisdn};
use paygate_parsers::text::fold;

/// Characters of a reference or key that are kept.
const NAME_LIMIT: usize = 200;

/// Where each column stands in this file.
pub(super) struct Layout<'m> {
    map: &'m Statement,
    country: &'m Country,
    currency: Currency,
    reference: Option<Place>,
    key: Option<Place>,
    msisdn: Option<Place>,
    amount: Option<Place>,
    currency_at: Option<Place>,
    time: Option<Place>,
    kind: Option<Place>,
    status: Option<Place>,
    charges: Vec<String>,
    reversals: Vec<String>,
    ignored: Vec<String>,
    charged: Vec<String>,
}

/// A column's place, and what it is called in a fault.
struct Place {
    at: usize,
    name: String,
}

impl<'m> Layout<'m> {
    /// The columns' places, by the header where the file has one. An error names every column that is not there.
    pub(super) fn new(map: &'m Statement, country: &'m Country, header: Option<&Fields>) -> Result<Self, String> {
        let mut missing = Vec::new();
        let mut place = |key: &str, column: &Option<Column>| {
            let column = column.as_ref()?;
            let found = find(column, header);
            if found.is_none() {
                missing.push(format!("{} ({key})", spelled(column)));
            }
            found.map(|at| Place { at, name: format!("column {} ({key})", spelled(column)) })
        };
        let columns = &map.columns;
        let layout = Self {
            map,
            country,
            currency: Currency::try_from(map.default_currency.clone())?,
            reference: place("reference", &columns.reference),
            key: place("key", &columns.key),
            msisdn: place("msisdn", &columns.msisdn),
            amount: place("amount", &columns.amount),
            currency_at: place("currency", &columns.currency),
            time: place("time", &columns.time),
            kind: place("kind", &columns.kind),
            status: place("status", &columns.status),
            charges: folded(&map.charges),
            reversals: folded(&map.reversals),
            ignored: folded(&map.ignored),
            charged: folded(&map.charged),
        };
        if missing.is_empty() { Ok(layout) } else { Err(format!("its header has no column {}", missing.join(", "))) }
    }

    /// Whether this map can show money that was given back: only then is a refund of ours missed.
    pub(super) const fn lists_reversals(map: &Statement) -> bool {
        map.columns.kind.is_some() || map.all_reversals
    }

    /// The row, or what is wrong with it.
    pub(super) fn row(&self, fields: &Fields) -> Result<StatementRow, String> {
        if let Some(expected) = self.map.fields.filter(|expected| *expected != fields.count()) {
            return Err(format!("has {} fields, not {expected}", fields.count()));
        }
        let mut row = StatementRow {
            kind: Kind::Ignored,
            standing: Standing::Ignored,
            at: self.time(fields)?,
            reference: self.name(fields, &self.reference)?,
            key: self.name(fields, &self.key)?,
            msisdn: self.msisdn(fields)?,
            ..StatementRow::default()
        };
        if !self.moved(fields)? {
            // How much did not move need not be readable.
            row.money = self.money(fields).ok();
            return Ok(row);
        }
        let Some(kind) = self.kind(fields)? else { return Ok(row) };
        let money = self.money(fields)?;
        let (kind, amount) = match (kind, money.amount) {
            (_, 0) => (Kind::Ignored, 0),
            (Kind::Charge, amount) if amount < 0 && self.kind.is_none() => (Kind::Reversal, -amount),
            (Kind::Charge, amount) if amount < 0 => {
                return Err(format!("{}: a charge of less than nothing", self.amount_name()));
            }
            (kind, amount) => (kind, amount.abs()),
        };
        if row.reference.is_none() && row.key.is_none() && row.msisdn.is_none() && kind != Kind::Ignored {
            return Err("names neither reference, key nor number".to_owned());
        }
        row.kind = kind;
        row.standing = if kind == Kind::Ignored { Standing::Ignored } else { Standing::Long };
        row.money = Some(Money::new(amount, money.currency));
        Ok(row)
    }

    fn moved(&self, fields: &Fields) -> Result<bool, String> {
        let Some(place) = self.status.as_ref().filter(|_| !self.charged.is_empty()) else { return Ok(true) };
        Ok(field(fields, place)?.is_some_and(|word| self.charged.contains(&fold(word))))
    }

    /// Nothing for a row that moves no money.
    fn kind(&self, fields: &Fields) -> Result<Option<Kind>, String> {
        if self.map.all_reversals {
            return Ok(Some(Kind::Reversal));
        }
        let Some(place) = &self.kind else { return Ok(Some(Kind::Charge)) };
        let given = field(fields, place)?.unwrap_or_default();
        let word = fold(given);
        if self.reversals.contains(&word) {
            Ok(Some(Kind::Reversal))
        } else if self.ignored.contains(&word) {
            Ok(None)
        } else if self.charges.is_empty() || self.charges.contains(&word) {
            Ok(Some(Kind::Charge))
        } else {
            Err(format!("{}: {given:?} is neither a charge nor a reversal", place.name))
        }
    }

    fn money(&self, fields: &Fields) -> Result<Money, String> {
        let currency = match &self.currency_at {
            None => self.currency,
            Some(place) => match field(fields, place)? {
                None => self.currency,
                Some(text) => {
                    Currency::try_from(fold(text)).map_err(|_| format!("{}: {text:?} is no currency", place.name))?
                }
            },
        };
        let Some(place) = &self.amount else { return Err("has no amount".to_owned()) };
        let text = field(fields, place)?.ok_or_else(|| format!("{}: is empty", place.name))?;
        let minor =
            amount(text, currency.exponent(), currency.as_str()).map_err(|why| format!("{}: {why}", place.name))?;
        Ok(Money::new(minor, currency))
    }

    fn time(&self, fields: &Fields) -> Result<Option<i64>, String> {
        let Some(place) = &self.time else { return Ok(None) };
        let Some(text) = field(fields, place)? else { return Ok(None) };
        let read = time(text, self.map.time_format.as_deref(), &self.map.zone);
        read.map(Some).ok_or_else(|| format!("{}: {text:?} is no time", place.name))
    }

    fn name(&self, fields: &Fields, place: &Option<Place>) -> Result<Option<String>, String> {
        let Some(place) = place else { return Ok(None) };
        let Some(text) = field(fields, place)? else { return Ok(None) };
        if text.len() > NAME_LIMIT {
            return Err(format!("{}: is longer than {NAME_LIMIT} characters", place.name));
        }
        Ok(Some(text.to_owned()))
    }

    /// A number that the channel masks is none; one that is no number is the row's fault.
    fn msisdn(&self, fields: &Fields) -> Result<Option<Msisdn>, String> {
        let Some(place) = &self.msisdn else { return Ok(None) };
        let Some(text) = field(fields, place)?.filter(|text| !text.contains(['*', 'x', 'X'])) else { return Ok(None) };
        Msisdn::parse_sender(self.country, text).map(Some).map_err(|why| format!("{}: {why}", place.name))
    }

    fn amount_name(&self) -> &str {
        self.amount.as_ref().map_or("", |place| &place.name)
    }
}

/// A field that is not empty.
fn field<'f>(fields: &'f Fields, place: &Place) -> Result<Option<&'f str>, String> {
    let text = fields.get(place.at).map_err(|why| format!("{} {why}", place.name))?;
    Ok(text.filter(|text| !text.is_empty()))
}

fn find(column: &Column, header: Option<&Fields>) -> Option<usize> {
    let wanted = match column {
        Column::Number(number) => return Some(number - 1),
        Column::Name(name) => squeezed(name),
    };
    let header = header?;
    (0..header.count()).find(|at| header.get(*at).is_ok_and(|name| name.is_some_and(|name| squeezed(name) == wanted)))
}

/// Without case, accents, spaces and what else stands between words.
fn squeezed(name: &str) -> String {
    fold(name).chars().filter(|c| c.is_alphanumeric()).collect()
}

fn spelled(column: &Column) -> String {
    match column {
        Column::Name(name) => format!("{name:?}"),
        Column::Number(number) => number.to_string(),
    }
}

fn folded(words: &[String]) -> Vec<String> {
    words.iter().map(|word| fold(word)).collect()
}
