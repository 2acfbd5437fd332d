//! Somebody with a browser that shows nothing: asks for pages, keeps the cookie, and sends forms as a page has them.

use crate::world::World;
use argon2::Argon2;
use argon2::password_hash::PasswordHasher;
use paygate::journal::rows::NewOperator;
use paygate::people::Role;
use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::{Client, RequestBuilder, StatusCode, redirect};
use std::sync::{Mutex, OnceLock};

pub(crate) const PASSWORD: &str = "correct horse battery";

/// Its hash, made once: it is slow on purpose.
fn hashed() -> String {
    static HASH: OnceLock<String> = OnceLock::new();
    let hash = || Argon2::default().hash_password(PASSWORD.as_bytes()).unwrap().to_string();
    HASH.get_or_init(hash).clone()
}

/// An account with the password of these tests.
pub(crate) async fn account(world: &World, name: &str, role: &str) {
    let new = NewOperator { name: name.to_owned(), role: Role::of(role).unwrap(), password: hashed() };
    assert!(world.daemons[0].journal.add_operator(&new).await.unwrap(), "{name} is new");
}

pub(crate) struct Visitor {
    client: Client,
    base: String,
    cookie: Mutex<Option<String>>,
}

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
    pub(crate) location: Option<String>,
    /// As the server sent it.
    pub(crate) cookie: Option<String>,
}

impl Visitor {
    pub(crate) fn at(world: &World) -> Self {
        Self::of(&format!("http://{}", world.daemons[0].address))
    }

    pub(crate) fn of(base: &str) -> Self {
        let client = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        Self { client, base: base.to_owned(), cookie: Mutex::new(None) }
    }

    pub(crate) async fn logs_in(&self, name: &str) {
        let page = self.tries(name, PASSWORD).await;
        assert_eq!((page.status, page.location.as_deref()), (StatusCode::SEE_OTHER, Some("/care")), "{}", page.text);
    }

    pub(crate) async fn tries(&self, name: &str, password: &str) -> Page {
        self.sends("/care/login", &[("name", name), ("password", password)]).await
    }

    pub(crate) async fn opens(&self, path: &str) -> Page {
        self.asks(self.client.get(format!("{}{path}", self.base))).await
    }

    /// A page that is there.
    pub(crate) async fn reads(&self, path: &str) -> String {
        let page = self.opens(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {page:?}");
        page.text
    }

    /// Sends a form with the token of this session, as a page has it.
    pub(crate) async fn posts(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let token = self.token().await;
        self.sends(path, &[fields, &[("csrf", token.as_str())]].concat()).await
    }

    pub(crate) async fn token(&self) -> String {
        hidden(&self.reads("/care").await, "csrf")
    }

    /// Sends a form with these fields alone, from our own origin.
    pub(crate) async fn sends(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.sends_from(&self.base, path, fields).await
    }

    pub(crate) async fn sends_from(&self, origin: &str, path: &str, fields: &[(&str, &str)]) -> Page {
        self.asks(self.client.post(format!("{}{path}", self.base)).header(ORIGIN, origin).form(fields)).await
    }

    /// Sends a form with a file as a browser does (RFC 7578), with the token of this session before all.
    pub(crate) async fn gives(&self, path: &str, fields: &[(&str, &str)], file: Option<(&str, &str)>) -> Page {
        let token = self.token().await;
        self.gives_with(&token, path, fields, file).await
    }

    pub(crate) async fn gives_with(
        &self,
        token: &str,
        path: &str,
        fields: &[(&str, &str)],
        file: Option<(&str, &str)>,
    ) -> Page {
        let part = |name: &str, rest: &str, value: &str| {
            format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"{rest}\r\n\r\n{value}\r\n")
        };
        let mut body = part("csrf", "", token);
        body.extend(fields.iter().map(|(name, value)| part(name, "", value)));
        // A browser sends a file without a name where none is chosen.
        let (name, text) = file.unwrap_or_default();
        body += &part("file", &format!("; filename=\"{name}\"\r\nContent-Type: text/csv"), text);
        body += "--edge--\r\n";
        let request = self.client.post(format!("{}{path}", self.base)).header(ORIGIN, &self.base);
        self.asks(request.header(CONTENT_TYPE, "multipart/form-data; boundary=edge").body(body)).await
    }

    pub(crate) async fn asks(&self, mut request: RequestBuilder) -> Page {
        if let Some(cookie) = self.cookie() {
            request = request.header(COOKIE, cookie);
        }
        let answer = request.send().await.unwrap();
        let header = |name| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (location, cookie) = (header(LOCATION), header(SET_COOKIE));
        if let Some(set) = &cookie {
            let pair = set.split(';').next().unwrap().to_owned();
            *self.cookie.lock().unwrap() = Some(pair).filter(|pair| !pair.ends_with('='));
        }
        Page { status: answer.status(), text: answer.text().await.unwrap(), location, cookie }
    }

    pub(crate) fn cookie(&self) -> Option<String> {
        self.cookie.lock().unwrap().clone()
    }

    pub(crate) fn has(&self, cookie: Option<String>) {
        *self.cookie.lock().unwrap() = cookie;
    }
}

/// The value of a hidden field.
pub(crate) fn hidden(page: &str, name: &str) -> String {
    let (_, rest) =
        page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split('"').next().unwrap().to_owned()
}
