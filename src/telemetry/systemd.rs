//! Life signs for systemd (sd_notify(3)). Says nothing where systemd did not start us; a sign that cannot be given is a
//! line in the log and no more.

use sd_notify::NotifyState;
use std::time::Duration;

/// Every door is open.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The stop has begun; nothing new is taken.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// A reload has begun; [`ready`] ends it. The time is what `Type=notify-reload` waits for (systemd 253 and later).
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// One line for `systemctl status`, such as `bound 2/2, open 13, unknown 0`.
pub fn status(text: &str) {
    // A line break would begin a field of its own.
    tell(&[NotifyState::Status(&text.replace(['\n', '\r'], " "))]);
}

/// The engine has got on since the last sign.
pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// How often [`alive`] is due: half of what systemd waits, `None` where it does not watch.
#[must_use]
pub fn alive_every() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|patience| patience / 2)
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "systemd cannot be told how we are");
    }
}
