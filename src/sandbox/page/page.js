// The page's own script: shows what the server says, part by part, and sends what is pressed. Keeps no opinion of its own
// about any purchase.

import { $, element, exactTime, here, phoneShown, post, readable, reconcile, shown, span, time, whole } from "./drawing.js";
import { drawCall, offerGateways } from "./dial.js";
import { drawOrder, drawShop, offerAccounts } from "./ways.js";
import { drawCare } from "./cases.js";

const SUGGESTIONS = [
  { text: "ON VIP NAP1", title: "Buy package NAP1 of the service VIP" },
  { text: "ON VIP NAP1 a085468952", title: "The same for another account, mistyped: a letter in a number" },
  { text: "KT", means: "status", title: "What became of what I asked for?" },
  { text: "HD", means: "help" },
  { text: "HUY", means: "cancel" },
];
const SHOWN_AT_MOST = 100;
const SILENCE_MS = 15_000;
const TRY_AGAIN_MS = 2_000;

// ---- The phone ------------------------------------------------------------------------------------------------------

const lastId = phone => phone.bubbles.at(-1)?.id ?? 0;
const unread = phone =>
  phone.bubbles.filter(bubble => bubble.way === "received" && bubble.id > (here.read.get(phone.number) ?? 0)).length;

function send(text, to = $("to").value) {
  return post("send", { from: here.phone, to, text });
}

function choose(number) {
  here.phone = number;
  drawPhone();
}

function drawPhone() {
  const phone = phoneShown();
  if (!phone) return;
  here.read.set(phone.number, lastId(phone));
  const contacts = shown.phones.map(each => ({
    name: each.name,
    number: each.number,
    chosen: each.number === here.phone,
    unread: unread(each),
  }));
  reconcile($("contacts"), contacts, contact => contact.number, drawContact);
  $("owner-name").textContent = phone.name;
  $("owner-number").textContent = readable(phone.number);
  $("owner-note").textContent = phone.note;
  $("owner-balance").textContent = `${whole.format(phone.balance)} VND`;
  drawThread(phone);
  drawChips(phone);
  drawShop();
  drawCall();
}

function drawContact(contact) {
  const words = contact.unread ? `${contact.name}, ${contact.unread} unread` : contact.name;
  return element("button", {
    type: "button", class: "contact", "aria-pressed": String(contact.chosen), "aria-label": words,
    "data-focus": contact.number, onclick: () => choose(contact.number),
  }, contact.name, contact.unread ? element("span", { class: "unread", "aria-hidden": "true" }, String(contact.unread)) : null);
}

function drawThread(phone) {
  const thread = $("thread");
  const other = here.drawnPhone !== phone.number;
  if (other) {
    thread.replaceChildren();
    here.atEnd = true;
  }
  here.drawnPhone = phone.number;
  const hint = { id: "hint", text: `No messages yet. Press a suggestion below, or write to ${shown.about.shortCode}; ${shown.about.bankCode} is paid at a bank’s page.` };
  const bubbles = phone.bubbles.length
    ? phone.bubbles.map(bubble => ({ ...bubble, repeatable: repeatable(bubble) }))
    : [hint];
  reconcile(thread, bubbles, bubble => bubble.id, (bubble, fresh) => drawBubble(phone, bubble, fresh && !other));
  keepAtEnd();
}

// Who reads the newest message goes on reading the newest; who has scrolled back is left there.
function keepAtEnd() {
  if (here.atEnd) $("thread").scrollTop = $("thread").scrollHeight;
}

// Past the window an SMSC no longer tries, and the same words would be a message of their own.
const repeatable = bubble =>
  bubble.way === "sent" && bubble.taken !== "sending" && Date.now() - bubble.at / 1000 < shown.about.redeliveryMs;

