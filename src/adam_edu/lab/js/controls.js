// The controls of a figure. By its `key` a control is found again when the others have changed.
import { line, sheet, stamp } from "./draw.js";
import { el } from "./elements.js";
import { label } from "./looks.js";
import { RULES, SURFACES, SLIDERS } from "./rules.js";
import { positionOf, positions, show, valueAt } from "./scales.js";
import { fresh } from "./state.js";

// A finger that begins on a slider may want to scroll the page. Until it has gone sideways nothing
// changes; if it was a tap, or the browser offers a value late, that is taken when it has left.
function byTouch(input, set) {
  let touch = null;
  const put = (value) => {
    input.value = value;
    set();
  };
  input.addEventListener("pointerdown", ({ pointerType, clientX: x, clientY: y }) => {
    touch = pointerType === "touch" ? { x, y, before: input.value, wanted: null } : null;
  });
  input.addEventListener("pointermove", ({ clientX, clientY }) => {
    if (!touch) return;
    const [x, y] = [clientX - touch.x, clientY - touch.y].map(Math.abs);
    if (x > 8 && x > y) touch = null;
  });
  input.addEventListener("input", () => {
    if (!touch) return set();
    touch.wanted ??= input.value;
    input.value = touch.before;
    return null;
  });
  input.addEventListener("pointerup", () => {
    const wanted = touch?.wanted ?? null;
    touch = null;
    if (wanted !== null) put(wanted);
  });
  input.addEventListener("pointercancel", () => {
    if (touch) input.value = touch.before;
    touch = null;
  });
}

export function slider(lab, key, text, spec, get, set) {
  const id = `control-${lab.ids += 1}`;
  const output = el("output", { for: id });
  const input = el("input", { id, type: "range", min: 0, "data-key": key });
  byTouch(input, () => set(valueAt(spec, Number(input.value))));
  lab.updates.push(() => {
    const words = show(get(), { log: 3, log1m: 6, linear: 4 }[spec.scale]);
    input.max = positions(spec);
    if (output.textContent === words) return;
    input.value = positionOf(spec, get());
    output.textContent = words;
    input.setAttribute("aria-valuetext", words);
  });
  return el("div", { class: "row" }, el("label", { for: id }, text), output, input);
}

export function select(lab, key, text, options, get, set) {
  const id = `control-${lab.ids += 1}`;
  const input = el("select", { id, "data-key": key, onchange: () => set(input.value) },
    ...options.map((name) => el("option", { selected: name === get() }, name)));
  return el("div", { class: "row pick" }, el("label", { for: id }, text), input);
}

export function button(key, words, onclick, attributes = {}) {
  return el("button", { type: "button", "data-key": key, onclick, ...attributes }, words);
}

export function note(lab, words) {
  const element = el("p", { class: "outcome" });
  lab.updates.push(() => { element.textContent = words(); });
  return element;
}

// A slider for a number of the state, and sliders for a group of numbers in it.
export function knob(lab, key) {
  return slider(lab, key, label(key), SLIDERS[key], () => lab.state[key], (value) => lab.change({ [key]: value }));
}

export function knobs(lab, group, specs) {
  return Object.entries(specs).map(([name, spec]) =>
    slider(lab, `${group}-${name}`, label(name, group), spec, () => lab.state[group][name],
      (value) => lab.change({ [group]: { ...lab.state[group], [name]: value } })));
}

// A slider for one hyper-parameter of the optimizer at a place in the list.
export function hyper(lab, place, name) {
  const get = () => lab.state.rules[place];
  return slider(lab, `${place}-${name}`, label(name), RULES[get().name].hyper[name],
    () => get().hyper[name],
    (value) => lab.change({ rules: lab.state.rules.with(place, { ...get(), hyper: { ...get().hyper, [name]: value } }) }));
}

// The only optimizer: which one, and sliders for all its settings or those given.
export function oneRule(lab, names = Object.keys(lab.state.rules[0].hyper)) {
  return [
    select(lab, "rule", "optimizer", Object.keys(RULES), () => lab.state.rules[0].name,
      (name) => lab.change({ rules: [fresh(name, lab.state.surface)] }, true)),
    ...names.map((name) => hyper(lab, 0, name)),
  ];
}

export function chooseSurface(lab) {
  return [
    select(lab, "surface", "surface", Object.keys(SURFACES), () => lab.state.surface,
      (surface) => lab.change({ surface, shape: {}, start: SURFACES[surface].start }, true)),
    ...knobs(lab, "shape", SURFACES[lab.state.surface].shape),
  ];
}

// An optimizer's line and marker, as in the plots.
export function glyph(lab, looks) {
  const canvas = el("canvas", { class: "glyph", "aria-hidden": "true" });
  lab.updates.push(() => {
    const look = looks();
    const { ctx } = sheet(canvas, 30, 16);
    line(ctx, [[0, 8], [30, 8]], look.color, 2, look.dash);
    stamp(ctx, lab.theme, look, 15, 8, 5);
  });
  return canvas;
}
