//! A purchase's line of time as a terminal shows it: in columns, wrapped, in local time, in colour where there are eyes.

use crate::cli::table::{DIM, GREEN, RED, YELLOW, plain};
use crate::journal::rows::Story;
use crate::story::moment::{clock, day};
use crate::story::timeline::{GLUE, Line, Tone, timeline};

/// Columns of a line at most; longer ones go on below themselves.
const WIDTH: usize = 110;
/// `12:00:01.123`, and who.
const TIME: usize = 12;
const WHO: usize = 10;
const INDENT: usize = TIME + 2 + WHO + 2;

pub(super) fn rendered_timeline(story: &Story, raw: bool, colour: bool) -> String {
    let (mut out, mut today) = (String::new(), String::new());
    for line in &timeline(story, raw) {
        let day = day(line.at);
        if day != today {
            out += &painted(&day, Some(DIM), colour);
            out.push('\n');
            today = day;
        }
        out += &rendered(line, colour);
    }
    out
}

fn rendered(line: &Line, colour: bool) -> String {
    let who: String = line.who.chars().take(WHO).collect();
    let head = format!("{:TIME$}  {who:WHO$}  ", clock(line.at));
    let mut out = painted(&head, Some(DIM), colour);
    for (at, part) in wrapped(&plain(&line.says), WIDTH - INDENT).iter().enumerate() {
        if at > 0 {
            out += &" ".repeat(INDENT);
        }
        out += &painted(part, line.tone.map(paint), colour);
        out.push('\n');
    }
    for below in &line.below {
        for part in wrapped(&plain(below), WIDTH - INDENT - 2) {
            out += &format!("{}{}\n", " ".repeat(INDENT + 2), painted(&part, Some(DIM), colour));
        }
    }
    for raw in &line.raw {
        out += &format!("{}{}\n", " ".repeat(INDENT + 2), plain(raw));
    }
    out
}

fn painted(text: &str, paint: Option<&str>, colour: bool) -> String {
    match paint.filter(|_| colour) {
        Some(paint) => format!("{paint}{text}\x1b[0m"),
        None => text.to_owned(),
    }
}

/// Words in lines of at most `width` columns; a word that is longer is cut.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let letters: Vec<char> = word.chars().collect();
        let mut pieces = letters.chunks(width).map(|piece| piece.iter().collect::<String>());
        for piece in std::iter::once(pieces.next().unwrap_or_default()).chain(pieces) {
            let last = lines.last_mut().expect("there is a first line from the start");
            if last.is_empty() {
                *last = piece;
            } else if last.chars().count() + 1 + piece.chars().count() <= width {
                last.push(' ');
                last.push_str(&piece);
            } else {
                lines.push(piece);
            }
        }
    }
    lines.into_iter().map(|line| line.replace(GLUE, " ")).collect()
}

/// Green where all is well, yellow where nobody knows, red where a person is needed.
pub(super) const fn paint(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => GREEN,
        Tone::Unknown => YELLOW,
        Tone::Person => RED,
    }
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn words_go_on_in_the_next_line_and_a_word_too_long_is_cut() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrapped("", 4), [""]);
    }
}
