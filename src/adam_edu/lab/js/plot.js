// A canvas with a read-out: the values at the pointer, or where the arrow keys have gone.
import { el } from "./elements.js";
import { clamp } from "./scales.js";

// `at(x, y)` gives the place on the axis, mostly a step, that is meant by a point in CSS pixels, or
// null; `read(place)` gives what stands there: { title, rows: [{ name, words, color, x, y }], x },
// with pixels where a ring and a hair line belong; `beside(x, y)` the same where `at` finds none;
// `take(x, y)` is what a click does; `range` holds the first and the last place of the axis.
//
// All plots of a figure are read at one place together. The one where the reader is says the values.
export function plot(lab, kind, what, { at, read, beside = () => null, take = null, range = () => [0, lab.state.steps],
  now = () => lab.state.t, hint }) {
  const canvas = el("canvas", { class: kind, role: "img" });
  lab.updates.push(() => canvas.setAttribute("aria-label", `${what}. ${lab.summary()}.`));
  const hair = el("div", { class: "hair", hidden: true });
  const tip = el("div", { class: "tip", hidden: true });
  const rings = el("div", {});
  const place = (element, x, y) => Object.assign(element.style, { left: `${x}px`, top: `${y}px` });

  const draw = (reading, mine) => {
    hair.hidden = reading?.x === undefined;
    if (!hair.hidden) place(hair, reading.x, 0);
    const seen = (reading?.rows ?? []).filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
    rings.replaceChildren(...seen.map(({ x, y, color }) => {
      const ring = el("div", { class: "ring" });
      place(ring, x, y);
      ring.style.borderColor = color;
      return ring;
    }));
    tip.hidden = !reading || !mine;
    if (tip.hidden) return;
    tip.replaceChildren(el("strong", {}, reading.title), ...reading.rows.map(({ name, words, color }) => {
      const row = el("div", {}, el("span", {}, name), ` ${words}`);
      row.firstChild.style.color = color ?? "inherit";
      return row;
    }));
    const [x, y] = [reading.x ?? seen[0]?.x ?? 0, seen[0]?.y ?? 0];
    const [width, height] = [probe.clientWidth, probe.clientHeight];
    place(tip, x < width / 2 ? Math.min(x + 14, width - tip.offsetWidth) : Math.max(x - 14 - tip.offsetWidth, 0),
      reading.x === undefined ? clamp(y - tip.offsetHeight / 2, 0, Math.max(height - tip.offsetHeight, 0)) : 4);
  };
  const inWords = ({ title, rows }) => `${title}: ${rows.map(({ name, words }) => `${name} ${words}`).join("; ")}`;

  const point = ({ clientX, clientY }) => {
    const box = probe.getBoundingClientRect();
    return [clientX - box.left, clientY - box.top];
  };
  const move = (event) => {
    const found = at(...point(event));
    lab.readAt(found, self);
    if (found === null) draw(beside(...point(event)), true);
  };
  const step = (event) => {
    const [first, last] = range();
    const from = lab.place ?? now();
    const page = Math.max(1, Math.round((last - first) / 10));
    const to = { ArrowLeft: from - 1, ArrowDown: from - 1, ArrowRight: from + 1, ArrowUp: from + 1, PageDown: from - page,
      PageUp: from + page, Home: first, End: last }[event.key];
    if (to !== undefined) lab.readAt(clamp(to, first, last), self);
    else if (event.key === "Escape") lab.readAt(null);
    else if (event.key === "Enter" && lab.place !== null && take) lab.go(lab.place);
    else return;
    event.preventDefault();
  };
  const probe = el("div", { class: "probe", role: "slider", tabindex: 0, "data-key": `read-${kind}`,
    "aria-label": `read-out: ${what}${hint ? `; ${hint}` : ""}`,
    onpointermove: move, onpointerdown: move, onkeydown: step,
    onpointerleave: () => lab.readAt(null),
    onfocus: () => probe.matches(":focus-visible") && lab.readAt(now(), self),
    onblur: () => lab.readAt(null),
    onclick: (event) => take?.(...point(event)) });

  const self = {
    canvas,
    probe,
    element: el("div", { class: `plot ${kind}-plot` }, canvas, hair, rings, probe, tip),
    // Show the values at a place, which may be null.
    show(found, mine) {
      const [first, last] = range();
      const there = clamp(found ?? now(), first, last);
      const reading = read(there);
      Object.entries({ valuemin: first, valuemax: last, valuenow: there, valuetext: inWords(reading) })
        .forEach(([name, value]) => probe.setAttribute(`aria-${name}`, value));
      draw(found === null ? null : reading, mine);
    },
  };
  lab.plots.push(self);
  return self;
}
