// The telephone's dialler, and the screen of the dialogue that it dialled. Shows what the network shows, and sends what is
// keyed in; knows nothing of menus.

import { $, element, here, phoneShown, post } from "./drawing.js";

const KEYS = [..."123456789*0#"];

// The step whose screen is on the telephone, so that a new one begins with an empty answer.
let step = null;

const send = (path, body) => post(path, { from: here.phone, ...body }, $("dial-trouble"));

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
  $(call.is === "asking" ? "ussd-answer" : "ussd-cancel").focus({ preventScroll: true });
}

$("open-dialler").addEventListener("click", () => openDialler($("dialler").hidden));
$("close-dialler").addEventListener("click", () => openDialler(false));
$("erase").addEventListener("click", () => {
  $("code").value = $("code").value.slice(0, -1);
});
$("dialler").addEventListener("submit", event => {
  event.preventDefault();
  send("dial", { gateway: $("through").value, code: $("code").value });
});
$("ussd").addEventListener("submit", event => {
  event.preventDefault();
  const text = $("ussd-answer").value.trim();
  if (text) send("key", { text });
});
$("ussd-cancel").addEventListener("click", () => send("hang-up", {}));
