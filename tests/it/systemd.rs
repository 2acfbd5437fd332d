//! The files for systemd, held against systemd's own tools. `tests/run` installs them.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd").join(name)
}

/// Runs a tool of systemd and gives all that it says.
fn run(tool: &str, arguments: &[&str]) -> (bool, String) {
    let Output { status, stdout, stderr } = Command::new(tool)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{tool} cannot be run ({error}); tests/run installs it"));
    (status.success(), String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr))
}

#[test]
fn the_unit_is_as_closed_as_it_is_said_to_be() {
    let unit = file("paygate.service");
    let (closed, said) =
        run("systemd-analyze", &["security", "--offline=yes", "--threshold=15", unit.to_str().unwrap()]);
    assert!(closed, "{said}");
}

#[test]
fn systemd_understands_every_line_of_the_unit() {
    let folder = tempfile::tempdir().unwrap();
    // verify wants the program to be there; the unit's own text is what is tried.
    let program = folder.path().join("paygate");
    std::fs::write(&program, "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let unit = folder.path().join("paygate.service");
    let text = std::fs::read_to_string(file("paygate.service")).unwrap();
    std::fs::write(&unit, text.replace("/usr/bin/paygate", program.to_str().unwrap())).unwrap();
    let (understood, said) = run("systemd-analyze", &["verify", "--man=no", unit.to_str().unwrap()]);
    let about_us: Vec<&str> = said.lines().filter(|line| line.contains("paygate.service")).collect();
    assert!(understood && about_us.is_empty(), "{said}");
}

#[test]
fn users_and_folders_are_made_as_written() {
    let folder = tempfile::tempdir().unwrap();
    let root = format!("--root={}", folder.path().display());
    let (made, said) = run("systemd-sysusers", &["--dry-run", &root, file("paygate.sysusers").to_str().unwrap()]);
    assert!(made && said.contains("paygate"), "{said}");
    let (made, said) = run("systemd-tmpfiles", &["--create", &root, file("paygate.tmpfiles").to_str().unwrap()]);
    assert!(made, "{said}");
    let credentials = folder.path().join("etc/paygate/credentials");
    assert_eq!(credentials.metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn journalctl_can_explain_the_fixed_records() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = folder.path().join("usr/lib/systemd/catalog");
    std::fs::create_dir_all(&catalogue).unwrap();
    std::fs::copy(file("paygate.catalog"), catalogue.join("paygate.catalog")).unwrap();
    let root = format!("--root={}", folder.path().display());
    assert_eq!(run("journalctl", &[&root, "--update-catalog"]), (true, String::new()));
    let (shown, pages) = run("journalctl", &[&root, "--dump-catalog"]);
    assert!(shown && pages.contains("Subject: Purchase @PURCHASE@ needs a person"), "{pages}");
}
