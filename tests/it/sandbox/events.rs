//! A reader of server-sent events, as small as a test needs it.

use super::PATIENCE;
use reqwest::{Client, Response};
use serde_json::Value;
use tokio::time::timeout;

pub(super) struct Events {
    response: Response,
    read: Vec<u8>,
}

pub(super) struct Event {
    pub(super) name: String,
    pub(super) data: Value,
}

impl Events {
    pub(super) async fn open(client: &Client, url: &str, seen: Option<&str>) -> Self {
        let mut request = client.get(url);
        if let Some(id) = seen {
            request = request.header("last-event-id", id);
        }
        Self { response: request.send().await.unwrap().error_for_status().unwrap(), read: Vec::new() }
    }

    /// The next that says something.
    pub(super) async fn next(&mut self) -> Event {
        let next = async {
            loop {
                let event = self.any().await;
                if event.name != "alive" {
                    return event;
                }
            }
        };
        timeout(PATIENCE, next).await.expect("an event comes")
    }

    async fn any(&mut self) -> Event {
        loop {
            if let Some(end) = self.read.windows(2).position(|pair| pair == b"\n\n") {
                let block = String::from_utf8(self.read.drain(..end + 2).collect()).unwrap();
                let field = |name| block.lines().find_map(|line: &str| line.strip_prefix(name)).unwrap_or_default();
                return Event {
                    name: field("event: ").to_owned(),
                    data: serde_json::from_str(field("data: ")).unwrap(),
                };
            }
            self.read.extend(self.response.chunk().await.unwrap().expect("the stream goes on"));
        }
    }
}
