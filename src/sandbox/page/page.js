// The page's own script: shows what the server says, part by part, and sends what is pressed. Keeps no opinion of its own
// about any purchase.

const $ = id => document.getElementById(id);

// What the server last said.
const shown = { about: null, phones: [], purchases: new Map(), switches: [] };
// What only this page knows.
const here = { phone: null, drawnPhone: null, atEnd: true, read: new Map(), opened: new Map(), order: null };

const SUGGESTIONS = ["ON VIP NAP1", "ON VIP NAP1 a085468952", "KT", "HD", "HUY"];
// Bought in the telco's own shop: it charges, and tells paygate.
const SHOP = [
  { mishap: "none", words: "NAP1 in the telco’s shop", title: "The telco asks whether it may, charges by itself, and tells paygate" },
  { mishap: "told_again", words: "… told three times", title: "The same payment, told three times: one package" },
  { mishap: "wrong_price", words: "… at a wrong price", title: "The telco takes 3,000 for what costs 10,000: a person must look" },
];
const SHOWN_AT_MOST = 100;
const SILENCE_MS = 15_000;
const TRY_AGAIN_MS = 2_000;

// ---- Small things ---------------------------------------------------------------------------------------------------

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter(child => child != null));
  return made;
}

// Makes `container` hold one element for each item, in order; those whose item has not changed are left alone, so that
// focus, selection and a screen reader's place stay where they are.
function reconcile(container, items, key, draw) {
  const before = new Map([...container.children].map(child => [child.dataset.key, child]));
  let place = container.firstElementChild;
  for (const item of items) {
    const name = String(key(item));
    const told = JSON.stringify(item);
    let child = before.get(name);
    if (!child || child.told !== told) {
      const drawn = draw(item, !child);
      drawn.dataset.key = name;
      drawn.told = told;
      if (child) replace(child, drawn);
      if (child === place) place = drawn;
      child = drawn;
    }
    before.delete(name);
    if (child === place) place = place.nextElementSibling;
    else container.insertBefore(child, place);
  }
  before.forEach(child => child.remove());
}

function replace(old, drawn) {
  const focus = old.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  old.replaceWith(drawn);
  if (focus) drawn.querySelector(`[data-focus="${CSS.escape(focus)}"]`)?.focus({ preventScroll: true });
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const whole = new Intl.NumberFormat("en-US");
const time = micros => clock.format(new Date(micros / 1000));
const exactTime = micros => `${time(micros)}.${String(Math.floor(micros / 1000) % 1000).padStart(3, "0")}`;

function span(micros) {
  const ms = micros / 1000;
  if (ms < 1) return "<1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.floor(ms / 1000) % 60} s`;
  return `${Math.floor(ms / 3_600_000)} h ${Math.floor(ms / 60_000) % 60} min`;
}

const readable = number => `${number.slice(0, 4)} ${number.slice(4, 7)} ${number.slice(7)}`;

// What was answered; nothing where `trouble` says why not.
async function post(path, body, trouble = $("trouble")) {
  trouble.hidden = true;
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.error);
    return said;
  } catch (error) {
    trouble.textContent = error instanceof TypeError ? "The sandbox cannot be reached." : error.message;
    trouble.hidden = false;
  }
}

// ---- The phone ------------------------------------------------------------------------------------------------------

const phoneShown = () => shown.phones.find(phone => phone.number === here.phone);
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
    element("p", { class: "words" }, linked(bubble.text)),
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
    .map(card => ({ text: card.code, words: `${card.code}`, kind: "code", of: card.package }));
  const shop = SHOP.map(sale => ({ ...sale, text: sale.words, kind: "shop" }));
  const chips = [...codes, ...SUGGESTIONS.map(text => ({ text, words: text, kind: "plain" })), ...shop];
  reconcile($("chips"), chips, chip => chip.text, chip => element("button", {
    type: "button", class: `chip ${chip.kind}`, "data-focus": chip.text, "data-text": chip.text,
    title: chip.of ? `Answer with the code for ${chip.of}` : chip.title,
    onclick: () => chip.mishap ? post("shop", { from: here.phone, mishap: chip.mishap })
      : chip.of ? send(chip.text, shown.about.shortCode) : send(chip.text),
  }, chip.of ? [element("span", { class: "of" }, "Answer "), chip.words] : chip.words));
}

// ---- The app --------------------------------------------------------------------------------------------------------

// `wanted` with a key is an order that was sent before; without one the app makes a key for it.
async function order(wanted) {
  const before = wanted.key ? here.order.answer.purchaseId : null;
  const answer = await post("order", wanted, $("order-trouble"));
  if (!answer) return;
  here.order = { wanted: { ...wanted, key: answer.key }, answer, note: before ? sentAgain(before, answer) : answer.message };
  drawOrder();
}

