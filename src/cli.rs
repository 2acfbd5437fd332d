//! The command line: what was asked, who does it, and what is printed. Data goes to stdout, faults to stderr in one line
//! that says what to do; the exit code is 0 for done, 1 where the answer is no, 2 for wrong usage or configuration.

mod acts;
mod arguments;
mod daemon;
mod operators;
mod parse;
mod people;
mod purchases;
mod reconcile;
mod remedies;
mod settlement;
mod table;

use crate::purchase::input::Remedy;
use arguments::{Arguments, Verb};
use clap::Parser;
use clap::error::ErrorKind;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

/// What a verb came to: text for stdout, and whether the answer is yes.
struct Answer {
    text: String,
    yes: bool,
}

/// Why a verb could not be done.
enum Failure {
    /// The answer is no, or a neighbour failed: exit code 1.
    No(String),
    /// Wrong usage or configuration: exit code 2. One line for each fault.
    Usage(String),
}

impl Answer {
    fn yes(text: String) -> Self {
        Self { text, yes: true }
    }
}

/// The whole program. Nothing here keeps stdout or stderr locked: the log of a daemon that runs inside `run` waits for them.
#[must_use]
pub fn main() -> ExitCode {
    ExitCode::from(run(std::env::args_os(), &mut io::stdout(), &mut io::stderr()))
}

/// Runs one command; `out` and `err` are what it prints to.
fn run(arguments: impl IntoIterator<Item = OsString>, out: &mut impl Write, err: &mut impl Write) -> u8 {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error, out, err),
    };
    match perform(arguments) {
        Ok(answer) => print(out, err, &answer.text, if answer.yes { 0 } else { 1 }),
        Err(failure) => {
            let (faults, code) = match failure {
                Failure::No(fault) => (fault, 1),
                Failure::Usage(faults) => (faults, 2),
            };
            complain(err, &faults);
            code
        }
    }
}

fn perform(arguments: Arguments) -> Result<Answer, Failure> {
    let log = arguments.log.as_deref();
    match arguments.verb {
        Verb::Sandbox(sandbox) => daemon::sandbox(sandbox, log),
        Verb::Run(at) => daemon::run(&at, log),
        Verb::Check(check) => daemon::check(&check, log),
        Verb::Parse(parse) => parse::parse(&parse),
        Verb::Purchases { verb } => purchases::purchases(verb, log),
        Verb::Review { verb } => operators::review(verb, log),
        Verb::Inquire(asked) => operators::inquire(&asked, log),
        Verb::Grant(asked) => remedies::grant(&asked, log),
        Verb::Refund(asked) => remedies::refund(&asked, log),
        Verb::MarkPaid(asked) => remedies::mark(&asked, Remedy::MarkPaid, log),
        Verb::MarkGranted(asked) => remedies::mark(&asked, Remedy::MarkGranted, log),
        Verb::Acts { verb } => remedies::acts(verb, log),
        Verb::Freeze(asked) => operators::freeze(&asked, log),
        Verb::Thaw(asked) => operators::thaw(&asked, log),
        Verb::Reconcile(asked) => reconcile::reconcile(asked, log),
        Verb::Settlement(asked) => settlement::settlement(&asked, log),
        Verb::Operator { verb } => people::operator(verb, log),
    }
}

/// Help and version are answers; anything else clap says is brought to one line.
fn usage(error: &clap::Error, out: &mut impl Write, err: &mut impl Write) -> u8 {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => print(out, err, &error.render().to_string(), 0),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            complain(err, "no command was given; try `paygate --help`");
            2
        }
        _ => {
            complain(err, &format!("{}; try `paygate --help`", one_line(&error.render().to_string())));
            2
        }
    }
}

/// clap's fault and its tips, without the usage that follows them.
fn one_line(text: &str) -> String {
    let of_use = |line: &&str| !line.starts_with("Usage:") && !line.starts_with("For more information");
    let mut told = String::new();
    for line in text.lines().take_while(of_use).map(str::trim).filter(|line| !line.is_empty()) {
        let (between, line) = line.strip_prefix("tip: ").map_or((" ", line), |tip| ("; ", tip));
        told += if told.is_empty() { "" } else { between };
        told += line;
    }
    told.trim_start_matches("error: ").to_owned()
}

/// A reader that has gone away (`paygate … | head`) wants no more, and no complaint either.
fn print(out: &mut impl Write, err: &mut impl Write, text: &str, code: u8) -> u8 {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => code,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => code,
        Err(error) => {
            complain(err, &format!("stdout cannot be written ({error})"));
            1
        }
    }
}

/// Nothing is left to be done about a stderr that cannot be written.
fn complain(err: &mut impl Write, faults: &str) {
    for fault in faults.lines() {
        let _ = writeln!(err, "paygate: {fault}");
    }
}

/// Colour is for eyes only (no-color.org).
fn colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// JSON on one line.
fn json(value: &impl serde::Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string(value).map_err(|error| Failure::No(format!("cannot write JSON: {error}")))?;
    Ok(text + "\n")
}
