//! The shape of the tree, held by a test: who may know whom, what the pure parts must not touch, how long things may be.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a file, tests at its end included.
const FILE_LINES: usize = 600;
/// Lines of a function.
const FUNCTION_LINES: usize = 70;
/// Names that say nothing about what is inside.
const VAGUE: [&str; 8] = ["utils", "util", "helpers", "common", "misc", "shared", "types", "manager"];
/// What the pure parts must not name: a runtime, a store, a clock, randomness, files, threads, sockets.
const IMPURE: [&str; 11] = [
    "tokio",
    "sqlx",
    "reqwest",
    "redis",
    "getrandom",
    "std::fs",
    "std::net",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "std::env",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(below: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(below)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&entry).unwrap();
                found.push((entry.strip_prefix(root()).unwrap().to_owned(), text));
            }
        }
    }
    found
}

fn all() -> Vec<(PathBuf, String)> {
    ["src", "parsers/src"].into_iter().flat_map(sources).collect()
}

/// Code without its comments and without the tests at the end of the file.
fn code(text: &str) -> String {
    let before_tests = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    before_tests.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The modules of the crate in reading order: each may know only what stands above it.
fn reading_order() -> Vec<String> {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).map(str::to_owned).collect()
}

fn module_of(path: &Path) -> String {
    let inner = path.strip_prefix("src").unwrap();
    inner.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

#[test]
fn a_module_knows_only_what_stands_above_it() {
    let order = reading_order();
    let place: BTreeMap<&str, usize> = order.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let mut wrong = Vec::new();
    for (path, text) in sources("src") {
        let Some(own) = place.get(module_of(&path).as_str()) else { continue };
        let text = code(&text);
        for name in &order {
            let known = text.contains(&format!("crate::{name}::")) || text.contains(&format!("crate::{name};"));
            if known && place[name.as_str()] > *own {
                wrong.push(format!("{} knows {name}, which stands below it in src/lib.rs", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_pure_parts_name_no_runtime_store_clock_or_randomness() {
    let mut wrong = Vec::new();
    let pure = [sources("src/purchase"), sources("parsers/src")].concat();
    let core = (PathBuf::from("src/purchase.rs"), fs::read_to_string(root().join("src/purchase.rs")).unwrap());
    for (path, text) in pure.into_iter().chain([core]) {
        let text = code(&text);
        wrong.extend(
            IMPURE.iter().filter(|word| text.contains(**word)).map(|word| format!("{} names {word}", path.display())),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_file_says_at_its_top_what_it_is() {
    let tests = sources("tests").into_iter().chain(sources("benches"));
    let silent: Vec<String> = all()
        .into_iter()
        .chain(tests)
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(silent.is_empty(), "no //! at the top of {}", silent.join(", "));
}

#[test]
fn files_and_functions_fit_on_a_screen_or_a_few() {
    let mut long = Vec::new();
    for (path, text) in all() {
        let lines = text.lines().count();
        if lines > FILE_LINES {
            long.push(format!("{} has {lines} lines, {FILE_LINES} at most", path.display()));
        }
        for (name, length) in functions(&text) {
            if length > FUNCTION_LINES {
                long.push(format!("{}: {name} has {length} lines, {FUNCTION_LINES} at most", path.display()));
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

/// Each function's name and length, by rustfmt's layout: from `fn` to the brace at its own indent.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let Some(name) = line.split("fn ").nth(1).filter(|_| !line.trim_start().starts_with("//")) else { continue };
        if line.trim_end().ends_with(['}', ';']) {
            continue;
        }
        let end = format!("{}}}", " ".repeat(indent));
        if let Some(length) = lines[start..].iter().position(|line| *line == end) {
            let name: String = name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            found.push((name, length + 1));
        }
    }
    found
}

#[test]
fn names_say_what_is_inside_and_nothing_is_left_for_later() {
    let mut wrong = Vec::new();
    for (path, text) in all() {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        if VAGUE.contains(&stem) {
            wrong.push(format!("{} has a name that says nothing", path.display()));
        }
        for mark in ["TODO", "FIXME", "XXX", "todo!(", "unimplemented!(", "#[allow(", "dbg!("] {
            if text.contains(mark) {
                wrong.push(format!("{} holds {mark}", path.display()));
            }
        }
        let bare = if stem == "tests" { 0 } else { code(&text).matches(".unwrap()").count() };
        if bare > 0 {
            wrong.push(format!("{} unwraps {bare} times outside its tests", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
