// What both views of recorded runs are made with: their vertical axis, tables and menus.
import { select } from "./controls.js";
import { line, write } from "./draw.js";
import { el } from "./elements.js";
import { QUANTITIES, quantitiesOf, VERSION } from "./recorded.js";
import { clamp, largest, rounded, show } from "./scales.js";
import { transport } from "./transport.js";

const SCALES = { log: "logarithmic", linear: "linear" };

function tickValues(low, high, scale) {
  if (scale === "log") {
    const [from, to] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
    for (const steps of [[1], [1, 3], [1, 2, 5]]) {
      const found = [];
      for (let n = from; n <= to; n += 1) found.push(...steps.map((m) => m * 10 ** n));
      const inside = found.filter((v) => v >= low && v <= high);
      if (inside.length > 2) return inside.filter((_, i) => i % Math.ceil(inside.length / 7) === 0);
    }
  }
  const power = 10 ** Math.floor(Math.log10((high - low) / 3));
  const step = power * [5, 2, 1].find((n) => n * power * 3 <= (high - low) * 1.001);
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high; i += 1) found.push(rounded(i * step, 10));
  return found;
}

// The vertical axis for some values, with those above `most` at its top; return a value's place.
export function verticalAxis(lab, ctx, area, values, most) {
  const { theme, state: { scale } } = lab;
  const log = scale === "log";
  const finite = values.filter((v) => v <= most && v < Infinity && (v > 0 || !log));
  const [least, greatest] = finite.length ? [-largest(finite.map((v) => -v), -Infinity), largest(finite, -Infinity)] : [0.5, 1];
  const margin = 0.02 * (greatest - least) || 0.02 * Math.abs(greatest) || 1;
  const [low, high] = log ? [least / 1.02, greatest * 1.02] : [least - margin, greatest + margin];
  const measure = log ? Math.log10 : (v) => v;
  const place = (v) => area.y + area.h * (1 - (measure(clamp(v, low, high)) - measure(low)) / (measure(high) - measure(low)));
  for (const v of tickValues(low, high, scale)) {
    const y = Math.round(place(v)) + 0.5;
    line(ctx, [[area.x, y], [area.x + area.w, y]], theme.line);
    write(ctx, show(v), area.x - 6, y, theme.faint, "right");
  }
  return place;
}

// A table whose rows are written anew with each change: `rows` gives elements with their texts.
export function table(lab, kind, caption, heads, rows) {
  const title = el("caption");
  const body = el("tbody");
  lab.updates.push(() => {
    title.textContent = caption();
    body.replaceChildren(...rows());
  });
  return el("table", { class: `standing ${kind}` }, title,
    el("thead", {}, el("tr", {}, ...heads.map((words) => el("th", { scope: "col" }, words)))), body);
}

// Menus and the slider that both views have.
export function choices(lab) {
  const { state } = lab;
  const menu = (key, text, words) => {
    const names = Object.keys(words);
    if (names.length < 2) return [];
    return [select(lab, key, text, Object.values(words), () => words[lab.state[key]],
      (chosen) => lab.change({ [key]: names.find((name) => words[name] === chosen) }, true))];
  };
  const there = quantitiesOf(state.runs);
  const versions = [...new Set(state.runs.map((run) => run[VERSION[state.view]]))];
  return {
    menus: [
      ...(state.view === "record" ? menu("quantity", "show", Object.fromEntries(there.map((key) => [key, QUANTITIES[key]]))) : []),
      ...(state.view === "record"
        ? menu("dropout", "dropout", Object.fromEntries(versions.map((value) => [value, value ? "with" : "without"])))
        : menu("beta1", "β₁", Object.fromEntries(versions.map((value) => [value, String(value)])))),
      ...menu("scale", "axis", SCALES),
    ],
    slider: state.steps > 1 ? [transport(lab, { unit: "epoch", text: "stop after epoch", least: 1, speeds: ["1", "2", "5", "20"] })] : [],
  };
}
