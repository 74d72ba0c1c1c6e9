// Recorded runs: curves that stop where the reader says, and the ranking there; or, where a grid
// of settings was the experiment, losses over the rate. records.py finds the same in the same numbers.
import { clamp, el, inked, largest, line, mark, nameLines, rounded, sheet, show, write } from "./draw.js";
import { DEFAULTS, RULES } from "./rules.js";

const QUANTITIES = { train: "training loss", test_loss: "test loss", test_error: "test error (%)" };
const SCALES = { log: "logarithmic", linear: "linear" };
const VERSION = { record: "dropout", grid: "beta1" }; // of which one is shown at a time
const PARTS = {
  record: { optimizer: "string", dropout: "boolean" },
  grid: { corrected: "boolean", beta1: "number", beta2: "number", lr: "number" },
};

// State: what a page or Python gives, brought into what can be shown.

const sound = new WeakSet(); // lists of runs that have been looked through

function soundRuns(view, given) {
  if (!Array.isArray(given)) return [];
  if (sound.has(given)) return given;
  const curves = (rows) => rows.filter(Array.isArray).map((row) =>
    row.map((value) => (Number.isFinite(value) ? value : null)));
  const runs = given
    .filter((run) => Array.isArray(run?.train))
    .filter((run) => Object.entries(PARTS[view]).every(([key, kind]) => typeof run[key] === kind))
    .map((run) => Object.fromEntries([
      ...Object.keys(PARTS[view]).map((key) => [key, run[key]]),
      ...Object.keys(QUANTITIES).filter((key) => Array.isArray(run[key])).map((key) => [key, curves(run[key])]),
    ]));
  sound.add(runs);
  return runs;
}

const quantitiesOf = (runs) => Object.keys(QUANTITIES).filter((key) => runs.every((run) => run[key]));
const shownRuns = ({ view, runs, ...state }) => runs.filter((run) => run[VERSION[view]] === state[VERSION[view]]);

// A state of recorded runs, or null if it is none.
export function cleanRuns(raw) {
  if (!Object.hasOwn(VERSION, raw.view)) return null;
  const runs = soundRuns(raw.view, raw.runs);
  const key = VERSION[raw.view];
  const there = quantitiesOf(runs);
  const state = {
    view: raw.view,
    title: typeof raw.title === "string" ? raw.title.slice(0, 100) : "runs",
    scale: raw.scale === "linear" ? "linear" : "log",
    quantity: there.includes(raw.quantity) ? raw.quantity : "train",
    runs,
    [key]: (runs.find((run) => run[key] === raw[key] || String(run[key]) === raw[key]) ?? runs[0])?.[key],
  };
  const steps = largest(shownRuns(state).flatMap((run) => run[state.quantity].map((curve) => curve.length)));
  const given = typeof raw.t === "string" && raw.t ? Number(raw.t) : raw.t;
  const t = Number.isFinite(given) && given !== raw.steps ? clamp(Math.round(given), 1, steps) : steps;
  return steps ? { ...state, t, steps } : null;
}

// What the numbers say

// The value of each seed that got to an epoch; infinite where it had diverged.
const valuesAt = (curves, t) => curves.filter((curve) => curve.length >= t).map((curve) => curve[t - 1] ?? Infinity);

