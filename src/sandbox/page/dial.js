// The telephone's dialler, and the screen of the dialogue that it dialled. Shows what the network shows, and sends what is
// keyed in; knows nothing of menus.

import { $, element, here, phoneShown, post } from "./drawing.js";

const KEYS = [..."123456789*0#"];

// The step whose screen is on the telephone, so that a new one begins with an empty answer.
let step = null;

// Pressed twice, a button sends once.
async function send(button, path, body) {
  const trouble = $(button).closest("form").querySelector(".trouble");
  $(button).disabled = true;
  await post(path, { from: here.phone, ...body }, trouble);
  $(button).disabled = false;
}

export function offerGateways({ gateways, serviceCode }) {
  if ($("through").length) return;
  $("through").append(...gateways.map(gateway => element("option", { value: gateway.name }, gateway.words)));
  $("code").value = serviceCode;
  $("open-dialler").textContent = `Dial ${serviceCode}`;
  $("keypad").append(...KEYS.map(key => element("button", { type: "button", class: "key", onclick: () => press(key) }, key)));
}

function press(key) {
  $("code").value += key;
}

function openDialler(open) {
  $("dialler").hidden = !open;
  if (open) $("call").focus({ preventScroll: true });
  else $("open-dialler").focus();
}

export function drawCall() {
  const { call, number } = phoneShown();
  $("ussd").hidden = !call;
  // As on a handset, nothing behind a screen can be reached.
  for (const id of ["thread", "chips", "write"]) $(id).inert = Boolean(call);
  if (!call) {
    step = null;
    return;
  }
  $("dialler").hidden = true;
  Object.assign($("ussd").dataset, { is: call.is, step: call.step });
  $("ussd-text").textContent = call.is === "waiting" ? "USSD code running…" : call.text;
  $("ussd-gloss").textContent = call.is === "waiting" ? "" : call.gloss ?? "";
  $("ussd-answer").hidden = $("ussd-send").hidden = call.is !== "asking";
  $("ussd-cancel").textContent = call.is === "over" ? "OK" : "Cancel";
  const now = `${number} ${call.step} ${call.is}`;
  if (step === now) return;
  step = now;
  $("ussd-answer").value = "";
  // Whoever looks from telephone to telephone goes on doing so.
  if ($("contacts").contains(document.activeElement)) return;
  $(call.is === "asking" ? "ussd-answer" : "ussd-cancel").focus({ preventScroll: true });
}

$("open-dialler").addEventListener("click", () => openDialler($("dialler").hidden));
$("close-dialler").addEventListener("click", () => openDialler(false));
$("erase").addEventListener("click", () => {
  $("code").value = $("code").value.slice(0, -1);
});
$("dialler").addEventListener("submit", event => {
  event.preventDefault();
  send("call", "dial", { gateway: $("through").value, code: $("code").value });
});
$("ussd").addEventListener("submit", event => {
  event.preventDefault();
  const text = $("ussd-answer").value.trim();
  if (text) send("ussd-send", "key", { text });
});
$("ussd").addEventListener("keydown", event => {
  if (event.key === "Escape") $("ussd-cancel").click();
});
$("dialler").addEventListener("keydown", event => {
  if (event.key === "Escape") openDialler(false);
});
$("ussd-cancel").addEventListener("click", () => send("ussd-cancel", "hang-up", {}));
