//! What can be asked on the command line. Words and defaults only; nothing is done here.

use super::people::role;
use crate::config::parse_duration;
use crate::journal::reconciliation::Standing;
use crate::people::Role;
use crate::purchase::State;
use crate::purchase::record::Verdict;
use crate::story::moment::{Moment, moment};
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};
use jiff::civil::Date;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Charges package purchases by SMS: each once, whatever happens.
#[derive(Debug, Parser)]
#[command(name = "paygate", version, subcommand_required = true, arg_required_else_help = true)]
pub(super) struct Arguments {
    /// What to log on stderr: a level such as "info" or "debug", or "info,paygate::smpp=debug"
    #[arg(long, global = true, env = "PAYGATE_LOG", value_name = "FILTER")]
    pub(super) log: Option<String>,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Run everything in one process among simulated neighbours, with a web page to try it on
    Sandbox(Sandbox),
    /// Run the daemon
    Run(At),
    /// Read the configuration, reach every part named in it once, and print a line for each
    Check(Check),
    /// Show how a message would be understood, or where and why not
    Parse(Parse),
    /// Look at purchases
    Purchases {
        #[command(subcommand)]
        verb: Purchases,
    },
    /// Purchases that need a person: list them, or say what became of one
    Review {
        #[command(subcommand)]
        verb: Review,
    },
    /// Ask the peers now what became of a purchase; moves no money
    Inquire(Inquire),
    /// Have a purchase granted that was paid for; only ever as a grant, under its own key
    Grant(Grant),
    /// Have exactly what was charged given back; a second person confirms it
    Refund(Refund),
    /// Say that the channel did take the money, with the evidence; what is fresh is then granted
    MarkPaid(Mark),
    /// Say that the package came by another way; it is then never sent by this one
    MarkGranted(Mark),
    /// What waits for a second person
    Acts {
        #[command(subcommand)]
        verb: Acts,
    },
    /// Let no new charge begin on a channel, or list the channels that are frozen
    Freeze(Freeze),
    /// Let charges begin on a channel again
    Thaw(Thaw),
    /// Hold a channel's statement of a day against the journal, and look after what did not match
    #[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
    Reconcile(Reconcile),
    /// What was taken and given back on a day, by channel, short code, service and package, and whether the statements add up
    Settlement(Settlement),
    /// Who may use the care page
    Operator {
        #[command(subcommand)]
        verb: Operators,
    },
}

#[derive(Debug, Args)]
pub(super) struct Sandbox {
    /// Where the page is served
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8088")]
    pub(super) http: SocketAddr,
    /// Where the journal is kept; a temporary folder otherwise
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
}

/// Which configuration.
#[derive(Debug, Args)]
pub(super) struct At {
    /// The configuration (TOML)
    #[arg(long, value_name = "FILE", env = "PAYGATE_CONFIG")]
    pub(super) config: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    pub(super) at: At,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Parse {
    /// The message; several words need no quotes
    #[arg(required = true, value_name = "TEXT")]
    pub(super) text: Vec<String>,
    /// Take [syntax] and the country from this configuration rather than the built-in ones
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Purchases {
    /// List purchases, newest first
    List(List),
    /// Show one purchase with everything that was ever written about it
    Show(Show),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    pub(super) at: At,
    /// Only those in this state
    #[arg(long, value_parser = PossibleValuesParser::new(State::ALL.map(State::as_str)))]
    pub(super) state: Option<String>,
    /// Only those charged by this channel
    #[arg(long, value_name = "NAME")]
    pub(super) channel: Option<String>,
    /// Only those asked for at or after: 2026-11-22, 2026-11-22T09:30, 2026-11-22T02:30:00Z, or 2h (ago)
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) since: Option<Moment>,
    /// Only those asked for before
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) until: Option<Moment>,
    /// A number in any spelling, an account, an id or a peer's reference
    #[arg(long, value_name = "TEXT")]
    pub(super) search: Option<String>,
    /// Only those that one subscriber was charged for twice in a short time
    #[arg(long)]
    pub(super) surplus: bool,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) limit: u32,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// The purchase's id
    pub(super) id: String,
    #[command(flatten)]
    pub(super) at: At,
    /// With each exact request, and each message's octets
    #[arg(long)]
    pub(super) raw: bool,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Review {
    /// List what waits for a person, the longest waiting first
    List(Waiting),
    /// Say what became of a purchase; the subscriber is told once, and no money is moved by it
    Resolve(Resolve),
}

