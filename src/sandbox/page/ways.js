// The ways to buy that begin at no telephone: the content service's app, and the telco's own shop. Shows what was answered;
// what became of it, the journal says.

import { $, element, here, phoneShown, post, readable, reconcile, shown } from "./drawing.js";

// In the shop the telco charges by itself, and tells paygate.
const SALES = [
  { mishap: "none", words: "Buy NAP1", title: "The shop asks whether it may, charges, and tells paygate" },
  { mishap: "told_again", words: "Told 3 times", title: "The same payment, told three times: one package" },
  { mishap: "wrong_price", words: "Wrong price", title: "The shop takes 3,000 for what costs 10,000: a person must look" },
];

// The order that is meant and not answered yet, with its key: pressed again it is the same order.
let meant = null;
// The order that was answered last.
let ordered = null;

// ---- The app --------------------------------------------------------------------------------------------------------

export function offerAccounts(phones) {
  if ($("order-account").length) return;
  $("order-account").append(...phones.map(phone =>
    element("option", { value: phone.number }, `${phone.name} ${readable(phone.number)}`)));
}

// Random also where the page is not served as a secure context, in which crypto.randomUUID is missing.
const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, "0")).join("");

function orderAnew() {
  const [service, name] = $("order-package").value.split(" ");
  const wanted = { service, package: name, account: $("order-account").value };
  const same = meant && Object.keys(wanted).every(field => meant[field] === wanted[field]);
  if (!same) meant = { ...wanted, key: newKey() };
  order(meant);
}

// Only an answer ends what is meant: where none came, nobody knows whether the order was taken.
async function order(wanted) {
  waits(true);
  const answer = await post("order", wanted, $("order-trouble"));
  waits(false);
  if (!answer) return;
  if (meant?.key === wanted.key) meant = null;
  const again = ordered?.wanted.key === wanted.key;
  ordered = { wanted, answer, note: again ? sentAgain(answer) : answer.message };
  drawOrder();
}

function waits(waiting) {
  $("order-send").disabled = waiting;
  $("order-send").textContent = waiting ? "Ordering…" : "Order";
  const again = $("order-again");
  if (again) again.disabled = waiting;
}

const sentAgain = answer =>
  answer.known ? "Ordered again: the same purchase, and nothing second happened." : answer.message;

// How it stands is the journal's word, as it comes.
export function drawOrder() {
  if (!ordered) return;
  const { wanted, answer, note } = ordered;
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
    item.url ? element("a", { id: "order-pay", href: item.url, target: "_blank", rel: "noreferrer", "data-focus": "pay" }, "Pay at the bank’s page") : null,
    element("p", { class: "sub" }, `Purchase ${item.id}`),
    element("button", { type: "button", id: "order-again", class: "quiet", "data-focus": "order-again", onclick: () => order(item.wanted) },
      "Send the same order again"),
    item.note ? element("p", { class: "sub", id: "order-note" }, item.note) : null);
}

// ---- The telco's shop -----------------------------------------------------------------------------------------------

export function drawShop() {
  $("shop-buyer").textContent = phoneShown().name;
  reconcile($("sales"), SALES, sale => sale.mishap, sale => element("button", {
    type: "button", class: "quiet", title: sale.title, "data-mishap": sale.mishap, onclick: event => buy(sale, event.currentTarget),
  }, sale.words));
}

async function buy(sale, button) {
  const { name } = phoneShown();
  $("sold").hidden = button.disabled = true;
  const sold = await post("shop", { from: here.phone, mishap: sale.mishap }, $("shop-trouble"));
  button.disabled = false;
  if (!sold) return;
  $("sold").textContent = `${name} paid (${sold.payment}). paygate answered: ${sold.answers.map(answer => answer.status).join(", ")}.`;
  $("sold").hidden = false;
}

$("order").addEventListener("submit", event => {
  event.preventDefault();
  orderAnew();
});