function median(values) {
  const sorted = [...values].sort((p, q) => p - q);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

function standingAt(curves, quantity, t) {
  const values = valuesAt(curves, t).map((value) => (quantity === "test_error" ? 100 : 1) * value);
  return {
    median: median(values), low: Math.min(...values), high: Math.max(...values), seeds: values.length,
    of: curves.length, diverged: values.filter((value) => value === Infinity).length,
  };
}

// The optimizers in their order after an epoch, lowest median first; last, who did not get there.
function ranking(state, t = state.t, quantity = state.quantity) {
  const found = shownRuns(state).map((run) => ({ name: run.optimizer, ...standingAt(run[quantity], quantity, t) }));
  found.sort((p, q) => (p.seeds === 0) - (q.seeds === 0) || p.median - q.median);
  return found.map((one, i) => ({ ...one, overlaps: i > 0 && one.low <= found[i - 1].high && one.low < Infinity }));
}

function spread({ low, high, seeds, of, diverged }) {
  if (!seeds) return "no run is that long";
  if (diverged === seeds) return seeds === 1 ? "diverged" : `all ${seeds} seeds diverged`;
  const few = seeds === of ? "" : `, ${seeds} of ${of} seeds`;
  if (seeds === 1) return of === 1 ? "one seed" : few.slice(2);
  if (diverged) return `from ${show(low)}, ${diverged} of ${seeds} seeds diverged${few}`;
  return (show(low) === show(high) ? show(low) : `${show(low)} to ${show(high)}`) + few;
}

const hasValue = (one) => one.seeds > 0 && one.median < Infinity;

function inWords(one) {
  const overlap = one.overlaps ? ", overlaps with the one before" : "";
  return hasValue(one) ? `${one.name} ${show(one.median)} (${spread(one)}${overlap})`
    : `${one.name}: ${spread(one)}${overlap}`;
}

function subject(state) {
  const both = state.view === "record" && new Set(state.runs.map((run) => run.dropout)).size > 1;
  return QUANTITIES[state.quantity] + (both ? ` ${state.dropout ? "with" : "without"} dropout` : "");
}

const placeOf = (state) => `${state.title}, ${subject(state)} after epoch ${state.t}`;

// Who is lowest, or may be: all whose range reaches into that of the first.
function lowest(state, t, quantity) {
  const [first, ...others] = ranking(state, t, quantity).filter(hasValue);
  if (!first) return "none";
  return [first, ...others.filter((one) => one.low <= first.high)].map((one) => one.name).join(" or ");
}

// Drawing

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
function verticalAxis(lab, ctx, area, values, most) {
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

// An optimizer looks as elsewhere; a variant of it, named after a comma, is dotted and hollow.
function looksOf(lab, name) {
  const [optimizer, variant] = name.split(",");
  const style = inked(Object.hasOwn(RULES, optimizer) ? RULES[optimizer].style : DEFAULTS.series.at(-1), lab.dark);
  return variant === undefined ? style : { ...style, dash: [1, 1], hollow: true };
}

const stamp = (ctx, theme, { marker, color, hollow }, x, y, size) =>
  mark(ctx, marker, x, y, size, hollow ? theme.paper : color, hollow ? color : null);

function drawCurves(lab, canvas) {
  const { theme, curves, state: { t, steps } } = lab;
  const { ctx, width, height } = sheet(canvas);
  if (!width) return;
  const names = Math.min(largest(curves.map(({ name }) => ctx.measureText(name).width)) + 22, width * 0.42);
  const area = { x: 46, y: 24, w: width - 46 - names, h: height - 48 };
  const px = (epoch) => area.x + ((epoch - 1) / Math.max(steps - 1, 1)) * area.w;
  const first = curves.map(({ points }) => points[0]).filter((one) => one.seeds).map((one) => one.median);
  const typical = 10 * median(first);
  const every = curves.flatMap(({ values }) => values);
  const py = verticalAxis(lab, ctx, area, every, typical > 0 && typical < Infinity ? typical : Infinity);
  write(ctx, subject(lab.state), 4, 10, theme.faint);
  const least = steps / Math.max(2, Math.floor(area.w / 34));
  const gap = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((n) => n >= least) ?? steps;
  for (let epoch = gap; epoch <= steps; epoch += gap) {
    write(ctx, String(epoch), px(epoch), area.y + area.h + 14, theme.faint, "center");
  }
  write(ctx, "epoch", area.x + area.w + 16, area.y + area.h + 14, theme.faint);
  if (t < steps) line(ctx, [[px(t), area.y], [px(t), area.y + area.h]], theme.faint);
  for (const { points, look } of curves) {
    const shown = points.slice(0, t).map((one, i) => ({ ...one, x: px(i + 1) })).filter((one) => one.seeds);
    ctx.globalAlpha = 0.22;
    ctx.fillStyle = look.color;
    ctx.beginPath();
    for (const { x, low } of shown) ctx.lineTo(x, py(low));
    for (const { x, high } of shown.toReversed()) ctx.lineTo(x, py(high));
    ctx.fill();
    ctx.globalAlpha = 1;
    line(ctx, shown.map((one) => [one.x, py(one.median)]), look.color, 2, look.dash);
    const between = Math.max(1, Math.round(steps / 12));
    shown.forEach((one, i) => {
      if (i % between === 0 || i === shown.length - 1) stamp(ctx, theme, look, one.x, py(one.median), 3.6);
    });
  }
  const ends = curves.map(({ name, points, look }) => ({ name, color: look.color, ...points[t - 1] }));
  nameLines(ctx, ends.filter((one) => one.seeds).map(({ name, color, median: v }) =>
    ({ name: v < Infinity ? name : `${name} ↑`, color, y: py(v) })), area, px(t) + 10);
}

// A table whose rows are written anew with each change: `rows` gives elements with their texts.
function table(lab, kind, caption, heads, rows) {
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
function choices(lab) {
  const { state } = lab;
  const menu = (key, text, words) => {
    const names = Object.keys(words);
    if (names.length < 2) return [];
    return [lab.select(key, text, Object.values(words), () => words[lab.state[key]],
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
    slider: state.steps > 1 ? [lab.transport("epoch", "stop after epoch", 1, ["1", "2", "5", "20"])] : [],
  };
}

// The views

export function record(lab) {
  const chart = lab.canvas("curves", "Curves of recorded runs");
  const { menus, slider } = choices(lab);
  const rows = Object.fromEntries(shownRuns(lab.state).map(({ optimizer }) => {
    const [note, middle, range] = [el("small"), el("td"), el("td")];
    const head = el("th", { scope: "row" }, lab.glyph(() => looksOf(lab, optimizer)), optimizer, note);
    return [optimizer, { note, middle, range, row: el("tr", {}, head, middle, range) }];
  }));
  const ranked = () => ranking(lab.state).map((one) => {
    const { note, middle, range, row } = rows[one.name];
    note.textContent = one.overlaps ? " overlaps with the one before" : "";
    middle.textContent = hasValue(one) ? show(one.median) : "–";
    range.textContent = spread(one);
    return row;
  });
  return {
    title: `Recorded runs: ${lab.state.title}`,
    stage: [chart, ...slider,
      table(lab, "ranks", () => `Lowest first, after epoch ${lab.state.t}: ${subject(lab.state)}`,
        ["optimizer", "median", "range over seeds"], ranked)],
    panel: [
      ...menus,
      ...quantitiesOf(lab.state.runs).map((key) => lab.note(() =>
        `Lowest ${QUANTITIES[key].replace(" (%)", "")} after epoch ${lab.state.t}: ${lowest(lab.state, lab.state.t, key)}.`)),
      lab.note(() => {
        const { t, steps, quantity } = lab.state;
        return t === steps ? "The longest of these runs ends here."
          : `Lowest ${QUANTITIES[quantity].replace(" (%)", "")} at the end, epoch ${steps}: ${lowest(lab.state, steps, quantity)}.`;
      }),
    ],
    compute: () => {
      const { quantity, steps } = lab.state;
      lab.curves = shownRuns(lab.state).map(({ optimizer, [quantity]: curves }) => {
        const points = Array.from({ length: steps }, (_, i) => standingAt(curves, quantity, i + 1));
        return { name: optimizer, points, values: points.filter((one) => one.seeds).flatMap(({ low, high }) => [low, high]) };
      });
    },
    paint: () => {
      for (const curve of lab.curves) curve.look = looksOf(lab, curve.name);
      drawCurves(lab, chart);
    },
    summary: () => `${placeOf(lab.state)}, lowest first: ${ranking(lab.state).map(inWords).join("; ")}`,
  };
}

// Above this loss a run counts as broken: a tenth above where the slowest ones with the correction began.
function limitOf({ runs }) {
  const least = -largest(runs.map((run) => -run.lr), -Infinity);
  const first = runs.filter((run) => run.corrected && run.lr === least).map((run) => median(valuesAt(run.train, 1)));
  const began = first.filter((v) => v < Infinity);
  return began.length ? 1.1 * largest(began) : Infinity;
}

const ratesOf = (points) => points.filter((point) => point.broken).map((point) => show(point.lr));
const brokenAt = (points) => (ratesOf(points).length ? `broken at ${ratesOf(points).join(", ")}` : "none broken");

const betasOf = ({ runs }) => [...new Set(runs.map((run) => run.beta2))].sort((p, q) => p - q);

// By beta2: the points with the correction and without, by rate.
function settings(state) {
  const most = limitOf(state);
  const runs = shownRuns(state).sort((p, q) => p.lr - q.lr);
  return betasOf(state).map((beta2) => ({
    beta2,
    lines: [true, false].map((corrected) => runs
      .filter((run) => run.beta2 === beta2 && run.corrected === corrected)
      .map((run) => ({ beta2, lr: run.lr, values: valuesAt(run.train, state.t) }))
      .filter(({ values }) => values.length)
      .map(({ values, ...point }) => ({ ...point, loss: median(values) }))
      .map((point) => ({ ...point, broken: point.loss === Infinity || point.loss > most }))),
  }));
}

const seriesAt = (lab, i) => inked(DEFAULTS.series[i % DEFAULTS.series.length], lab.dark);

function drawGrid(lab, canvas) {
  const { theme, state, found } = lab;
  const { ctx, width, height } = sheet(canvas);
  if (!width) return;
  const area = { x: 46, y: 38, w: width - 70, h: height - 62 };
  const rates = [...new Set(state.runs.map((run) => run.lr))].sort((p, q) => p - q);
  const [from, to] = [rates[0], rates.at(-1)].map(Math.log10);
  const px = (lr) => area.x + 12 + ((Math.log10(lr) - from) / (to - from || 1)) * (area.w - 24);
  const most = limitOf(state);
  const every = state.runs.flatMap((run) => run.train.flat()).filter((v) => v !== null);
  const py = verticalAxis(lab, ctx, area, [...every, most], most);
  write(ctx, `${subject(state)}; × broken`, 4, 10, theme.faint);
  for (const lr of rates) write(ctx, show(lr), px(lr), area.y + area.h + 14, theme.faint, "center");
  write(ctx, "rate", 4, area.y + area.h + 14, theme.faint);
  found.forEach(({ lines }, i) => {
    const style = seriesAt(lab, i);
    const aside = 9 * (i - (found.length - 1) / 2); // of the crosses, which would hide one another
    lines.forEach((points, k) => {
      const at = points.map(({ lr, loss, broken }) => (broken ? [px(lr) + aside, area.y - 8] : [px(lr), py(loss)]));
      line(ctx, at.filter((_, n) => !points[n].broken), style.color, 2, k ? [1, 1] : []);
      points.forEach(({ broken }, n) => {
        const [x, y] = at[n];
        if (!broken) return stamp(ctx, theme, { ...style, hollow: k === 1 }, x, y, 4);
        line(ctx, [[x - 4, y - 4], [x + 4, y + 4]], style.color, 2);
        return line(ctx, [[x - 4, y + 4], [x + 4, y - 4]], style.color, 2);
      });
    });
  });
}

export function grid(lab) {
  lab.updates.push(() => { lab.found = settings(lab.state); });
  const chart = lab.canvas("curves", "Loss over the learning rate");
  const { menus, slider } = choices(lab);
  const words = ["with", "without"];
  const betas = betasOf(lab.state);
  const glyphs = betas.map((_, i) => lab.glyph(() => seriesAt(lab, i)));
  const rows = () => lab.found.map(({ beta2, lines }) => el("tr", {},
    el("th", { scope: "row" }, glyphs[betas.indexOf(beta2)], String(beta2)),
    ...lines.map((points) => el("td", {}, points.length ? ratesOf(points).join(", ") || "none" : "–"))));
  const best = (k) => {
    const fine = lab.found.flatMap(({ lines }) => lines[k]).filter((point) => !point.broken);
    const { loss, beta2, lr } = fine.reduce((p, q) => (q.loss < p.loss ? q : p), { loss: Infinity });
    return fine.length ? `${show(loss, 4)} (β₂ ${beta2}, rate ${show(lr)})` : "none";
  };
  return {
    title: `Recorded runs: ${lab.state.title}`,
    stage: [chart, ...slider,
      table(lab, "settings", () => `Rates with broken runs after epoch ${lab.state.t}, β₁ = ${lab.state.beta1}`,
        ["β₂", "with correction (solid)", "without (dotted)"], rows)],
    panel: [
      ...menus,
      ...words.map((word, k) => lab.note(() => `Lowest loss ${word} the correction: ${best(k)}.`)),
      lab.note(() => `Broken: without a number, or with a loss above ${show(limitOf(lab.state))}, `
        + "a tenth above the slowest run with the correction after its first epoch."),
    ],
    compute: () => {},
    paint: () => drawGrid(lab, chart),
    summary: () => {
      const there = lab.found.filter(({ lines }) => lines.some((points) => points.length));
      const found = there.map(({ beta2, lines }) => `β₂ = ${beta2}: ${lines
        .map((points, k) => (points.length ? `${words[k]} correction ${brokenAt(points)}` : null))
        .filter(Boolean).join(", ")}`);
      return `${placeOf(lab.state)}, β₁ = ${lab.state.beta1}. ${found.join("; ")}`;
    },
  };
}
