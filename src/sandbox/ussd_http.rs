//! A simulated USSD gateway of the kind that calls applications by HTTP (smpp.md, "HTTP style"): a form for each step, answered
//! with `CON` or `END`. Its phones dial, see screens, answer and hang up; it keeps books of them. Knows nothing of menus.

use super::dialogues::{Dialogue, DialogueId, Dialogues, Shown};
use crate::config::UssdInput;
use crate::engine::random_hex;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a simulated gateway holds to.
#[derive(Clone, Debug)]
pub struct HttpGatewaySettings {
    /// By which the application knows it: it calls `POST /ussd/NAME`.
    pub name: String,
    /// What a step's text holds.
    pub input: UssdInput,
    /// The first step's text holds what was dialled behind the code.
    pub shortcuts: bool,
    /// How long an answer is waited for; then the network ends the dialogue.
    pub timeout: Duration,
}

impl Default for HttpGatewaySettings {
    fn default() -> Self {
        let name = "http".to_owned();
        Self { name, input: UssdInput::Whole, shortcuts: true, timeout: Duration::from_secs(5) }
    }
}

/// What it can be told to do wrong. Counts run down by themselves.
#[derive(Clone, Debug, Default)]
pub struct HttpGatewayFaults {
    /// Sends the next so many steps twice, and shows the second answer.
    pub double_hops: u32,
}

/// A gateway. No lock is held across an await.
#[derive(Debug)]
pub struct HttpGateway {
    settings: HttpGatewaySettings,
    /// Begins the names of its dialogues, which no other run of it used.
    run: String,
    client: reqwest::Client,
    /// The application's address, once it is known.
    door: Mutex<Option<String>>,
    dialogues: Dialogues,
    faults: Mutex<HttpGatewayFaults>,
}

impl HttpGateway {
    #[must_use]
    pub fn new(settings: HttpGatewaySettings) -> Self {
        let client = reqwest::Client::builder().no_proxy().timeout(settings.timeout).build().unwrap_or_default();
        Self {
            settings,
            run: random_hex(),
            client,
            door: Mutex::default(),
            dialogues: Dialogues::default(),
            faults: Mutex::default(),
        }
    }

    #[must_use]
    pub fn settings(&self) -> &HttpGatewaySettings {
        &self.settings
    }

    /// The application is at this address: `http://host:port`.
    pub fn is_told_of(&self, door: &str) {
        *locked(&self.door) = Some(door.trim_end_matches('/').to_owned());
    }

    /// Dials, and waits for what the application answers.
    pub async fn dial(&self, msisdn: &str, dialled: &str) -> DialogueId {
        let id = self.dialogues.open(msisdn, dialled);
        self.hop(id, &self.dialogue(id)).await;
        id
    }

    /// Keys in an answer; false when the application gave no screen.
    pub async fn answer(&self, id: DialogueId, text: &str) -> bool {
        let dialogue = self.dialogues.key(id, text);
        self.hop(id, &dialogue).await
    }

    /// Hangs up; gateways of this kind tell nobody.
    pub fn abort(&self, id: DialogueId) {
        self.dialogues.abort(id);
    }

    /// The first screen that no earlier call has returned; `None` when none comes within `wait`.
    pub async fn next_screen(&self, id: DialogueId, wait: Duration) -> Option<Shown> {
        self.dialogues.next_screen(id, wait).await
    }

    #[must_use]
    pub fn dialogue(&self, id: DialogueId) -> Dialogue {
        self.dialogues.get(id)
    }

    #[must_use]
    pub fn dialogues(&self) -> Vec<Dialogue> {
        self.dialogues.all()
    }

    /// Turns the switches of its faults.
    pub fn faults(&self, change: impl FnOnce(&mut HttpGatewayFaults)) {
        change(&mut locked(&self.faults));
    }

    async fn hop(&self, id: DialogueId, dialogue: &Dialogue) -> bool {
        let Some(door) = locked(&self.door).clone() else { return false };
        let form = [
            ("sessionId", format!("{}-{}", self.run, id.place())),
            ("serviceCode", dialogue.service_code()),
            ("phoneNumber", format!("+{}", dialogue.msisdn)),
            ("text", self.text(dialogue)),
        ];
        let url = format!("{door}/ussd/{}", self.settings.name);
        if locked(&self.faults).take_doubled_hop() {
            // The answer to the first is lost, and whatever it said.
            let _ = self.client.post(&url).form(&form).send().await;
        }
        let Some(shown) = self.asked(self.client.post(&url).form(&form)).await else { return false };
        self.dialogues.show_in(id, shown)
    }

    /// Anything but `CON` or `END` is no screen, and the network ends the dialogue.
    async fn asked(&self, request: reqwest::RequestBuilder) -> Option<Shown> {
        let answer = request.send().await.ok()?.error_for_status().ok()?.text().await.ok()?;
        let (word, text) = answer.split_once(' ')?;
        let ends = match word {
            "CON" => false,
            "END" => true,
            _ => return None,
        };
        Some(Shown { text: text.to_owned(), ends })
    }

    fn text(&self, dialogue: &Dialogue) -> String {
        let dialled = if self.settings.shortcuts { behind_the_code(&dialogue.dialled) } else { Vec::new() };
        let keyed = dialogue.keyed.iter().map(String::as_str);
        match (self.settings.input, dialogue.keyed.last()) {
            (UssdInput::Last, Some(last)) => last.clone(),
            (UssdInput::Last, None) => dialled.join("*"),
            (UssdInput::Whole, _) => dialled.into_iter().chain(keyed).collect::<Vec<_>>().join("*"),
        }
    }
}

/// `1` and `2` of `*098*1*2#`.
fn behind_the_code(dialled: &str) -> Vec<&str> {
    dialled.trim_matches(['*', '#']).split('*').skip(1).collect()
}

impl HttpGatewayFaults {
    fn take_doubled_hop(&mut self) -> bool {
        let one = self.double_hops > 0;
        self.double_hops = self.double_hops.saturating_sub(1);
        one
    }
}

// A panic elsewhere leaves switches that are still worth reading.

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
