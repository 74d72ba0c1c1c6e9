// Recorded runs: their state, and what their numbers say at an epoch. records.py finds the same.
import { clamp, largest, show } from "./scales.js";

export const QUANTITIES = { train: "training loss", test_loss: "test loss", test_error: "test error (%)" };
export const VERSION = { record: "dropout", grid: "beta1" }; // of which one is shown at a time
const FIELDS = {
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
    .filter((run) => Object.entries(FIELDS[view]).every(([key, kind]) => typeof run[key] === kind))
    .map((run) => Object.fromEntries([
      ...Object.keys(FIELDS[view]).map((key) => [key, run[key]]),
      ...Object.keys(QUANTITIES).filter((key) => Array.isArray(run[key])).map((key) => [key, curves(run[key])]),
    ]));
  sound.add(runs);
  return runs;
}

export const quantitiesOf = (runs) => Object.keys(QUANTITIES).filter((key) => runs.every((run) => run[key]));
export const shownRuns = ({ view, runs, ...state }) => runs.filter((run) => run[VERSION[view]] === state[VERSION[view]]);

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
export const valuesAt = (curves, t) => curves.filter((curve) => curve.length >= t).map((curve) => curve[t - 1] ?? Infinity);

export function median(values) {
  const sorted = [...values].sort((p, q) => p - q);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

export function standingAt(curves, quantity, t) {
  const values = valuesAt(curves, t).map((value) => (quantity === "test_error" ? 100 : 1) * value);
  return {
    median: median(values), low: Math.min(...values), high: Math.max(...values), seeds: values.length,
    of: curves.length, diverged: values.filter((value) => value === Infinity).length,
  };
}

// The optimizers in their order after an epoch, lowest median first; last, who did not get there.
export function ranking(state, t = state.t, quantity = state.quantity) {
  const found = shownRuns(state).map((run) => ({ name: run.optimizer, ...standingAt(run[quantity], quantity, t) }));
  found.sort((p, q) => (p.seeds === 0) - (q.seeds === 0) || p.median - q.median);
  return found.map((one, i) => ({ ...one, overlaps: i > 0 && one.low <= found[i - 1].high && one.low < Infinity }));
}

export function spread({ low, high, seeds, of, diverged }) {
  if (!seeds) return "no run is that long";
  if (diverged === seeds) return seeds === 1 ? "diverged" : `all ${seeds} seeds diverged`;
  const few = seeds === of ? "" : `, ${seeds} of ${of} seeds`;
  if (seeds === 1) return of === 1 ? "one seed" : few.slice(2);
  if (diverged) return `from ${show(low)}, ${diverged} of ${seeds} seeds diverged${few}`;
  return (show(low) === show(high) ? show(low) : `${show(low)} to ${show(high)}`) + few;
}

export const hasValue = (one) => one.seeds > 0 && one.median < Infinity;

export function inWords(one) {
  const overlap = one.overlaps ? ", overlaps with the one before" : "";
  return hasValue(one) ? `${one.name} ${show(one.median)} (${spread(one)}${overlap})`
    : `${one.name}: ${spread(one)}${overlap}`;
}

export function subject(state) {
  const both = state.view === "record" && new Set(state.runs.map((run) => run.dropout)).size > 1;
  return QUANTITIES[state.quantity] + (both ? ` ${state.dropout ? "with" : "without"} dropout` : "");
}

export const placeOf = (state) => `${state.title}, ${subject(state)} after epoch ${state.t}`;

// Who is lowest, or may be: all whose range reaches into that of the first.
export function lowest(state, t, quantity) {
  const [first, ...others] = ranking(state, t, quantity).filter(hasValue);
  if (!first) return "none";
  return [first, ...others.filter((one) => one.low <= first.high)].map((one) => one.name).join(" or ");
}