function drawBubble(phone, bubble, fresh) {
  if (bubble.id === "hint") return element("p", { class: "hint" }, bubble.text);
  const again = element("button", {
    type: "button", class: "again", "data-focus": `again-${bubble.id}`,
    title: "Deliver the same message once more, as an SMSC does when it has missed the answer",
    onclick: () => post("redeliver", { from: phone.number, id: bubble.id }),
  }, "Deliver again");
  return element("div", { class: `bubble ${bubble.way}${fresh ? " fresh" : ""}` },
    element("p", { class: "words", lang: bubble.way === "received" ? "vi" : null }, linked(bubble.text)),
    bubble.gloss ? element("p", { class: "gloss" }, bubble.gloss) : null,
    element("p", { class: "below" },
      element("time", {}, time(bubble.at)),
      bubble.way === "sent" ? element("span", { "data-taken": bubble.taken }, taken(bubble)) : null,
      bubble.repeatable ? again : null));
}

// A link in a text can be opened, as on a telephone.
function linked(text) {
  return text.split(/(https?:\/\/\S+)/).map((part, place) => place % 2
    ? element("a", { href: part, target: "_blank", rel: "noreferrer", "data-focus": part }, part)
    : part);
}

function taken(bubble) {
  const delivered = bubble.deliveries > 1 ? `delivered ${bubble.deliveries} times, ` : "";
  switch (bubble.taken) {
    case "sending": return "sending…";
    case "new": return `${delivered}in the journal`;
    case "again": return bubble.deliveries > 1
      ? `${delivered}in the journal once: nothing happens twice`
      : "same words within a minute: a redelivery, nothing is started";
    case "refused": return `not taken: ${bubble.why}`;
    default: return "";
  }
}

function drawChips(phone) {
  const codes = [...shown.purchases.values()]
    .filter(card => card.number === phone.number && card.code)
    .sort((one, other) => other.createdAt - one.createdAt)
    .map(card => ({ text: card.code, of: card.package, title: `Answer with the code for ${card.package}` }));
  reconcile($("chips"), [...codes, ...SUGGESTIONS], chip => chip.text, chip => element("button", {
    type: "button", class: chip.of ? "chip code" : "chip", "data-focus": chip.text, "data-text": chip.text, title: chip.title,
    onclick: () => chip.of ? send(chip.text, shown.about.shortCode) : send(chip.text),
  }, chip.of ? soft("Answer ") : null, chip.text, chip.means ? soft(` ${chip.means}`) : null));
}

const soft = words => element("span", { class: "soft" }, words);

// ---- The journal ----------------------------------------------------------------------------------------------------

function drawJournal() {
  const cards = [...shown.purchases.values()].sort((one, other) => other.createdAt - one.createdAt);
  cards.slice(SHOWN_AT_MOST).forEach(card => shown.purchases.delete(card.id));
  $("empty").hidden = cards.length > 0;
  const items = cards.slice(0, SHOWN_AT_MOST).map((card, place) => ({ ...card, newest: place === 0 }));
  reconcile($("purchases"), items, card => card.id, drawCard);
}

// Open while somebody waits for it, and the newest; after that as the reader left it.
const isOpen = (key, otherwise) => here.opened.get(key) ?? otherwise;

function remembered(key, open) {
  return { open: isOpen(key, open), ontoggle: event => {
    if (event.target.open !== isOpen(key, open)) here.opened.set(key, event.target.open);
  } };
}

// How it was asked for; a text message goes without saying.
const DOORS = { ussd: "dialled", app: "ordered in the app", partner: "bought in the shop" };

