//! The configuration as its author meets it: what a file becomes, and every sentence about what is wrong with it.

use paygate::config::{Charging, Config, Environment, LinkKind, Signature};
use secrecy::ExposeSecret;
use std::fmt::Write;
use std::time::Duration;

/// The least that a daemon can run with.
const MINIMAL: &str = r#"
[[smsc]]
name = "viettel"
address = "127.0.0.1:2775"
password = "secret"
short_codes = ["9029"]
[charging.viettel]
kind = "carrier-billing"
base_url = "http://127.0.0.1:9001/carrier-billing/v0.5"
token = "secret"
[package_manager]
base_url = "http://127.0.0.1:9002"
token = "secret"
"#;

fn environment(variables: &[(&str, &str)]) -> Environment {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn parse(text: &str) -> Config {
    Config::parse(text, &Environment::new()).unwrap()
}

fn errors(text: &str, variables: &[(&str, &str)]) -> String {
    Config::parse(text, &environment(variables)).map_or_else(|errors| errors.to_string(), |_| String::new())
}

#[test]
fn every_fault_is_told_in_a_line_of_its_own() {
    let faulty = include_str!("golden/config-faults.toml");
    let mut told = String::new();
    for case in faulty.split("#### ").skip(1) {
        let (title, text) = case.split_once('\n').unwrap();
        writeln!(told, "#### {title}\n{}", errors(text, &[])).unwrap();
    }
    let expected = include_str!("golden/config-faults.txt");
    assert_eq!(told, expected, "the sentences changed; they now read:\n{told}");
}

#[test]
fn the_example_names_every_key_with_its_default() {
    let example = include_str!("../../docs/paygate.example.toml");
    assert_eq!(format!("{:#?}", parse(example)), format!("{:#?}", parse(MINIMAL)));
    let readers = [
        include_str!("../../src/config/apps.rs"),
        include_str!("../../src/config/care.rs"),
        include_str!("../../src/config/doors.rs"),
        include_str!("../../src/config/neighbours.rs"),
        include_str!("../../src/config/partners.rs"),
        include_str!("../../src/config/pay123.rs"),
        include_str!("../../src/config/policy.rs"),
        include_str!("../../src/config/statements.rs"),
        include_str!("../../src/config/ussd.rs"),
    ]
    .concat();
    let is_key = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let calls = [
        "text(\"",
        "worded(\"",
        "integer(\"",
        "boolean(\"",
        "duration(\"",
        "list(\"",
        "secret(\"",
        "parsed(\"",
        "choice(\"",
    ];
    let keys = calls.iter().flat_map(|call| readers.split(call).skip(1)).filter_map(|rest| rest.split('"').next());
    let missing: Vec<&str> = keys.filter(is_key).filter(|key| !example.contains(&format!("{key} = "))).collect();
    assert_eq!(missing, ["urls"; 0], "keys that the example leaves out");
}

#[test]
fn the_environment_overrides_the_file_key_by_key() {
    let variables = environment(&[
        ("PAYGATE__HTTP__LISTEN", "0.0.0.0:9000"),
        ("PAYGATE__PURCHASE__COUNTRY_CODE", "855"),
        ("PAYGATE__PURCHASE__OTP_LENGTH", "8"),
        ("PAYGATE__PURCHASE__CONFIRM_WITHOUT_CODE", "true"),
        ("PAYGATE__SYNTAX__BUY", "MUA, DK"),
        ("PAYGATE__SMSC__0__WINDOW", "7"),
        ("PAYGATE__SMSC__0__SHORT_CODES", r#"["9029", "9030"]"#),
        ("PAYGATE__CHARGING__VIETTEL__TOKEN", "other"),
        ("PAYGATE_CONFIG", "is none of ours"),
    ]);
    let config = Config::parse(MINIMAL, &variables).unwrap();
    assert_eq!(config.http.listen.to_string(), "0.0.0.0:9000");
    assert_eq!(config.purchase.country_code, "855");
    assert_eq!(config.purchase.otp_length, 8);
    assert!(config.purchase.confirm_without_code);
    assert_eq!(config.syntax.buy, ["MUA", "DK"]);
    let LinkKind::Smpp(link) = &config.smsc[0].kind else { panic!("an SMPP link") };
    assert_eq!(link.window, 7);
    assert_eq!(config.smsc[0].short_codes, ["9029", "9030"]);
    let Charging::CarrierBilling(channel) = &config.charging["viettel"] else { panic!("carrier billing") };
    assert_eq!(channel.token.expose_secret(), "other");
}

#[test]
fn a_channel_of_123pay_needs_four_keys_and_has_defaults_for_the_rest() {
    let bank = r#"
[charging.bank]
kind = "123pay"
base_url = "http://127.0.0.1:9003/miservice"
merchant_code = "MICODE"
passcode = "MIPASSCODE"
secret_key = "MIKEY"
"#;
    let config = parse(&(chosen() + bank));
    let Charging::Pay123(settings) = &config.charging["bank"] else { panic!("123PAY") };
    assert_eq!(settings.return_url, "http://127.0.0.1:9003/", "123PAY's own front page");
    assert_eq!((settings.bank_code.as_str(), settings.client_ip.to_string().as_str()), ("123PAY", "127.0.0.1"));
    assert_eq!((settings.link_ttl, settings.notify_max_age), (Duration::from_secs(900), Duration::from_secs(300)));
    assert!(!format!("{settings:?}").contains("MIPASSCODE") && !format!("{settings:?}").contains("MIKEY"));
}

/// Beside the defaults of the daemon, the example shows those of the second kind of channel, commented out.
#[test]
fn the_examples_123pay_channel_shows_the_defaults() {
    let example = include_str!("../../docs/paygate.example.toml");
    let section = example.split("# [charging.bank]").nth(1).unwrap().split("\n\n").next().unwrap();
    let given = section.lines().filter_map(|line| line.strip_prefix("# ")).collect::<Vec<_>>().join("\n");
    let least = given.lines().filter(|line| {
        ["kind", "base_url", "merchant_code", "passcode", "secret_key"].iter().any(|key| line.starts_with(key))
    });
    let least = least.collect::<Vec<_>>().join("\n");
    let parsed = |keys: &str| format!("{:#?}", parse(&format!("{}\n[charging.bank]\n{keys}", chosen())).charging);
    assert_eq!(parsed(&given), parsed(&least));
}

/// So it does for the gateways that bring dialogues over sockets of their own kinds.
#[test]
fn the_examples_ussd_gateways_show_the_defaults() {
    let example = include_str!("../../docs/paygate.example.toml");
    for (name, required) in
        [("viettel", &["kind", "link"][..]), ("line", &["kind", "link", "address", "spid", "password"])]
    {
        let section = example.split(&format!("# [ussd.{name}]")).nth(1).unwrap().split("\n\n").next().unwrap();
        let given = section.lines().filter_map(|line| line.strip_prefix("# ")).collect::<Vec<_>>();
        let least = given.iter().copied().filter(|line| required.iter().any(|key| line.starts_with(key)));
        let parsed = |keys: Vec<&str>| {
            let text = format!("{MINIMAL}\n[menu]\n[ussd.{name}]\n{}", keys.join("\n"));
            format!("{:#?}", parse(&text).ussd)
        };
        assert_eq!(parsed(given.clone()), parsed(least.collect()));
    }
}

/// [`MINIMAL`] with its link's channel named, so that there may be two.
fn chosen() -> String {
    MINIMAL.replace("short_codes", "charging = \"viettel\"\nshort_codes")
}

#[test]
fn a_whole_configuration_can_come_from_the_environment() {
    let variables = environment(&[
        ("PAYGATE__SMSC__0__NAME", "viettel"),
        ("PAYGATE__SMSC__0__ADDRESS", "tls://smsc.example:2775"),
        ("PAYGATE__SMSC__0__PASSWORD", ""),
        ("PAYGATE__SMSC__0__SHORT_CODES", "9029"),
        ("PAYGATE__CHARGING__VIETTEL__KIND", "carrier-billing"),
        ("PAYGATE__CHARGING__VIETTEL__BASE_URL", "http://billing.example/carrier-billing/v0.5/"),
        ("PAYGATE__CHARGING__VIETTEL__TOKEN", "secret"),
        ("PAYGATE__CHARGING__VIETTEL__INQUIRY_PLAN", "1s,2s"),
        ("PAYGATE__PACKAGE_MANAGER__BASE_URL", "http://packages.example"),
        ("PAYGATE__PACKAGE_MANAGER__TOKEN", "secret"),
    ]);
    let config = Config::parse("", &variables).unwrap();
    let LinkKind::Smpp(link) = &config.smsc[0].kind else { panic!("an SMPP link") };
    assert!(link.tls);
    assert_eq!(link.address, "smsc.example:2775");
    assert_eq!(config.smsc[0].charging, "viettel");
    let Charging::CarrierBilling(channel) = &config.charging["viettel"] else { panic!("carrier billing") };
    assert_eq!(channel.refund_url, "http://billing.example/carrier-billing-refund/v0.3");
    assert_eq!(channel.inquiry_plan, [Duration::from_secs(1), Duration::from_secs(2)]);
}

#[test]
fn a_fault_from_the_environment_names_its_variable() {
    let told = errors(
        MINIMAL,
        &[
            ("PAYGATE__HTTP__LISEN", "127.0.0.1:1"),
            ("PAYGATE__PURCHASE__OTP_LENGTH", "six"),
            ("PAYGATE__SMSC__4__NAME", "far"),
            ("PAYGATE__SMSC__FIRST__NAME", "x"),
            ("PAYGATE__HTTP__", "x"),
        ],
    );
    let expected = "\
PAYGATE__HTTP__: a name between the underscores is empty; expected PAYGATE__SECTION__KEY, as in PAYGATE__HTTP__LISTEN
PAYGATE__SMSC__4__NAME: smsc has 1 entries, counted from 0, so the next one is 1; \
expected PAYGATE__SECTION__KEY, as in PAYGATE__HTTP__LISTEN
PAYGATE__SMSC__FIRST__NAME: smsc is a list, and \"FIRST\" is no place in it; \
expected PAYGATE__SECTION__KEY, as in PAYGATE__HTTP__LISTEN
http.lisen (from PAYGATE__HTTP__LISEN): is not a known key; the nearest known one is http.listen
purchase.otp_length (from PAYGATE__PURCHASE__OTP_LENGTH): \"six\" cannot be used; expected a whole number from 4 to 10";
    assert_eq!(told, expected);
}

#[test]
fn secrets_come_from_files_beside_the_configuration_or_from_systemd() {
    let folder = tempfile::tempdir().unwrap();
    let (file, credentials) = (folder.path().join("paygate.toml"), folder.path().join("credentials"));
    std::fs::create_dir(&credentials).unwrap();
    std::fs::write(folder.path().join("password"), "beside\n").unwrap();
    std::fs::write(credentials.join("password"), "from systemd\r\n").unwrap();
    std::fs::write(&file, MINIMAL.replace("password = \"secret\"", "password_file = \"password\"")).unwrap();
    let password = |variables: &[(&str, &str)]| {
        let config = Config::load(&file, &environment(variables)).unwrap();
        let LinkKind::Smpp(link) = &config.smsc[0].kind else { panic!("an SMPP link") };
        link.password.expose_secret().to_owned()
    };
    assert_eq!(password(&[]), "beside");
    assert_eq!(password(&[("CREDENTIALS_DIRECTORY", credentials.to_str().unwrap())]), "from systemd");
    assert_eq!(password(&[("PAYGATE__SMSC__0__PASSWORD", "from outside")]), "from outside");
}

#[test]
fn no_fault_repeats_a_secret() {
    let text = MINIMAL.replace("password = \"secret\"", "password = 5550123\npassword_file = \"hush\"")
        + "[redis]\nurl = \"hush://hush\"\n";
    let told = errors(&text.replace("token = \"secret\"", "token = [\"hush\"]"), &[])
        + &errors(MINIMAL, &[("PAYGATE__JOURNAL__URL", "hush")]);
    assert!(told.lines().count() > 3, "{told}");
    assert!(!told.contains("hush") && !told.contains("5550123"), "{told}");
}

#[test]
fn a_missing_file_is_a_fault_like_any_other() {
    let told = Config::load("/nonexistent/paygate.toml".as_ref(), &Environment::new()).unwrap_err().to_string();
    assert_eq!(
        told,
        "/nonexistent/paygate.toml: cannot be read (No such file or directory (os error 2)); expected a TOML file"
    );
}

#[test]
fn a_partner_is_signed_bounded_and_told_of_by_a_link() {
    let text = format!(
        "{MINIMAL}[partner.vinaphone]\nsecret = \"hush\"\n[partner.viettel]\nsecret = \"hush\"\nsignature = \"sha1\"\n\
         allow = [\"127.0.0.1/32\"]\nrate = 5\nmax_age = \"1m\"\notp = \"partner\"\nlink = \"viettel\"\n"
    );
    let partners = parse(&text).partner;
    let first = &partners["vinaphone"];
    assert_eq!((first.signature, first.rate, first.allow.len()), (Signature::HmacSha256, 50, 0));
    assert_eq!((first.max_age, &first.link), (Duration::from_secs(300), &None));
    // One telco may do both, under one name.
    let second = &partners["viettel"];
    assert_eq!((second.signature, second.rate, second.allow.len()), (Signature::Sha1, 5, 1));
    assert_eq!((second.max_age, second.link.as_deref()), (Duration::from_secs(60), Some("viettel")));
    let told = format!("{:?}", partners);
    assert!(!told.contains("hush"), "{told}");
}