function sentAgain(before, answer) {
  if (answer.purchaseId !== before) return `Another purchase: ${answer.purchaseId}`;
  return answer.known ? "Ordered again: the same purchase, and nothing second happened." : answer.message;
}

// How it stands is the journal's word, as it comes.
function drawOrder() {
  if (!here.order) return;
  const { wanted, answer, note } = here.order;
  const { state, says, tone } = shown.purchases.get(answer.purchaseId) ?? {};
  const open = (state ?? answer.state) === "awaiting_user";
  const item = {
    id: answer.purchaseId, says: says ?? "Ordered", tone: tone ?? "plain", note, wanted,
    url: open ? answer.paymentUrl : null, svg: open ? answer.qr?.svg : null,
  };
  reconcile($("ordered"), [item], each => each.id, drawOrdered);
}

function drawOrdered(item) {
  return element("div", { class: "order" },
    element("span", { class: "pill", "data-tone": item.tone }, item.says),
    item.svg ? element("img", { class: "qr", alt: "QR code of the bank’s page", src: `data:image/svg+xml,${encodeURIComponent(item.svg)}` }) : null,
    item.url ? element("a", { href: item.url, target: "_blank", rel: "noreferrer", "data-focus": "pay" }, "Pay at the bank’s page") : null,
    element("p", { class: "sub" }, `Purchase ${item.id}`),
    element("button", { type: "button", class: "quiet", "data-focus": "order-again", onclick: () => order(item.wanted) },
      "Order again under the same key"),
    item.note ? element("p", { class: "sub", id: "order-note" }, item.note) : null);
}

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

function drawCard(card, fresh) {
  const waiting = card.tone === "plain" || card.tone === "unknown";
  return element("article", { class: `card${fresh ? " fresh" : ""}`, "data-tone": card.tone, "data-state": card.state },
    element("div", { class: "heading" },
      element("div", {},
        element("h3", {}, `${card.service} ${card.package}`, element("span", { class: "for" }, ` for ${card.account}`)),
        element("p", { class: "sub" }, [card.name && `${card.name}’s phone`, time(card.createdAt)].filter(Boolean).join(" · "))),
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

const WHO = { subscriber: "Subscriber", packages: "Packages", telco: "Telco", gateway: "paygate", operator: "Operator" };

function drawEvent(card, event) {
  const key = `${card.id}/${event.seq}`;
  return element("li", { "data-tone": event.tone },
    element("details", remembered(key, false),
      element("summary", { "data-focus": key },
        element("span", { class: "when", title: exactTime(event.at) }, event.after == null ? time(event.at) : `+${span(event.after)}`),
        element("span", { class: "who" }, WHO[event.who]),
        element("span", { class: "says" }, event.says,
          event.heard ? element("span", { class: "heard" }, event.heard) : null)),
      element("pre", { tabindex: "0" }, JSON.stringify({ ...event.row, at: exactTime(event.at) }, null, 2))));
}

function drawBooks(card) {
  const { payer, billing, packages, tone, verdict } = card.books;
  const lead = { good: "Books agree", review: "Look at the books" }[tone] ?? "Books";
  return element("div", { class: "books", "data-tone": tone },
    element("div", { class: "sides" }, drawBook(`${payer}’s book`, billing), drawBook("Package manager’s book", packages)),
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
  if (!$("order-account").length) {
    $("order-account").append(...state.phones.map(phone =>
      element("option", { value: phone.number }, `${phone.name} ${readable(phone.number)}`)));
  }
  $("folder").textContent = state.about.folder;
  $("configuration-text").textContent = state.about.configuration;
  $("readyz").href = `${state.about.daemon}/readyz`;
  $("metrics").href = `${state.about.daemon}/metrics`;
  drawJournal();
  drawOrder();
  drawPhone();
  drawSwitches();
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

$("thread").addEventListener("scroll", () => {
  const { scrollHeight, scrollTop, clientHeight } = $("thread");
  here.atEnd = scrollHeight - scrollTop - clientHeight < 40;
});
new ResizeObserver(keepAtEnd).observe($("thread"));
$("write").addEventListener("submit", event => {
  event.preventDefault();
  const text = $("text").value;
  if (!text.trim()) return;
  $("text").value = "";
  send(text);
});
$("order").addEventListener("submit", event => {
  event.preventDefault();
  const [service, name] = $("order-package").value.split(" ");
  order({ service, package: name, account: $("order-account").value });
});
$("begin").addEventListener("click", () => {
  choose(shown.phones[0].number);
  send(SUGGESTIONS[0], shown.about.shortCode);
});
for (const id of ["all-off", "banner-off"]) $(id).addEventListener("click", () => post("faults/off", {}));
$("open-configuration").addEventListener("click", () => $("configuration").showModal());
connect();