function drawCard(card, fresh) {
  const waiting = card.tone === "plain" || card.tone === "unknown";
  return element("article", { class: `card${fresh ? " fresh" : ""}`, "data-tone": card.tone, "data-state": card.state },
    element("div", { class: "heading" },
      element("div", {},
        element("h3", {}, `${card.service} ${card.package}`, element("span", { class: "for" }, ` for ${card.account}`)),
        element("p", { class: "sub" }, [card.name && `${card.name}’s phone`, DOORS[card.door], time(card.createdAt)].filter(Boolean).join(" · "))),
      element("div", { class: "right" },
        element("span", { class: "price" }, card.price ?? ""),
        element("span", { class: "pill", "data-tone": card.tone }, card.says))),
    element("ol", { class: "steps", "aria-label": "Progress" }, card.steps.map(drawStep)),
    element("details", { class: "story", ...remembered(card.id, waiting || card.newest) },
      element("summary", { "data-focus": "story" },
        `${card.events.length} steps in ${span(card.updatedAt - card.createdAt)}`,
        card.asksAt ? element("span", { class: "asks", "data-at": card.asksAt }) : null,
        element("span", { class: "id" }, card.id)),
      element("ol", { class: "events" }, card.events.map(event => drawEvent(card, event)))),
    drawBooks(card));
}

const MARKS = { passed: "passed", now: "here", unknown: "not known yet", review: "a person must look", ended: "ended here", ahead: "ahead" };

function drawStep(step) {
  return element("li", { "data-mark": step.mark, "aria-current": step.mark === "now" ? "step" : null },
    element("span", { class: "dot", "aria-hidden": "true" }),
    element("span", { class: "label" }, step.label),
    element("span", { class: "hidden" }, ` (${MARKS[step.mark]})`));
}

function drawEvent(card, event) {
  const key = `${card.id}/${event.seq}`;
  return element("li", { "data-tone": event.tone },
    element("details", remembered(key, false),
      element("summary", { "data-focus": key },
        element("span", { class: "when", title: exactTime(event.at) }, event.after == null ? time(event.at) : `+${span(event.after)}`),
        element("span", { class: "who", "data-who": event.who }, event.who),
        element("span", { class: "says" }, event.says,
          event.heard ? element("span", { class: "heard" }, event.heard) : null)),
      element("pre", { tabindex: "0" }, JSON.stringify({ ...event.row, at: exactTime(event.at) }, null, 2))));
}

function drawBooks(card) {
  const { payer, billing, packages, tone, verdict } = card.books;
  const lead = { good: "Books agree", review: "Look at the books" }[tone] ?? "Books";
  return element("div", { class: "books", "data-tone": tone },
    element("div", { class: "sides" }, drawBook(`${payer}’s book`, billing), drawBook("package manager’s book", packages)),
    element("p", { class: "verdict" }, element("strong", {}, `${lead}: `), verdict));
}

function drawBook(name, lines) {
  return element("div", { class: "book" },
    element("h4", {}, name),
    lines.length
      ? element("ul", {}, lines.map(line => element("li", { title: `${line.reference}, ${exactTime(line.at)}` },
        element("span", {}, line.says), element("time", {}, time(line.at)))))
      : element("p", { class: "nothing" }, "nothing"));
}

function countDown() {
  const lost = document.body.classList.contains("lost");
  for (const asks of document.querySelectorAll(".asks")) {
    const left = Math.ceil((Number(asks.dataset.at) / 1000 - Date.now()) / 1000);
    asks.textContent = lost ? "" : left > 0 ? ` — asks again in ${left} s` : " — asking now";
  }
}

// ---- What goes wrong ------------------------------------------------------------------------------------------------

const SETTINGS = { off: "Off", once: "Once", always: "Always" };

function drawSwitches() {
  const neighbours = [...new Set(shown.switches.map(each => each.neighbour))]
    .map(name => ({ name, switches: shown.switches.filter(each => each.neighbour === name) }));
  reconcile($("switches"), neighbours, neighbour => neighbour.name, neighbour =>
    element("div", { class: "neighbour" }, element("h3", {}, neighbour.name), neighbour.switches.map(drawSwitch)));
  const on = shown.switches.filter(each => each.setting !== "off");
  $("banner-words").textContent = on.map(each => `${each.neighbour}: ${lowered(each.wrong)} (${each.setting})`).join("; ");
  $("banner").hidden = on.length === 0;
  $("all-off").disabled = on.length === 0;
}

const lowered = words => words.charAt(0).toLowerCase() + words.slice(1);

