//! The simulated bank's page as HTML: plain, without a script, and readable on a phone. Escapes whatever a partner wrote.

use super::bank::Remark;
use super::books::Order;
use super::card;
use crate::charging::pay123::banks::name_of;
use crate::charging::pay123::codes::{Place, row_of};
use crate::purchase::money::grouped;

/// Nothing is loaded from anywhere, and the form goes back to where it came from.
pub(super) const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";

const STYLE: &str = "
:root { color-scheme: light dark; }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; background: #f3f4f6; color: #1b1f24; }
main { max-width: 26rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
.card { background: #fff; border: 1px solid #d5d9df; border-radius: .75rem; padding: 1.25rem; }
h1 { font-size: 1.1rem; margin: 0 0 1rem; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; margin: 0 0 1.25rem; }
dt { color: #5b6470; } dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
.amount { font-size: 1.35rem; font-weight: 600; }
label { display: block; margin: 0 0 .9rem; color: #5b6470; }
input { display: block; box-sizing: border-box; width: 100%; margin-top: .25rem; padding: .6rem .7rem; font: inherit;
  color: inherit; background: transparent; border: 1px solid #aab2bd; border-radius: .5rem; }
button { width: 100%; padding: .7rem; font: inherit; border-radius: .5rem; border: 1px solid #14532d; cursor: pointer;
  background: #166534; color: #fff; }
button.quiet { margin-top: .6rem; background: transparent; color: inherit; border-color: #aab2bd; }
a { color: inherit; }
.remark { border-left: .25rem solid #b45309; padding: .25rem .75rem; margin: 0 0 1rem; }
.note { color: #5b6470; font-size: .875rem; margin: 1rem 0 0; }
@media (prefers-color-scheme: dark) {
  body { background: #14171b; color: #e6e8eb; } .card { background: #1d2126; border-color: #353b43; }
  dt, label, .note { color: #a3acb8; } input, button.quiet { border-color: #515a65; }
}";

pub(super) fn of(order: &Order, remark: Remark) -> String {
    let body = match order.status.as_str() {
        "0" | "10" => card_form(remark),
        "11" => otp_form(remark),
        status => outcome(order, status),
    };
    let amount = grouped(order.amount.unsigned_abs(), ",");
    whole(&format!(
        r#"<h1>{bank}</h1>
<dl><dt>Amount</dt><dd class="amount">{amount} VND</dd><dt>For</dt><dd>{what}</dd><dt>Order</dt><dd>{id}</dd></dl>
{body}"#,
        bank = escaped(name_of(&order.bank)),
        what = escaped(&order.description),
        id = escaped(&order.id),
    ))
}

pub(super) fn nothing() -> String {
    whole("<h1>No such order</h1><p>This link leads to no order. It may be mistyped or cut short.</p>")
}

fn card_form(remark: Remark) -> String {
    format!(
        r#"{remark}<form method="post">
<label>Card holder<input name="holder" value="{holder}" autocomplete="off"></label>
<label>Card number<input name="number" value="{number}" inputmode="numeric" autocomplete="off"></label>
<button name="do" value="card">Continue</button>
<button class="quiet" name="do" value="cancel">Cancel</button>
</form><p class="note">A simulated bank: the card is the test card, and no money moves.</p>"#,
        remark = remarked(remark),
        holder = card::HOLDER,
        number = card::NUMBER,
    )
}

fn otp_form(remark: Remark) -> String {
    format!(
        r#"{remark}<form method="post">
<label>One-time password<input name="otp" inputmode="numeric" autocomplete="off" autofocus></label>
<button name="do" value="otp">Pay</button>
<button class="quiet" name="do" value="cancel">Cancel</button>
</form><p class="note">A real bank would text it to you. Here it is {otp}; anything else is wrong.</p>"#,
        remark = remarked(remark),
        otp = card::OTP,
    )
}

fn outcome(order: &Order, status: &str) -> String {
    let words = match status {
        "1" => "Paid. You will get a text message.".to_owned(),
        "-100" => "Cancelled. Nothing was debited.".to_owned(),
        other => format!("Not paid: {}.", row_of(Place::Status, other).map_or(other, |row| row.means)),
    };
    format!(r#"<p>{}</p><p><a href="{}">Back</a></p>"#, escaped(&words), escaped(&order.return_url))
}

fn remarked(remark: Remark) -> &'static str {
    match remark {
        Remark::None => "",
        Remark::WrongCard => r#"<p class="remark">This bank does not know that card.</p>"#,
        Remark::WrongOtp => r#"<p class="remark">That password is wrong. Try again.</p>"#,
    }
}

fn whole(body: &str) -> String {
    format!(
        r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Pay</title><style>{STYLE}</style></head>
<body><main><div class="card">{body}</div></main></body></html>"#
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
