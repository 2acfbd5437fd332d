//! A statement given on the page: taken to a folder of its own piece by piece, never held in memory, and imported beside the
//! page by the same way as from the command line.

use super::super::door::CSRF;
use super::super::frame::{self, Place, field, form, select};
use super::super::html::{El, el};
use super::super::session::Visitor;
use super::job::Claim;
use super::{Care, progress};
use crate::journal::{Journal, JournalError};
use crate::people::Right;
use crate::reconcile::Import;
use axum::extract::State;
use axum::extract::multipart::{Field, Multipart, MultipartError, MultipartRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::civil::Date;
use std::io;
use std::path::PathBuf;
use subtle::ConstantTimeEq;
use tempfile::TempDir;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

/// Octets of a field that is no file.
const WORD: usize = 256;
/// Characters of a file's name that are kept.
const NAME: usize = 120;

/// Why nothing was imported.
enum Fault {
    Answer(StatusCode, String),
    Journal(JournalError),
}

/// The form, for those who may; with what is wrong with it as it was sent.
pub(super) fn card(care: &Care, visitor: &Visitor, fault: Option<&str>) -> Option<El> {
    if !visitor.role.may(Right::Reconcile) {
        return None;
    }
    let card = el("section").class("card import").add(el("h2").text("Import a statement"));
    if care.0.statements.is_empty() {
        return Some(card.add(el("p").class("why").text("No [statement.CHANNEL] is configured: nothing can be read.")));
    }
    let channels = care.0.statements.keys().map(|channel| (channel.as_str(), channel.as_str()));
    let input = |name, kind| el("input").attr("name", name).attr("type", kind);
    let anew = input("anew", "checkbox").attr("value", "yes");
    let anew = el("label").class("check").add(anew).text("As a new version, though the same was imported before");
    let says = "Read once, by its content: the same file again changes nothing, and goes on where an import broke off.";
    // The session's token and what the file is about stand before it: they are looked at before it is taken.
    let form = form(progress::AT, visitor)
        .attr("enctype", "multipart/form-data")
        .add(field("Channel", select("channel", "", channels)))
        .add(field("Day", input("day", "date").flag("required", true)))
        .add(anew)
        .add(field("Files of that day", input("file", "file").flag("multiple", true).flag("required", true)))
        .add(el("button").text("Import"));
    let fault = fault.map(|fault| el("p").class("fault").attr("role", "alert").text(fault));
    Some(card.add(el("p").class("why").text(says)).all(fault).add(form))
}

pub(in super::super) async fn given(
    State(care): State<Care>,
    visitor: Visitor,
    form: Result<Multipart, MultipartRejection>,
) -> Response {
    if !visitor.role.may(Right::Reconcile) {
        return frame::forbidden(&visitor, "Import", Place::Statements, Right::Reconcile);
    }
    let form = match form {
        Ok(form) => form,
        Err(rejection) => return rejection.into_response(),
    };
    let taken = async {
        tokio::select! {
            taken = timeout(care.0.settings.upload_timeout, taken(&care, &visitor, form)) => taken.unwrap_or_else(|_| {
                fault(StatusCode::REQUEST_TIMEOUT, "The files took too long on their way; nothing was imported.")
            }),
            () = care.0.told.stopping.cancelled() => {
                fault(StatusCode::SERVICE_UNAVAILABLE, "paygate is being stopped; nothing was imported.")
            }
        }
    };
    match taken.await {
        Ok(()) => Redirect::to(progress::AT).into_response(),
        Err(Fault::Answer(status, says)) => progress::shown(&care, &visitor, status, Some(&says)),
        Err(Fault::Journal(error)) => care.failed(&error),
    }
}

fn fault<T>(status: StatusCode, says: &str) -> Result<T, Fault> {
    Err(Fault::Answer(status, says.to_owned()))
}

/// What the form said so far.
#[derive(Default)]
struct Asked {
    is_ours: bool,
    channel: String,
    day: Option<Date>,
    anew: bool,
}

/// Files that are here, and the place for their import.
struct Taken {
    claim: Claim,
    folder: TempDir,
    files: Vec<PathBuf>,
}

async fn taken(care: &Care, visitor: &Visitor, mut form: Multipart) -> Result<(), Fault> {
    let (mut asked, mut taken) = (Asked::default(), None);
    while let Some(mut part) = form.next_field().await.map_err(|error| care.broken(&error))? {
        let name = part.name().unwrap_or_default().to_owned();
        if name == "file" {
            asked.is_known(care)?;
            let taken = match &mut taken {
                Some(taken) => taken,
                None => taken.insert(Taken::begin(care, visitor, &asked)?),
            };
            taken.take(care, part).await?;
            continue;
        }
        let word = word(care, &mut part).await?;
        match name.as_str() {
            CSRF => asked.is_ours = word.as_bytes().ct_eq(visitor.csrf.as_bytes()).into(),
            "channel" => asked.channel = word,
            "day" => asked.day = word.parse().ok(),
            "anew" => asked.anew = word == "yes",
            _ => {}
        }
    }
    asked.is_known(care)?;
    match taken.filter(|taken| !taken.files.is_empty()) {
        Some(taken) => begin(care, visitor, asked, taken).await,
        None => fault(StatusCode::UNPROCESSABLE_ENTITY, "Choose the statement's file."),
    }
}

impl Asked {
    /// Whether a file may follow.
    fn is_known(&self, care: &Care) -> Result<(), Fault> {
        if !self.is_ours {
            return fault(StatusCode::FORBIDDEN, "This form is of another session; open the page again.");
        }
        if !care.0.statements.contains_key(&self.channel) {
            let says = format!("[statement.{}] is not configured: choose a channel.", self.channel);
            return fault(StatusCode::UNPROCESSABLE_ENTITY, &says);
        }
        match self.day {
            Some(_) => Ok(()),
            None => fault(StatusCode::UNPROCESSABLE_ENTITY, "Say which day it is of, such as 2026-11-24."),
        }
    }
}

impl Taken {
    fn begin(care: &Care, visitor: &Visitor, asked: &Asked) -> Result<Self, Fault> {
        let day = asked.day.map(|day| day.to_string()).unwrap_or_default();
        let Some(claim) = care.0.job.claim(&asked.channel, &day, &visitor.name) else {
            return fault(
                StatusCode::CONFLICT,
                "Another import is under way here; wait for its end, then send it again.",
            );
        };
        let mut folder = tempfile::Builder::new();
        folder.prefix("paygate-statement-");
        let folder = match &care.0.settings.upload_folder {
            Some(within) => folder.tempdir_in(within),
            None => folder.tempdir(),
        };
        Ok(Self { claim, folder: folder.map_err(|error| unwritten(&error))?, files: Vec::new() })
    }

    /// One file, piece by piece. Each lies in a folder of its own: two may have one name.
    async fn take(&mut self, care: &Care, mut part: Field<'_>) -> Result<(), Fault> {
        let name = part.file_name().map(plain).unwrap_or_default();
        if name.is_empty() {
            return Ok(());
        }
        let within = self.folder.path().join(self.files.len().to_string());
        tokio::fs::create_dir(&within).await.map_err(|error| unwritten(&error))?;
        let path = within.join(name);
        let mut file = File::create(&path).await.map_err(|error| unwritten(&error))?;
        while let Some(piece) = part.chunk().await.map_err(|error| care.broken(&error))? {
            file.write_all(&piece).await.map_err(|error| unwritten(&error))?;
        }
        file.flush().await.map_err(|error| unwritten(&error))?;
        self.files.push(path);
        Ok(())
    }
}

/// The last part of what a browser calls the file, of characters that mean nothing anywhere.
fn plain(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let harmless = |c: char| if c.is_alphanumeric() || "._- ".contains(c) { c } else { '_' };
    name.trim_start_matches('.').chars().map(harmless).take(NAME).collect()
}

/// A short field.
async fn word(care: &Care, part: &mut Field<'_>) -> Result<String, Fault> {
    let mut word = Vec::new();
    while let Some(piece) = part.chunk().await.map_err(|error| care.broken(&error))? {
        word.extend_from_slice(&piece);
        if word.len() > WORD {
            return fault(StatusCode::UNPROCESSABLE_ENTITY, "A field of the form is too long.");
        }
    }
    Ok(String::from_utf8_lossy(&word).trim().to_owned())
}

fn unwritten(error: &io::Error) -> Fault {
    let says = format!("The file cannot be written down here ({error}); [care] upload_folder says where that is.");
    Fault::Answer(StatusCode::INSUFFICIENT_STORAGE, says)
}

impl Care {
    fn broken(&self, error: &MultipartError) -> Fault {
        let says = match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                format!("More than {} octets; [care] upload_limit allows no more.", self.0.settings.upload_limit)
            }
            _ => format!("The form did not come whole ({}); send it again.", error.body_text()),
        };
        Fault::Answer(error.status(), says)
    }
}

