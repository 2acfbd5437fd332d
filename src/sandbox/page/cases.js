// Customer care: who may log in at the care page, and the cases that can be produced there. What a case does, the server says.

import { $, element, post, readable, reconcile, shown } from "./drawing.js";

export function drawCare() {
  $("care-page").href = `${shown.about.daemon}/care`;
  reconcile($("people"), shown.about.people, person => person.name, drawPerson);
  reconcile($("cases"), shown.about.cases, each => each.case, each => element("button", {
    type: "button", class: "quiet", title: each.did, "data-case": each.case, onclick: event => produce(each, event.currentTarget),
  }, each.title));
}

function drawPerson(person) {
  return element("li", {}, element("span", {}, person.name), element("code", {}, person.password),
    element("button", { type: "button", class: "quiet", "aria-label": `Copy the password of ${person.name}`,
      onclick: () => navigator.clipboard?.writeText(person.password) }, "Copy"));
}

async function produce(each, button) {
  $("case-made").hidden = true;
  button.disabled = true;
  const made = await post("case", { case: each.case }, $("case-trouble"));
  button.disabled = false;
  if (!made) return;
  const address = `${shown.about.daemon}/care/purchases?q=${made.number}`;
  $("case-made").replaceChildren(`${made.did} Search `,
    element("a", { id: "case-link", href: address, target: "_blank", rel: "noreferrer" }, readable(made.number)), " on the care page.");
  $("case-made").hidden = false;
}
