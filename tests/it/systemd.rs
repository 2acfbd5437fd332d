//! The files for systemd, held against systemd's own tools. `tests/run` installs them.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

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

/// Kills the daemon when a test ends early.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Reads what the daemon tells systemd until it has told `sign`; returns all of it.
fn heard_until(systemd: &UnixDatagram, sign: &str) -> BTreeSet<String> {
    let mut heard = BTreeSet::new();
    let mut buffer = [0; 4096];
    while !heard.contains(sign) {
        let length = systemd.recv(&mut buffer).unwrap_or_else(|error| panic!("{sign} never came ({error}): {heard:?}"));
        heard.extend(str::from_utf8(&buffer[..length]).unwrap().lines().map(str::to_owned));
    }
    heard
}

#[test]
fn systemd_hears_when_the_daemon_is_ready_alive_and_stopping() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("notify");
    let systemd = UnixDatagram::bind(&socket).unwrap();
    systemd.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let file = crate::cli::configuration(folder.path(), "[http]\nlisten = \"127.0.0.1:0\"\n");
    let daemon = Command::new(env!("CARGO_BIN_EXE_paygate"))
        .args(["run", "--config", file.to_str().unwrap()])
        .env("NOTIFY_SOCKET", &socket)
        .env("WATCHDOG_USEC", "2000000")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut daemon = Daemon(daemon);
    heard_until(&systemd, "READY=1");
    heard_until(&systemd, "WATCHDOG=1");
    let told = Command::new("kill").args(["-TERM", &daemon.0.id().to_string()]).status().unwrap();
    assert!(told.success());
    heard_until(&systemd, "STOPPING=1");
    assert_eq!(daemon.0.wait().unwrap().code(), Some(0));
}
