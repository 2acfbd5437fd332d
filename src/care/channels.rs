//! The channels, and the switch on each: let no new charge begin there, or let them begin again. What is under way goes on.

use super::door::Posted;
use super::frame::{self, Place, field, form, time};
use super::html::{El, Html, el};
use super::session::Visitor;
use super::{Care, acts};
use crate::journal::JournalError;
use crate::journal::rows::{ActRow, Deed};
use crate::people::Right;
use crate::story::timeline::Tone;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

pub(super) async fn page(State(care): State<Care>, visitor: Visitor) -> Response {
    shown(&care, &visitor, None).await
}

async fn shown(care: &Care, visitor: &Visitor, note: Option<(StatusCode, &str)>) -> Response {
    let freezes = match care.0.journal.freezes().await {
        Ok(freezes) => freezes,
        Err(error) => return care.failed(&error),
    };
    let one = |channel: &String| {
        channel_card(visitor, channel, freezes.iter().find(|freeze| acts::channel_of(freeze) == channel))
    };
    let content = Html::from_iter::<[Html; 3]>([
        el("h1").text("Channels").into(),
        note.map(|(_, note)| el("p").class("note").attr("role", "status").text(note)).into(),
        Html::from_iter(care.0.channels.iter().map(one)),
    ]);
    let status = note.map_or(StatusCode::OK, |(status, _)| status);
    (status, frame::page(visitor, "Channels", Place::Channels, "", content).document()).into_response()
}

fn channel_card(visitor: &Visitor, channel: &str, freeze: Option<&ActRow>) -> El {
    let (word, tone) = if freeze.is_some() { ("frozen", Tone::Unknown) } else { ("charging", Tone::Good) };
    let heading = el("div").class("heading").add(el("h2").text(channel)).add(frame::pill(word, Some(tone)));
    let since = freeze.map(|row| {
        let words = format!(" by {}: {}", row.act.operator, row.act.reason);
        el("p").text("Since ").add(time(row.at)).text(&words)
    });
    let card = el("section").class("card channel").attr("data-channel", channel).add(heading).add(since);
    if !visitor.role.may(Right::Freeze) {
        return card.add(el("p").class("why").text(&not_yours()));
    }
    let (verb, title, says) = match freeze {
        None => ("freeze", "Freeze", "No new charge begins there. Inquiries, grants, refunds and cancellations go on."),
        Some(_) => ("thaw", "Thaw", "Charges begin there again."),
    };
    let reason = el("input").attr("name", "reason").attr("maxlength", "1000").flag("required", true);
    let form = form(&format!("/care/channels/{channel}/{verb}"), visitor)
        .add(el("p").text(says))
        .add(field("Reason", reason.attr("placeholder", "Written down with your name")))
        .add(el("button").class("quiet").text(title));
    card.add(form)
}

fn not_yours() -> String {
    format!("Freezing and thawing is for {}.", Right::Freeze.holders())
}

pub(super) async fn freeze(care: State<Care>, channel: Path<String>, posted: Posted) -> Response {
    switched(care, channel, posted, true).await
}

pub(super) async fn thaw(care: State<Care>, channel: Path<String>, posted: Posted) -> Response {
    switched(care, channel, posted, false).await
}

async fn switched(State(care): State<Care>, Path(channel): Path<String>, posted: Posted, freeze: bool) -> Response {
    let Posted { visitor, fields } = posted;
    let reason = fields.get("reason");
    if !visitor.role.may(Right::Freeze) {
        return shown(&care, &visitor, Some((StatusCode::FORBIDDEN, &not_yours()))).await;
    }
    if reason.is_empty() {
        let why = "Say why in a few words; it is written down with your name.";
        return shown(&care, &visitor, Some((StatusCode::UNPROCESSABLE_ENTITY, why))).await;
    }
    if !care.0.channels.contains(&channel) {
        return shown(&care, &visitor, Some((StatusCode::NOT_FOUND, "No channel of this name is configured."))).await;
    }
    match filed(&care, &visitor, channel, freeze, reason).await {
        Ok(()) => Redirect::to("/care/channels").into_response(),
        Err(error) => care.failed(&error),
    }
}

/// Where it is so already there is nothing to write.
async fn filed(
    care: &Care,
    visitor: &Visitor,
    channel: String,
    freeze: bool,
    reason: &str,
) -> Result<(), JournalError> {
    let frozen = acts::freeze_of(&care.0.journal, &channel).await?.is_some();
    if frozen == freeze {
        return Ok(());
    }
    let deed = if freeze { Deed::Freeze { channel } } else { Deed::Thaw { channel } };
    let detail = format!("{} {}: {reason}", deed.verb(), deed_channel(&deed));
    care.note(visitor, "act", &detail).await?;
    acts::file(&care.0.journal, &visitor.name, deed, reason, None).await.map(drop)
}

fn deed_channel(deed: &Deed) -> &str {
    match deed {
        Deed::Freeze { channel } | Deed::Thaw { channel } => channel,
        Deed::Inquire { .. } | Deed::Resolve { .. } | Deed::Remedy { .. } => "",
    }
}
