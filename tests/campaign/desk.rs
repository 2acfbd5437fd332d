//! One care person at a desk: a browser that shows nothing, logged in at the care page of whichever instance answers. Looks
//! purchases up as a person would and sends forms as the page has them; knows the journal by the page alone.

use super::acts::Answer;
use super::ground::Ground;
use reqwest::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::{Client, Method, redirect};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

const PASSWORD: &str = "correct horse battery";
/// A page that is not there by then is asked for at another instance.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(150);
/// A page is asked for again as long as that: an instance or its database may be down for a while.
const INSISTS_FOR: Duration = Duration::from_secs(30);

pub(super) struct Desk {
    pub(super) name: &'static str,
    pub(super) logins: AtomicU64,
    ground: Arc<Ground>,
    client: Client,
    cookie: Mutex<Option<String>>,
    /// At which instance it looks now.
    turn: AtomicUsize,
}

/// An answer, whole.
struct Page {
    status: u16,
    text: String,
    location: String,
}

/// A purchase's page as somebody has it before them.
pub(super) struct Sheet {
    pub(super) id: String,
    pub(super) text: String,
    csrf: String,
    /// State, review, paid and granted, as each form on it says.
    pub(super) seen: String,
}

impl Desk {
    /// Somebody new: an account as `paygate operator add` makes it, and a browser.
    pub(super) async fn hire(ground: &Arc<Ground>, name: &'static str, role: &'static str) -> Self {
        let config = ground.folder().join("paygate.toml");
        let mut adding = Command::new(env!("CARGO_BIN_EXE_paygate"))
            .args(["operator", "add", name, "--role", role, "--config"])
            .arg(config)
            .env("USER", "root")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        adding.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes()).await.unwrap();
        assert!(adding.wait().await.unwrap().success(), "{name} is hired as {role}");
        let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).timeout(PATIENCE).build().unwrap();
        let (cookie, turn, logins) = (Mutex::default(), AtomicUsize::default(), AtomicU64::default());
        Self { name, logins, ground: Arc::clone(ground), client, cookie, turn }
    }

    /// Finds the purchase for this account or of this phone, and opens it.
    pub(super) async fn finds(&self, words: &str) -> Option<Sheet> {
        let list = self.reads(&format!("/care/purchases?q={words}")).await?;
        let (_, rest) = list.split_once("href=\"/care/purchases/")?;
        self.opens(rest.split('"').next()?).await
    }

    pub(super) async fn opens(&self, id: &str) -> Option<Sheet> {
        let text = self.reads(&format!("/care/purchases/{id}")).await?;
        Sheet::of(id, text)
    }

    /// Finds purchases that wait for a person.
    pub(super) async fn reviews(&self) -> Vec<String> {
        let list = self.reads("/care/purchases?state=review").await.unwrap_or_default();
        let links = list.split("href=\"/care/purchases/").skip(1);
        links.filter_map(|link| Some(link.split('"').next()?.to_owned())).collect()
    }

    /// Purchases with an act that waits for a second person.
    pub(super) async fn waiting(&self) -> Vec<String> {
        let home = self.reads("/care").await.unwrap_or_default();
        let waiting = home.split("href=\"/care/purchases/").filter(|link| link.contains("waits for a second person"));
        waiting.filter_map(|link| Some(link.split('"').next()?.to_owned())).collect()
    }

    /// Sends a form of this page, once.
    pub(super) async fn files(&self, sheet: &Sheet, verb: &str, fields: &[(&str, &str)]) -> Answer {
        let own = [("csrf", sheet.csrf.as_str()), ("seen", sheet.seen.as_str())];
        self.sends(&format!("/care/purchases/{}/{verb}", sheet.id), &[fields, &own].concat()).await
    }

    /// Confirms an act of a colleague's, or takes one back.
    pub(super) async fn says(&self, sheet: &Sheet, act: i64, word: &str) -> Answer {
        self.sends(&format!("/care/acts/{act}/{word}"), &[("csrf", sheet.csrf.as_str())]).await
    }

    async fn sends(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let Some(page) = self.asks(Method::POST, path, fields).await else { return Answer::Lost };
        match page.status {
            303 if page.location.starts_with("/care/login") => Answer::LoggedOut,
            403 if page.text.contains("of another session") => Answer::LoggedOut,
            303 => match page.location.split_once("?done=").and_then(|(_, number)| number.parse().ok()) {
                Some(number) => Answer::Written(number),
                None => Answer::SentBefore,
            },
            // Nobody knows what became of it.
            500.. => Answer::Lost,
            status => Answer::Refused(status),
        }
    }

    /// A page, at one instance after the other; logs in where it must.
    async fn reads(&self, path: &str) -> Option<String> {
        let end = Instant::now() + INSISTS_FOR;
        while Instant::now() < end {
            match self.asks(Method::GET, path, &[]).await {
                Some(page) if page.status == 200 => return Some(page.text),
                Some(page) if page.status == 404 => return None,
                Some(page) if page.location.starts_with("/care/login") => self.logs_in().await,
                _ => {}
            }
            sleep(PAUSE).await;
        }
        None
    }

    async fn logs_in(&self) {
        let form = [("name", self.name), ("password", PASSWORD)];
        if self.asks(Method::POST, "/care/login", &form).await.is_some_and(|page| page.status == 303) {
            self.logins.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The browser is closed; whoever opens it again logs in.
    pub(super) fn closes(&self) {
        *self.cookie.lock().unwrap() = None;
    }

    /// Once. Where nobody answers the next try is at another instance.
    async fn asks(&self, method: Method, path: &str, fields: &[(&str, &str)]) -> Option<Page> {
        let base = self.ground.door(self.turn.load(Ordering::Relaxed));
        let mut request = self.client.request(method.clone(), format!("{base}{path}")).header(ORIGIN, &base);
        if let Some(cookie) = self.cookie.lock().unwrap().clone() {
            request = request.header(COOKIE, cookie);
        }
        if method == Method::POST {
            request = request.form(fields);
        }
        let heard = async {
            let answer = request.send().await.ok()?;
            let header = |name| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            let (status, cookie) = (answer.status().as_u16(), header(SET_COOKIE));
            let location = header(LOCATION).unwrap_or_default();
            if let Some(pair) = cookie.as_deref().and_then(|set| set.split(';').next()) {
                *self.cookie.lock().unwrap() = Some(pair.to_owned());
            }
            Some(Page { status, text: answer.text().await.ok()?, location })
        };
        let page = heard.await;
        if page.as_ref().is_none_or(|page| page.status >= 500) {
            self.turn.fetch_add(1, Ordering::Relaxed);
        }
        page
    }
}

impl Sheet {
    fn of(id: &str, text: String) -> Option<Self> {
        let csrf = between(&text, "name=\"csrf\" value=\"", "\"")?.to_owned();
        let heading = between(&text, "<div class=\"heading\">", "class=\"again\"")?;
        let pill = |part: &str| {
            let (_, rest) = part.split_once("class=\"pill\"")?;
            Some(between(rest, ">", "<")?.replace(' ', "_"))
        };
        let review = between(heading, "<small>", "<").unwrap_or_default().replace(' ', "_");
        let [paid, granted] = ["paid", "granted"].map(|name| {
            let (_, rest) = text.split_once(&format!("<section class=\"{name}\">"))?;
            let (_, rest) = rest.split_once("class=\"pill\"")?;
            between(rest, ">", "<")
        });
        let seen = format!("{} {review} {} {}", pill(heading)?, paid?, granted?);
        Some(Self { id: id.to_owned(), csrf, seen, text })
    }

    pub(super) fn state(&self) -> &str {
        self.seen.split(' ').next().unwrap_or_default()
    }

    pub(super) fn paid(&self) -> &str {
        self.seen.split(' ').nth(2).unwrap_or_default()
    }

    /// In full for those who may read it so.
    pub(super) fn account(&self) -> Option<&str> {
        between(&self.text, "<dt>Account</dt><dd>", "<")
    }

    /// What the page says of an act: `carried out`, `refused`, `waits …`.
    pub(super) fn came_of(&self, act: i64) -> Option<&str> {
        let (_, rest) = self.text.split_once(&format!("data-act=\"{act}\""))?;
        let what = between(rest, "class=\"what\">", "<")?;
        Some(what.rsplit_once(": ")?.1)
    }

    /// The act that was filed for this reason, where the answer did not say.
    pub(super) fn act_for(&self, reason: &str) -> Option<i64> {
        let mut acts = self.text.split("data-act=\"").skip(1);
        acts.find(|act| act.contains(reason))?.split('"').next()?.parse().ok()
    }

    /// Acts that wait for a second person's word.
    pub(super) fn waiting(&self) -> Vec<i64> {
        let acts = self.text.split("data-act=\"").skip(1);
        let waits = acts.filter(|act| act.contains("waits for a second person"));
        waits.filter_map(|act| act.split('"').next()?.parse().ok()).collect()
    }
}

fn between<'t>(text: &'t str, from: &str, until: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(from)?;
    Some(rest.split_once(until)?.0)
}
