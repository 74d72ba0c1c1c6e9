// What a figure shows, as plain data. Whatever comes from a page, a link or Python is brought here
// into what can be shown; states.py does the same in Python, but refuses.
import { cleanRuns, VERSION } from "./recorded.js";
import { RULES, SURFACES, SCHEDULES, DEFAULTS, ONLY, PARTS, SIGNALS } from "./rules.js";
import { clamp } from "./scales.js";

export const MAX_RULES = 6;
export const PLACES = 40; // of a drawn gradient

function number(value, fallback, low = -Infinity, high = Infinity) {
  const found = typeof value === "string" && value.trim() ? Number(value) : value;
  return typeof found === "number" && Number.isFinite(found) ? clamp(found, low, high) : fallback;
}

const whole = (value, fallback, low, high) => Math.round(number(value, fallback, low, high));
const list = (value) => (Array.isArray(value) ? value : []);

function keyOf(table, value, fallback) {
  return typeof value === "string" && Object.hasOwn(table, value) ? value : fallback;
}

function cleanValues(specs, given) {
  return Object.fromEntries(Object.entries(specs).map(([name, spec]) => {
    const high = spec.scale === "log1m" ? 1 - 1e-9 : spec.high ?? 1e12;
    const value = number(given?.[name], spec.value, spec.low ?? 0, high);
    return [name, spec.whole ? Math.round(value) : value];
  }));
}

// An optimizer as it enters a figure: the rule's defaults, and a learning rate to begin with.
export function fresh(name, surface) {
  const hyper = cleanValues(RULES[name].hyper, {});
  if ("lr" in hyper) hyper.lr = RULES[name].rate ?? SURFACES[surface].rate;
  return { name, hyper };
}

export function clean(given) {
  const raw = typeof given === "object" && given ? given : {};
  const recorded = cleanRuns(raw);
  if (recorded) return recorded;
  const view = Object.hasOwn(VERSION, raw.view) ? "race" : keyOf(PARTS, raw.view, "race");
  const surface = keyOf(SURFACES, raw.surface, DEFAULTS.surface);
  const rules = list(raw.rules)
    .filter((rule) => keyOf(RULES, rule?.name) && (ONLY[view]?.includes(rule.name) ?? true))
    .map(({ name, hyper }) => ({ name, hyper: cleanValues(RULES[name].hyper, hyper) }))
    .slice(0, { race: MAX_RULES, pair: 2 }[view] ?? 1);
  while (rules.length < (view === "pair" ? 2 : 1)) rules.push(fresh("Adam", surface));
  const steps = whole(raw.steps, DEFAULTS.steps, 1, 5000);
  const signals = SIGNALS[view] ?? SIGNALS.bias;
  const name = keyOf(SCHEDULES, raw.schedule, "Constant");
  return {
    view,
    surface,
    shape: cleanValues(SURFACES[surface].shape, raw.shape),
    rules,
    start: SURFACES[surface].start.map((value, i) =>
      number(list(raw.start)[i], value, ...SURFACES[surface].view[i])),
    steps,
    t: whole(raw.t, steps, 0, steps),
    coordinate: whole(raw.coordinate, 0, 0, 1),
    schedule: name,
    parameters: cleanValues(SCHEDULES[name].parameters, raw.parameters),
    warmup: whole(raw.warmup, 0, 0, 1000),
    noise: number(raw.noise, 0, 0, 100),
    signal: signals.includes(raw.signal) ? raw.signal : signals.includes("noisy") ? "noisy" : signals[0],
    drawn: list(raw.drawn).slice(0, PLACES).map((value) => number(value, 0, -3, 3)),
    ...(view === "average" && { window: whole(raw.window, 20, 1, 1000) }),
  };
}