function drawSwitch(each) {
  const options = Object.entries(SETTINGS).map(([setting, words]) => element("label", {},
    element("input", {
      type: "radio", name: each.switch, value: setting, "data-focus": `${each.switch}-${setting}`,
      checked: each.setting === setting, onchange: () => post("faults", { switch: each.switch, setting }),
    }),
    element("span", {}, words)));
  return element("fieldset", { class: "switch", "data-setting": each.setting },
    element("legend", {}, each.wrong),
    element("div", { class: "settings" }, options),
    element("p", { class: "see" }, each.see));
}

// ---- The connection -------------------------------------------------------------------------------------------------

let source = null;
let heardAt = 0;

function connection(tone, words) {
  $("connection").dataset.tone = tone;
  $("connection").textContent = words;
  document.body.classList.toggle("lost", tone === "lost");
}

function connect() {
  source?.close();
  source = new EventSource("events");
  heardAt = Date.now();
  const on = (name, act) => source.addEventListener(name, event => {
    heardAt = Date.now();
    connection("good", "Live");
    act(JSON.parse(event.data));
  });
  on("alive", () => {});
  on("state", everything);
  on("phone", onePhone);
  on("purchase", onePurchase);
  on("switches", switches => {
    shown.switches = switches;
    drawSwitches();
  });
  source.onerror = () => {
    connection("lost", "Connection lost. Trying again…");
    // A browser tries again by itself unless it has given up.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, TRY_AGAIN_MS);
  };
}

function everything(state) {
  shown.about = state.about;
  shown.phones = state.phones;
  shown.purchases = new Map(state.purchases.map(card => [card.id, card]));
  shown.switches = state.switches;
  here.phone ??= state.phones[0]?.number;
  // Texts that came before this page was opened are not news.
  state.phones.filter(phone => !here.read.has(phone.number)).forEach(phone => here.read.set(phone.number, lastId(phone)));
  offerAccounts(state.phones);
  offerGateways(state.about);
  $("folder").textContent = state.about.folder;
  $("configuration-text").textContent = state.about.configuration;
  $("readyz").href = `${state.about.daemon}/readyz`;
  $("metrics").href = `${state.about.daemon}/metrics`;
  drawJournal();
  drawOrder();
  drawPhone();
  drawSwitches();
  drawCare();
}

function onePhone(phone) {
  shown.phones = shown.phones.map(each => each.number === phone.number ? phone : each);
  drawPhone();
}

function onePurchase(card) {
  shown.purchases.set(card.id, card);
  drawJournal();
  drawOrder();
  drawPhone();
}

// A connection may be gone without either side being told.
setInterval(() => {
  if (Date.now() - heardAt < SILENCE_MS) return;
  connection("lost", "Connection lost. Trying again…");
  connect();
}, 1_000);
setInterval(countDown, 250);
// "Deliver again" goes when its time is over.
setInterval(() => shown.about && drawPhone(), 5_000);

// A thread that has become lower scrolls too, and nobody has scrolled it.
let threadHeight = 0;
$("thread").addEventListener("scroll", () => {
  const { scrollHeight, scrollTop, clientHeight } = $("thread");
  if (clientHeight === threadHeight) here.atEnd = scrollHeight - scrollTop - clientHeight < 40;
});
new ResizeObserver(() => {
  threadHeight = $("thread").clientHeight;
  keepAtEnd();
}).observe($("thread"));
$("write").addEventListener("submit", event => {
  event.preventDefault();
  const text = $("text").value;
  if (!text.trim()) return;
  $("text").value = "";
  send(text);
});
$("begin").addEventListener("click", () => {
  choose(shown.phones[0].number);
  send(SUGGESTIONS[0].text, shown.about.shortCode);
});
for (const id of ["all-off", "banner-off"]) $(id).addEventListener("click", () => post("faults/off", {}));
$("open-configuration").addEventListener("click", () => $("configuration").showModal());
connect();
