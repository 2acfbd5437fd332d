// What the page's scripts share: what is known, how an element is made and kept, how a time is told, how something is sent.
// Knows nothing of what is shown.

export const $ = id => document.getElementById(id);

// What the server last said.
export const shown = { about: null, phones: [], purchases: new Map(), switches: [] };
// What only this page knows.
export const here = { phone: null, drawnPhone: null, atEnd: true, read: new Map(), opened: new Map() };

export const phoneShown = () => shown.phones.find(phone => phone.number === here.phone);

export function element(tag, attributes = {}, ...children) {
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
export function reconcile(container, items, key, draw) {
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
export const whole = new Intl.NumberFormat("en-US");
export const time = micros => clock.format(new Date(micros / 1000));
export const exactTime = micros => `${time(micros)}.${String(Math.floor(micros / 1000) % 1000).padStart(3, "0")}`;

export function span(micros) {
  const ms = micros / 1000;
  if (ms < 1) return "<1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.floor(ms / 1000) % 60} s`;
  return `${Math.floor(ms / 3_600_000)} h ${Math.floor(ms / 60_000) % 60} min`;
}

export const readable = number => `${number.slice(0, 4)} ${number.slice(4, 7)} ${number.slice(7)}`;

// What was answered; nothing where `trouble` says why not.
export async function post(path, body, trouble = $("trouble")) {
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
