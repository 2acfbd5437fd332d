//! The content service's app: it orders under a key until it is answered, repeats the key, at two instances at once, later,
//! or with another order; its customer pays or does not; and it follows the order to its end. What it is answered is held
//! against what it may be answered.

use super::dice::Dice;
use super::judge::{REFUSED_AND_TAKEN, SEEN_OTHERWISE, TWO_ANSWERS};
use super::life::{Door, Life, Stands, Told};
use super::subscribers::{LOOK, Subscribers};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::sleep;

pub(super) const TOKEN: &str = "app-secret";
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(200);
/// Orders looked at together in the end.
const LOOKS_AT_ONCE: usize = 16;

impl Subscribers {
    pub(super) async fn orders(&self, at: usize, life: &Life) {
        let mut dice = Dice::new(self.seed ^ at as u64);
        let body = order(life);
        let Some(first) = self.is_taken(at, &body, dice.roll(4) == 0).await else { return };
        if dice.roll(3) == 0 {
            self.repeats(at, &body, &first).await;
        }
        if dice.roll(4) == 0 {
            self.reuses_the_key(at, life, body.clone()).await;
        }
        let answer: Value = serde_json::from_str(&first).unwrap_or_default();
        if let Some(page) = answer["paymentUrl"].as_str() {
            match life.poor {
                // Never goes there.
                true if dice.roll(2) == 0 => {}
                cancels => self.pays(page, cancels).await,
            }
        }
        match (life.is_texted, answer["purchaseId"].as_str()) {
            (true, _) => self.reads(at, life).await,
            (false, Some(id)) if dice.roll(2) == 0 => self.follows(at, id).await,
            (false, Some(id)) => self.asks_on(at, id).await,
            (false, None) => {}
        }
        if dice.roll(3) == 0 {
            self.repeats(at, &body, &first).await;
        }
    }

    /// Orders until it is answered, at two instances at once if it is to be `twice`.
    async fn is_taken(&self, at: usize, body: &Value, twice: bool) -> Option<String> {
        let [one, other] = [at, at + 1].map(|turn| self.insists_on(at, turn, body));
        let answers = if twice {
            self.did("order sent twice at once");
            tokio::join!(one, other)
        } else {
            (one.await, None)
        };
        let (status, first) = answers.0?;
        if status >= 300 || answers.1.as_ref().is_some_and(|(_, second)| *second != first) {
            self.broken(at, TWO_ANSWERS, &(status, &first, &answers.1));
        }
        let id = serde_json::from_str::<Value>(&first).ok().and_then(|it| Some(it["purchaseId"].as_str()?.to_owned()));
        self.knows(at, |life| {
            life.request_acknowledged = status < 300;
            life.purchase = id;
        });
        Some(first)
    }

    async fn repeats(&self, at: usize, body: &Value, first: &str) {
        self.did("order repeated when answered");
        if let Some(again) = self.insists_on(at, at + 1, body).await.filter(|again| again != &(200, first.to_owned())) {
            self.broken(at, TWO_ANSWERS, &(first, again));
        }
    }

    async fn reuses_the_key(&self, at: usize, life: &Life, mut other: Value) {
        self.did("another order under a taken key");
        other["account"] = life.strangers_account().into();
        if let Some(heard) = self.insists_on(at, at + 1, &other).await.filter(|(status, _)| *status != 422) {
            self.broken(at, REFUSED_AND_TAKEN, &heard);
        }
    }

    /// At one instance after the other until it is answered for good: the status and the body.
    async fn insists_on(&self, at: usize, mut turn: usize, body: &Value) -> Option<(u16, String)> {
        loop {
            let request = self.browser.post(self.at_door(turn, "")).header("idempotency-key", format!("order-{at}"));
            match heard(request.json(body)).await {
                Some((409 | 429 | 500.., _)) | None if self.is_dismissed() => return None,
                Some((409, _)) => self.did("order heard that it is under way"),
                Some((429 | 500.., _)) => self.did("order put off"),
                None => self.did("order not answered, sent again"),
                Some(answer) => return Some(answer),
            }
            sleep(PAUSE).await;
            turn += 1;
        }
    }

