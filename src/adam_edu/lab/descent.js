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

// One optimizer's path: x and its loss at t = 0, 1, ..., and what the rule named in each step.
export function descend(state, { name, hyper }, factor = () => 1) {
  const rule = RULES[name];
  const surface = SURFACES[state.surface];
  const floor = surface.height(state.shape, ...surface.minimum);
  const loss = (at) => surface.height(state.shape, at[0], at[1]) - floor;
  const noise = gaussian(20150507);
  let x = state.start;
  let slots = x.map(() => rule.slots.map(() => 0));
  const run = { x: [x], loss: [loss(x)], named: [null], diverged: null };
  for (let t = 1; t <= state.steps; t += 1) {
    const g = surface.slope(state.shape, x[0], x[1]);
    if (state.noise) for (const i of [0, 1]) g[i] += state.noise * noise();
    const share = factor(t);
    const now = share === 1 ? hyper : scaled(rule, hyper, share);
    const scalars = rule.scalars(now, t);
    const named = x.map((xi, i) => rule.step(now, xi, g[i], slots[i], scalars));
    x = x.map((xi, i) => xi + named[i].change);
    const value = loss(x);
    if (!(Math.abs(x[0]) < 1e100 && Math.abs(x[1]) < 1e100 && Number.isFinite(value))) {
      run.diverged = t;
      break;
    }
    slots = named.map((values) => rule.slots.map((slot) => values[slot]));
    run.x.push(x);
    run.loss.push(value);
    run.named.push(named);
  }
  // Ten times the height of the start in the end: it will not come back.
  const limit = 10 * Math.max(run.loss[0], 1e-3);
  if (run.loss.at(-1) > limit) run.diverged ??= run.loss.findIndex((value) => value > limit);
  return run;
}

export function signalOf({ signal, drawn, steps }) {
  const noise = gaussian(14126980);
  const at = {
    constant: () => 1,
    noisy: () => 0.5 + noise(),
    rare: (t) => (t % 25 === 10 ? 3 : 0),
    turning: (t) => (t <= steps / 2 ? 1 : -1),
    drawn: (t) => drawn[Math.floor(((t - 1) / steps) * drawn.length)] ?? 0,
  }[signal];
  return Array.from({ length: steps }, (_, i) => at(i + 1));
}
