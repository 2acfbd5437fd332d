//! A file cut into lines and fields, in constant memory: a line that never ends is one bad line, and a quote that is never
//! closed ends with its line. Knows no column.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use std::io::{self, BufRead, Read};

/// Octets of a line; of a longer one only so much is kept.
const LINE_OCTETS: u64 = 64 * 1024;
/// Fields of a line.
const FIELDS: usize = 1_000;

/// A place in a file: what is behind it is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) octet: u64,
    /// Lines that are behind.
    pub(super) line: u64,
}

/// The lines of one file, from a place on.
pub(super) struct Lines<R> {
    source: R,
    pub(super) place: Place,
    line: Vec<u8>,
    fields: Fields,
}

/// One line cut into fields.
pub(super) struct Fields {
    reader: Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
    count: usize,
}

/// A line as it stands in the file.
pub(super) enum Line {
    Fields,
    Blank,
    /// Why it is none.
    Bad(&'static str),
}

impl<R: BufRead> Lines<R> {
    /// `source` is at `place` already.
    pub(super) fn new(source: R, place: Place, separator: u8, quoted: bool) -> Self {
        Self { source, place, line: Vec::new(), fields: Fields::new(separator, quoted) }
    }

    /// The next line, or nothing at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        self.line.clear();
        let mut octets = (&mut self.source).take(LINE_OCTETS).read_until(b'\n', &mut self.line)? as u64;
        if octets == 0 {
            return Ok(None);
        }
        let long = octets == LINE_OCTETS && self.line.last() != Some(&b'\n');
        if long {
            octets += self.skip_line()?;
        }
        self.place = Place { octet: self.place.octet + octets, line: self.place.line + 1 };
        if self.place.line == 1 && self.line.starts_with(&[0xef, 0xbb, 0xbf]) {
            self.line.drain(..3);
        }
        Ok(Some(if long { Line::Bad("is longer than 64 KiB") } else { self.fields.cut(self.line.trim_ascii_end()) }))
    }

    fn skip_line(&mut self) -> io::Result<u64> {
        let mut skipped = 0;
        loop {
            let held = self.source.fill_buf()?;
            let end = held.iter().position(|octet| *octet == b'\n');
            let octets = end.map_or(held.len(), |end| end + 1);
            let over = end.is_some() || held.is_empty();
            self.source.consume(octets);
            skipped += octets as u64;
            if over {
                return Ok(skipped);
            }
        }
    }

    pub(super) const fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The line as it is kept where it cannot be read; its beginning, if it is very long.
    pub(super) fn raw(&self) -> String {
        String::from_utf8_lossy(&self.line).trim_end().chars().take(1_000).collect()
    }
}

impl Fields {
    fn new(separator: u8, quoted: bool) -> Self {
        let reader = ReaderBuilder::new().delimiter(separator).quoting(quoted).build();
        Self { reader, text: vec![0; LINE_OCTETS as usize + 1], ends: vec![0; FIELDS], count: 0 }
    }

    fn cut(&mut self, line: &[u8]) -> Line {
        self.count = 0;
        if line.trim_ascii().is_empty() {
            return Line::Blank;
        }
        self.reader.reset();
        let (mut read, mut written, mut ended) = (0, 0, 0);
        loop {
            // The end of the line is the end of the record, whatever stands open.
            let (result, took, wrote, ends) =
                self.reader.read_record(&line[read..], &mut self.text[written..], &mut self.ends[ended..]);
            (read, written, ended) = (read + took, written + wrote, ended + ends);
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::Record => break,
                ReadRecordResult::OutputEndsFull => return Line::Bad("has more than 1,000 fields"),
                ReadRecordResult::OutputFull | ReadRecordResult::End => return Line::Bad("cannot be cut into fields"),
            }
        }
        self.count = ended;
        Line::Fields
    }

    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// A field's text without space around it; nothing where there is no such field, and an error where it is no UTF-8.
    pub(super) fn get(&self, at: usize) -> Result<Option<&str>, &'static str> {
        if at >= self.count {
            return Ok(None);
        }
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        let text = str::from_utf8(&self.text[start..self.ends[at]]).map_err(|_| "is not UTF-8")?;
        Ok(Some(text.trim()))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use proptest::prelude::*;

    /// Each line as its fields between bars, or why it is none.
    fn read(octets: &[u8], separator: u8, quoted: bool) -> Vec<String> {
        let mut lines = Lines::new(octets, Place::default(), separator, quoted);
        let mut told = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            told.push(match line {
                Line::Blank => "blank".to_owned(),
                Line::Bad(why) => why.to_owned(),
                Line::Fields => {
                    let fields = lines.fields();
                    let field = |at| fields.get(at).unwrap_or(Some("no text")).unwrap().to_owned();
                    (0..fields.count()).map(field).collect::<Vec<_>>().join("|")
                }
            });
        }
        assert_eq!(lines.place.octet, octets.len() as u64);
        told
    }

    #[test]
    fn lines_are_cut_into_fields_however_they_end() {
        assert_eq!(
            read(b"\xef\xbb\xbfa, b \r\n\r\n\"x, y\",\"say \"\"z\"\"\"\nlast,", b',', true),
            ["a|b", "blank", "x, y|say \"z\"", "last|"]
        );
        assert_eq!(read(b"1;\"2;3\n", b';', false), ["1|\"2|3"], "a quote is a character where nothing is quoted");
        assert_eq!(read(b"a,\xff\n", b',', true), ["a|no text"]);
    }

    #[test]
    fn what_never_ends_is_one_bad_line_and_the_next_is_read() {
        let long = [b"x".repeat(200_000), b"\na,b\n".to_vec()].concat();
        assert_eq!(read(&long, b',', true), ["is longer than 64 KiB", "a|b"]);
        assert_eq!(read(b"\"never closed,1\n2,3\n", b',', true), ["never closed,1", "2|3"]);
        assert_eq!(read(&b",".repeat(2_000), b',', true), ["has more than 1,000 fields"]);
    }

    #[test]
    fn reading_goes_on_from_any_place_between_two_lines() {
        let text = b"a,1\nb,2\n\nc,3\n";
        let mut lines = Lines::new(&text[..], Place::default(), b',', true);
        let mut places = Vec::new();
        while lines.next().unwrap().is_some() {
            places.push(lines.place);
        }
        let mut rest = Lines::new(&text[places[1].octet as usize..], places[1], b',', true);
        assert!(matches!(rest.next().unwrap(), Some(Line::Blank)));
        assert!(matches!(rest.next().unwrap(), Some(Line::Fields)));
        assert_eq!((rest.place, rest.fields().get(0).unwrap()), (places[3], Some("c")));
    }

    proptest! {
        #[test]
        fn whatever_a_file_holds_is_read_to_its_end(octets in prop::collection::vec(any::<u8>(), 0..2_000), quoted: bool) {
            let lines = read(&octets, b',', quoted).len();
            let ends = octets.iter().filter(|octet| **octet == b'\n').count();
            prop_assert!(lines == ends || lines == ends + 1);
        }
    }
}