    fn at_door(&self, turn: usize, path: &str) -> String {
        format!("{}/v1/orders{path}", self.ground.door(turn))
    }

    /// Asks until it is over.
    async fn asks_on(&self, at: usize, id: &str) {
        let mut turn = at;
        while !self.is_dismissed() {
            if self.look(turn, id).await.is_some_and(|[state, ..]| Told::by_state(&state).is_last()) {
                return self.was_told();
            }
            sleep(LOOK).await;
            turn += 1;
        }
    }

    async fn look(&self, turn: usize, id: &str) -> Option<Stands> {
        let (_, text) =
            heard(self.browser.get(self.at_door(turn, &format!("/{id}")))).await.filter(|it| it.0 == 200)?;
        let stands: Value = serde_json::from_str(&text).ok()?;
        let word = |name: &str| stands[name].as_str().map(str::to_owned);
        Some([word("state")?, word("paid")?, word("granted")?])
    }

    /// Follows the events until the last, wherever the stream breaks.
    async fn follows(&self, at: usize, id: &str) {
        let (mut turn, mut last) = (at, 0);
        while !self.is_dismissed() {
            let mut request = self.browser.get(self.at_door(turn, &format!("/{id}/events"))).bearer_auth(TOKEN);
            if last > 0 {
                request = request.header("last-event-id", last.to_string());
            }
            match request.send().await {
                Ok(stream) if stream.status() == 204 => return self.was_told(),
                Ok(stream) if stream.status() == 200 => {
                    self.did("stream of an order's events opened");
                    if self.hears_the_end(at, stream, &mut last).await {
                        return self.was_told();
                    }
                }
                _ => {}
            }
            sleep(PAUSE).await;
            turn += 1;
        }
    }

    /// Whether the end was among them. No step is told twice or backwards.
    async fn hears_the_end(&self, at: usize, mut stream: Response, last: &mut i64) -> bool {
        let mut buffer = String::new();
        while let Ok(Some(chunk)) = stream.chunk().await {
            buffer += &String::from_utf8_lossy(&chunk);
            while let Some((block, rest)) = buffer.split_once("\n\n") {
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
                let step = field("id: ").and_then(|id| id.parse().ok()).zip(field("data: "));
                if let Some((version, data)) = step {
                    if version <= *last {
                        self.broken(at, SEEN_OTHERWISE, &(*last, block));
                    }
                    *last = version;
                    let data: Value = serde_json::from_str(data).unwrap_or_default();
                    if Told::by_state(data["state"].as_str().unwrap_or_default()).is_last() {
                        return true;
                    }
                }
                buffer = rest.to_owned();
            }
        }
        false
    }

    /// How each order stands when all is over, as its app reads it.
    pub(super) async fn look_at_all_orders(self: &Arc<Self>) {
        let ordered: Vec<(usize, String)> = (self.lives().into_iter().enumerate())
            .filter(|(_, life)| life.door.is_app())
            .filter_map(|(at, life)| Some((at, life.purchase?)))
            .collect();
        let mut looks = JoinSet::new();
        for some in ordered.chunks(ordered.len().div_ceil(LOOKS_AT_ONCE).max(1)) {
            let (app, some) = (Arc::clone(self), some.to_vec());
            looks.spawn(async move {
                for (at, id) in some {
                    let seen = app.look(at, &id).await;
                    app.knows(at, |life| life.seen = seen);
                }
            });
        }
        looks.join_all().await;
    }
}

async fn heard(request: RequestBuilder) -> Option<(u16, String)> {
    let answer = request.bearer_auth(TOKEN).send().await.ok()?;
    let status = answer.status().as_u16();
    Some((status, answer.text().await.ok()?))
}

fn order(life: &Life) -> Value {
    let bank = life.door == Door::AppToBank;
    let mut order = json!({
        "account": life.account, "service": "VIP", "package": "NAP1", "channel": if bank { "bank" } else { "viettel" },
        "platform": "app", "dtId": "thudo", "type": "purchase", "deviceType": "phone", "deviceId": "ios-7",
        "payType": if bank { "bank" } else { "telco" }, "payPartner": if bank { "bank" } else { "viettel" },
    });
    if life.is_texted {
        order["msisdn"] = life.number.clone().into();
    }
    order
}