#[derive(Debug, Args)]
pub(super) struct Waiting {
    #[command(flatten)]
    pub(super) at: At,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Resolve {
    /// The purchase's id
    pub(super) id: String,
    /// What became of it: done (paid, and the package stands), refunded (paid, and the money is back) or declined (not paid)
    #[arg(long = "as", value_name = "OUTCOME", value_parser = verdict)]
    pub(super) verdict: Verdict,
    /// What says so: a statement's line, a ticket
    #[arg(long, value_name = "TEXT")]
    pub(super) evidence: Option<String>,
    #[command(flatten)]
    pub(super) by: By,
    #[command(flatten)]
    pub(super) wait: Wait,
    #[command(flatten)]
    pub(super) at: At,
}

#[derive(Debug, Args)]
pub(super) struct Inquire {
    /// The purchase's id
    pub(super) id: String,
    #[command(flatten)]
    pub(super) by: By,
    #[command(flatten)]
    pub(super) wait: Wait,
    #[command(flatten)]
    pub(super) at: At,
}

#[derive(Debug, Args)]
pub(super) struct Grant {
    /// The purchase's id
    pub(super) id: String,
    /// Grant although the money was given back; a second person confirms it
    #[arg(long = "override")]
    pub(super) overrides: bool,
    #[command(flatten)]
    pub(super) ordered: Ordered,
}

#[derive(Debug, Args)]
pub(super) struct Refund {
    /// The purchase's id
    pub(super) id: String,
    /// What is given back, in the currency's minor unit: exactly what was charged, typed again
    #[arg(long, value_name = "AMOUNT")]
    pub(super) amount: i64,
    /// Give back although the package is granted
    #[arg(long = "override")]
    pub(super) overrides: bool,
    #[command(flatten)]
    pub(super) ordered: Ordered,
}

#[derive(Debug, Args)]
pub(super) struct Mark {
    /// The purchase's id
    pub(super) id: String,
    #[command(flatten)]
    pub(super) ordered: Ordered,
}

/// What goes with each remedy.
#[derive(Debug, Args)]
pub(super) struct Ordered {
    /// What says so: a statement's line, a ticket
    #[arg(long, value_name = "TEXT")]
    pub(super) evidence: Option<String>,
    #[command(flatten)]
    pub(super) by: By,
    #[command(flatten)]
    pub(super) wait: Wait,
    #[command(flatten)]
    pub(super) at: At,
}

#[derive(Debug, Subcommand)]
pub(super) enum Acts {
    /// List what waits for a second person, the longest waiting first
    List(Waiting),
    /// Confirm an act of somebody else's
    Confirm(Confirm),
    /// Take back an act that nobody has confirmed
    Withdraw(Withdraw),
}

#[derive(Debug, Args)]
pub(super) struct Confirm {
    /// The act's number
    pub(super) number: i64,
    /// Who you are; $SUDO_USER or $USER otherwise
    #[arg(long, value_name = "NAME")]
    pub(super) operator: Option<String>,
    #[command(flatten)]
    pub(super) wait: Wait,
    #[command(flatten)]
    pub(super) at: At,
}

#[derive(Debug, Args)]
pub(super) struct Withdraw {
    /// The act's number
    pub(super) number: i64,
    /// Who you are; $SUDO_USER or $USER otherwise
    #[arg(long, value_name = "NAME")]
    pub(super) operator: Option<String>,
    #[command(flatten)]
    pub(super) at: At,
}

#[derive(Debug, Args)]
pub(super) struct Freeze {
    /// The channel's name in the configuration; without one, the channels that are frozen are listed
    pub(super) channel: Option<String>,
    /// List the channels that are frozen
    #[arg(long, conflicts_with = "channel")]
    pub(super) list: bool,
    #[command(flatten)]
    pub(super) by: By,
    #[command(flatten)]
    pub(super) at: At,
    /// Print JSON
    #[arg(long, conflicts_with = "channel")]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Thaw {
    /// The channel's name
    pub(super) channel: String,
    #[command(flatten)]
    pub(super) by: By,
    #[command(flatten)]
    pub(super) at: At,
}

#[derive(Debug, Args)]
pub(super) struct Reconcile {
    #[command(subcommand)]
    pub(super) verb: Option<Reconciliation>,
    /// The channel's or the partner's name
    #[arg(required = true)]
    pub(super) channel: Option<String>,
    /// The channel's own day, such as 2026-11-24
    #[arg(required = true, value_name = "DATE", value_parser = day)]
    pub(super) day: Option<Date>,
    /// The statement; several files of one day are one statement
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// Read it as a new version though it was imported before, since its column map has been mended
    #[arg(long)]
    pub(super) anew: bool,
    /// Who you are; $SUDO_USER or $USER otherwise
    #[arg(long, value_name = "NAME")]
    pub(super) operator: Option<String>,
    /// The configuration (TOML)
    #[arg(long, required = true, value_name = "FILE", env = "PAYGATE_CONFIG")]
    pub(super) config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Reconciliation {
    /// List what did not match and is open, the oldest first
    List(Discrepancies),
    /// Show a day's statement: what it sums up to, and what did not match
    Show(ShowStatement),
    /// Give a discrepancy to somebody
    Assign(Assign),
    /// Say that a weak match is one
    Confirm(About),
    /// List what is proposed for each that is open, with its evidence
    Propose(Discrepancies),
    /// Have done what is proposed for one, with the statement as its evidence
    Remedy(RemedyDiscrepancy),
    /// Explain a discrepancy that stays: journal and statement will not agree, and this is why
    Close(CloseDiscrepancy),
}

#[derive(Debug, Args)]
pub(super) struct Discrepancies {
    #[command(flatten)]
    pub(super) at: At,
    /// Only those of this channel
    #[arg(long, value_name = "NAME")]
    pub(super) channel: Option<String>,
    /// Only those of this day's statement
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub(super) day: Option<Date>,
    /// Only those that stand so
    #[arg(long, value_parser = PossibleValuesParser::new(Standing::ALL.iter().map(|standing| standing.as_str())))]
    pub(super) standing: Option<String>,
    /// Closed ones, too
    #[arg(long)]
    pub(super) all: bool,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) limit: u32,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ShowStatement {
    /// The channel's or the partner's name
    pub(super) channel: String,
    /// The channel's own day
    #[arg(value_name = "DATE", value_parser = day)]
    pub(super) day: Date,
    #[command(flatten)]
    pub(super) at: At,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct About {
    /// The discrepancy's number
    pub(super) number: i64,
    #[command(flatten)]
    pub(super) by: By,
    #[command(flatten)]
    pub(super) at: At,
}

#[derive(Debug, Args)]
pub(super) struct Assign {
    /// Who looks after it from now on
    #[arg(long, value_name = "NAME")]
    pub(super) to: String,
    #[command(flatten)]
    pub(super) about: About,
}

#[derive(Debug, Args)]
pub(super) struct RemedyDiscrepancy {
    #[command(flatten)]
    pub(super) about: About,
    #[command(flatten)]
    pub(super) wait: Wait,
}

#[derive(Debug, Args)]
pub(super) struct Settlement {
    /// The first day, such as 2026-11-24; each channel's own
    #[arg(value_name = "DATE", value_parser = day)]
    pub(super) day: Date,
    /// The last day; otherwise only the one
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub(super) until: Option<Date>,
    /// Only this channel
    #[arg(long, value_name = "NAME")]
    pub(super) channel: Option<String>,
    /// As double entries: each account with its debits and credits
    #[arg(long, conflicts_with_all = ["csv", "json"])]
    pub(super) books: bool,
    /// Print CSV
    #[arg(long, conflicts_with = "json")]
    pub(super) csv: bool,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) at: At,
}

#[derive(Debug, Args)]
pub(super) struct CloseDiscrepancy {
    /// What says so: the channel's letter, a ticket
    #[arg(long, value_name = "TEXT")]
    pub(super) evidence: String,
    #[command(flatten)]
    pub(super) about: About,
}

/// Who acts, and why.
#[derive(Debug, Args)]
pub(super) struct By {
    /// Why; written down for ever, with your name
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
    /// Who you are; $SUDO_USER or $USER otherwise
    #[arg(long, value_name = "NAME")]
    pub(super) operator: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Wait {
    /// How long to wait for a daemon to carry it out
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub(super) wait: Duration,
}

#[derive(Debug, Subcommand)]
pub(super) enum Operators {
    /// Make an account; its password is asked for without being shown
    Add(NewOperator),
    /// List the accounts
    List(OperatorsAt),
    /// Close an account; what its owner did stands for ever
    Disable(Named),
    /// Open a closed account again
    Enable(Named),
    /// Set another password, and end the sessions of the old one
    Password(Secret),
}

#[derive(Debug, Args)]
pub(super) struct NewOperator {
    #[command(flatten)]
    pub(super) named: Named,
    /// agent, supervisor, accountant or administrator
    #[arg(long, value_parser = role)]
    pub(super) role: Role,
    /// Read the password from this file's first line, rather than from the terminal or from stdin
    #[arg(long = "password-file", value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Secret {
    #[command(flatten)]
    pub(super) named: Named,
    /// Read the password from this file's first line, rather than from the terminal or from stdin
    #[arg(long = "password-file", value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct OperatorsAt {
    #[command(flatten)]
    pub(super) at: At,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Named {
    /// The name that is typed at the login
    pub(super) name: String,
    /// Who you are; $SUDO_USER or $USER otherwise
    #[arg(long, value_name = "NAME")]
    pub(super) operator: Option<String>,
    #[command(flatten)]
    pub(super) at: At,
}

fn verdict(word: &str) -> Result<Verdict, String> {
    let found = Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == word);
    found.ok_or_else(|| "expected done, refunded or declined".to_owned())
}

fn day(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| "expected a day such as 2026-11-24".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "expected a duration such as 10s or 2m".to_owned())
}