/// Starts the import beside the page. It is written down first who gave what.
async fn begin(care: &Care, visitor: &Visitor, asked: Asked, taken: Taken) -> Result<(), Fault> {
    let (Some(map), Some(day)) = (care.0.statements.get(&asked.channel), asked.day) else { return Ok(()) };
    let detail = format!("import {} {day}{}", asked.channel, if asked.anew { " anew" } else { "" });
    care.note(visitor, "act", &detail).await.map_err(Fault::Journal)?;
    let Taken { claim, folder, files } = taken;
    let import = Import {
        channel: asked.channel,
        map: map.clone(),
        country: care.0.country.clone(),
        day,
        files,
        operator: visitor.name.clone(),
        anew: asked.anew,
    };
    tokio::spawn(carried_through(care.clone(), import, claim, folder));
    Ok(())
}

/// The folder goes when the import has ended.
async fn carried_through(care: Care, import: Import, claim: Claim, _folder: TempDir) {
    let journal = match Journal::open_for_an_operator(&care.0.journal_at).await {
        Ok(journal) => journal,
        Err(error) => return claim.fails(&error.to_string()),
    };
    let progress = |step| claim.is_at(step);
    let through = tokio::select! {
        through = import.carry_through(&journal, &progress) => through,
        () = care.0.told.stopping.cancelled() => return,
    };
    if let Err(error) = &through {
        tracing::warn!(channel = import.channel, day = %import.day, %error, "a statement was not imported");
    }
    claim.ends(through);
}
