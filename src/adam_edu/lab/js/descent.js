// Descents in the browser, on the generated rules: what descent.py does in NumPy.
import { RULES, SURFACES, SCHEDULES } from "./rules.js";

// Gaussian noise, the same for every optimizer and on every machine: Park and Miller's generator
// of uniform numbers, and the transformation of Box and Muller.
function gaussian(seed) {
  let state = seed;
  const uniform = () => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

export function factorOf({ schedule: name, parameters, warmup }) {
  const then = (t) => SCHEDULES[name].factor(parameters, t);
  return warmup ? (t) => SCHEDULES.Warmup.factor({ steps: warmup }, t, then) : then;
}

function scaled(rule, hyper, by) {
  const rates = Object.entries(hyper).filter(([name]) => rule.hyper[name].rate);
  return { ...hyper, ...Object.fromEntries(rates.map(([name, value]) => [name, value * by])) };
}

// One optimizer's path: its coordinates a and b and its loss at t = 0, 1, ... as long as they are
// finite; the step from which it has diverged, or null; if they are to be kept, all values that the
// rule named in each step, of both coordinates.
export function descend(state, { name, hyper }, { factor = () => 1, keep = false } = {}) {
  const rule = RULES[name];
  const { steps, shape } = state;
  const { height, slope, minimum } = SURFACES[state.surface];
  const floor = height(shape, ...minimum);
  const noise = gaussian(20150507);
  const [a, b, loss] = Array.from({ length: 3 }, () => new Float64Array(steps + 1));
  const slots = [0, 1].map(() => rule.slots.map(() => 0));
  const named = [null];
  [a[0], b[0]] = state.start;
  loss[0] = height(shape, a[0], b[0]) - floor;
  let t = 1;
  for (; t <= steps; t += 1) {
    const g = slope(shape, a[t - 1], b[t - 1]);
    if (state.noise) for (const i of [0, 1]) g[i] += state.noise * noise();
    const share = factor(t);
    const now = share === 1 ? hyper : scaled(rule, hyper, share);
    const scalars = rule.scalars(now, t);
    const first = rule.step(now, a[t - 1], g[0], slots[0], scalars);
    const second = rule.step(now, b[t - 1], g[1], slots[1], scalars);
    a[t] = a[t - 1] + first.change;
    b[t] = b[t - 1] + second.change;
    loss[t] = height(shape, a[t], b[t]) - floor;
    if (!(Math.abs(a[t]) < 1e100 && Math.abs(b[t]) < 1e100 && Number.isFinite(loss[t]))) break;
    for (let i = 0; i < rule.slots.length; i += 1) {
      slots[0][i] = first[rule.slots[i]];
      slots[1][i] = second[rule.slots[i]];
    }
    if (keep) named.push([first, second]);
  }
  let diverged = t <= steps ? t : null;
  // Ten times the height of the start in the end: it will not come back.
  const limit = 10 * Math.max(loss[0], 1e-3);
  if (loss[t - 1] > limit) diverged ??= loss.findIndex((value) => value > limit);
  return { a: a.subarray(0, t), b: b.subarray(0, t), loss: loss.subarray(0, t), named, diverged };
}

export function signalOf({ signal, drawn, steps }) {
  const noise = gaussian(14126980);
  const at = {
    constant: () => 1,
    noisy: () => 0.5 + noise(),
    rare: (t) => (t % 25 === 10 ? 3 : 0),
    turning: (t) => (t <= steps / 2 ? 1 : -1),
    alternating: (t) => (t % 2 ? 1 : -1),
    noise: () => noise(),
    "zeros-then-ones": (t) => (t <= steps / 2 ? 0 : 1),
    "1-then-10": (t) => (t <= steps / 2 ? 1 : 10),
    drawn: (t) => drawn[Math.floor(((t - 1) / steps) * drawn.length)] ?? 0,
  }[signal];
  return Array.from({ length: steps }, (_, i) => at(i + 1));
}
