//! A subscriber's phone that dials, through a gateway that speaks HTTP: what it shows is what the gateway was answered.

use super::World;
use reqwest::{Client, StatusCode};

/// A menu, and an aggregator whose steps bring all inputs. Patient with a slow machine.
pub(crate) const MENU: &str = r#"
[http]
request_timeout = "90s"
[menu]
answer_within = "60s"
list_retry = "20ms"
[ussd.aggregator]
kind = "http"
link = "viettel"
service_codes = ["*098#"]
"#;

/// The same with an aggregator whose steps bring the last input alone.
pub(crate) const LAST: &str = "ussd.aggregator.input = \"last\"";

/// One dialogue of one phone. Cheap to clone: a clone is another hand on the same phone.
#[derive(Clone)]
pub(crate) struct Caller {
    url: String,
    session: String,
    from: String,
    whole: bool,
    said: Vec<String>,
}

impl World {
    /// A dialogue of this name at the first daemon. `number` is national.
    pub(crate) fn caller(&self, number: &str, session: &str) -> Caller {
        Caller::new(&self.door("/ussd/aggregator"), number, session)
    }

    /// What is shown after these answers, one by one.
    pub(crate) async fn dials(&self, number: &str, session: &str, answers: &[&str]) -> (Caller, String) {
        let mut caller = self.caller(number, session);
        let mut screen = caller.dials("*098#").await;
        for answer in answers {
            screen = caller.answers(answer).await;
        }
        (caller, screen)
    }
}

impl Caller {
    pub(crate) fn new(url: &str, number: &str, session: &str) -> Self {
        let from = format!("+84{}", number.strip_prefix('0').expect("a national number begins with 0"));
        Self { url: url.to_owned(), session: session.to_owned(), from, whole: true, said: Vec::new() }
    }

    /// Each step brings the last input alone.
    pub(crate) fn with_last_inputs(mut self) -> Self {
        self.whole = false;
        self
    }

    /// The next steps go to another instance.
    pub(crate) fn at(mut self, url: &str) -> Self {
        self.url = url.to_owned();
        self
    }

    pub(crate) async fn dials(&mut self, code: &str) -> String {
        self.said.clear();
        self.sends(&[("serviceCode", code), ("text", "")]).await
    }

    pub(crate) async fn answers(&mut self, input: &str) -> String {
        self.said.push(input.to_owned());
        self.again().await
    }

    /// The last step once more, as a gateway sends it that was not answered in time.
    pub(crate) async fn again(&self) -> String {
        let text = if self.whole { self.said.join("*") } else { self.said.last().cloned().unwrap_or_default() };
        self.sends(&[("serviceCode", "*098#"), ("text", &text)]).await
    }

    /// The gateway says how the dialogue ended.
    pub(crate) async fn ends(&self, status: &str) {
        let fields = [("status", status), ("durationInMillis", "4711"), ("hopsCount", "3")];
        assert_eq!(self.sends(&fields).await, "");
    }

    async fn sends(&self, fields: &[(&str, &str)]) -> String {
        let (status, text) = self.posts(fields).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        text
    }

    pub(crate) async fn posts(&self, fields: &[(&str, &str)]) -> (StatusCode, String) {
        let mut form =
            vec![("sessionId", self.session.as_str()), ("phoneNumber", &self.from), ("networkCode", "45204")];
        form.extend(fields);
        let response = Client::new().post(&self.url).form(&form).send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }
}
