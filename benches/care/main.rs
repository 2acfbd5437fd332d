//! How soon a care agent finds a purchase among millions: `cargo bench --bench care -- --purchases 1000000 [--dir DIR]
//! [--postgres postgres://…]`. Fills an empty journal by plain bulk SQL and times what the care page asks, through the same
//! code. Measures; passes no judgement. What it fills in a temporary folder goes with it; a database of PostgreSQL is the
//! caller's to drop.

mod fill;

use fill::Filled;
use paygate::config;
use paygate::journal::Journal;
use paygate::journal::rows::{Filter, Pending, Place, Search};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Each question is asked so often, about another purchase each time.
const TIMES: u64 = 200;

struct Asked {
    purchases: u64,
    postgres: Option<String>,
    dir: Option<PathBuf>,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let asked = asked();
    let dir = asked.dir.as_ref().map_or_else(tempfile::tempdir, tempfile::tempdir_in).expect("a temporary directory");
    let file = dir.path().join("care.db");
    let url = asked.postgres.clone().unwrap_or_else(|| format!("sqlite:{}", file.display()));
    let config = config::Journal {
        url: url.clone().into(),
        readers: 2,
        statement_timeout: Duration::from_mins(1),
        max_lag: Duration::ZERO,
    };
    // The daemon's own hand makes the schema, and is gone before anything is measured.
    drop(Journal::open(&config).await.expect("the store opens"));
    let start = Instant::now();
    let filled = fill::fill(&url, asked.purchases).await;
    let size = std::fs::metadata(&file).map_or(0, |file| file.len() >> 20);
    let store = if asked.postgres.is_some() { "PostgreSQL" } else { "SQLite" };
    println!(
        "{store}: {} purchases in {:.0?}, {size} MiB in one file; {}",
        asked.purchases,
        start.elapsed(),
        machine()
    );
    let journal = Journal::open_for_reading(&config).await.expect("the store opens");
    println!("{:<44} {:>6} {:>10} {:>10} {:>10}", "asked", "found", "first", "p50", "p99");
    for (name, filter) in questions(filled) {
        measure(&journal, name, filter).await;
    }
    let mut waits = Vec::new();
    for _ in 0..TIMES {
        let before = Instant::now();
        journal.backlog().await.expect("the store answers");
        waits.push(before.elapsed());
    }
    print("the first screen's figures", 1, waits);
}

type Question = (&'static str, Box<dyn Fn(u64) -> Filter>);

/// The n-th of each.
fn questions(filled: Filled) -> Vec<Question> {
    fn one(name: &'static str, filter: impl Fn(u64) -> Filter + 'static) -> Question {
        (name, Box::new(move |n| Filter { limit: 51, ..filter(n) }))
    }
    let at = move |n: u64| n.wrapping_mul(7_919_993) % filled.purchases;
    let search = |words: String| Filter { search: Some(Search::exactly(&words)), ..Filter::default() };
    let number = move |national: String| Search {
        msisdn: Some(format!("+84{}", &national[1..])),
        account: Some(national.clone()),
        words: national,
    };
    let with = |change: fn(&mut Filter)| {
        move |_| {
            let mut filter = Filter::default();
            change(&mut filter);
            filter
        }
    };
    vec![
        one("search: a number", move |n| Filter { search: Some(number(filled.national(at(n)))), ..Filter::default() }),
        one("search: a number with 10,000 purchases", move |_| Filter {
            search: Some(number(Filled::BUSY.to_owned())),
            ..Filter::default()
        }),
        one("search: an account that is no number", move |n| search(filled.account(at(n)))),
        one("search: an id", move |n| search(filled.id(at(n)))),
        one("search: a charge's key", move |n| search(format!("{}-c1", filled.id(at(n))))),
        one("search: a channel's reference", move |n| search(format!("PAY{}", at(n)))),
        one("search: the package manager's reference", move |n| search(format!("GRANT{}", at(n)))),
        one("search: what is nowhere", move |n| search(format!("nowhere-{n}"))),
        one("list: the newest", with(|_| {})),
        one("list: from any moment on, page by page", move |n| Filter {
            after: Some(Place { created_at: filled.moment(at(n)), id: "8".to_owned() }),
            ..Filter::default()
        }),
        one("list: one day", move |n| Filter {
            since: Some(filled.moment(at(n))),
            until: Some(filled.moment(at(n)) + 86_400_000_000),
            ..Filter::default()
        }),
        one("list: declined", with(|filter| filter.state = Some("declined".to_owned()))),
        one("list: refunded, one in a thousand", with(|filter| filter.state = Some("refunded".to_owned()))),
        one("list: in review", with(|filter| filter.state = Some("review".to_owned()))),
        one("list: open", with(|filter| filter.backlog = Some(Pending::Open))),
        one("list: unknown", with(|filter| filter.backlog = Some(Pending::Unknown))),
        one("list: charged twice", with(|filter| filter.surplus = true)),
        one("list: a channel of one in ten", with(|filter| filter.channel = Some("bank".to_owned()))),
        one("list: a type used ten times, years ago", with(|filter| filter.door = Some("ussd".to_owned()))),
        one("list: a channel that was never used", with(|filter| filter.channel = Some("momo".to_owned()))),
        one(
            "list: expired at one channel",
            with(|filter| {
                filter.state = Some("expired".to_owned());
                filter.channel = Some("bank".to_owned());
            }),
        ),
    ]
}

async fn measure(journal: &Journal, name: &str, filter: impl Fn(u64) -> Filter) {
    let (mut waits, mut most) = (Vec::new(), 0);
    let whole = Instant::now();
    for n in 0..TIMES {
        let before = Instant::now();
        let found = journal.list(&filter(n)).await.expect("the store answers").len();
        waits.push(before.elapsed());
        most = most.max(found);
        // What takes seconds need not be asked two hundred times to be known as slow.
        if whole.elapsed() > Duration::from_secs(20) {
            break;
        }
    }
    print(name, most, waits);
}

fn print(name: &str, found: usize, mut waits: Vec<Duration>) {
    let first = waits[0];
    waits.sort_unstable();
    let at = |part: usize| waits[(waits.len() * part / 100).min(waits.len() - 1)];
    println!("{name:<44} {found:>6} {first:>10.2?} {:>10.2?} {:>10.2?}", at(50), at(99));
}

/// Cores and processor, as far as the system says.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    format!("{cores} cores, {}", model.map_or("unknown", |(_, model)| model))
}

fn asked() -> Asked {
    let mut asked = Asked { purchases: 1_000_000, postgres: None, dir: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--purchases" => asked.purchases = words.next().and_then(|it| it.parse().ok()).expect("--purchases N"),
            "--postgres" => asked.postgres = words.next(),
            "--dir" => asked.dir = words.next().map(PathBuf::from),
            // `cargo bench` adds it.
            "--bench" => {}
            other => panic!("{other} is not known; --purchases, --postgres and --dir are"),
        }
    }
    asked
}
