// The live figures: the front end of the widget in notebooks, and the same on the book's pages.
// The rules, surfaces and schedules come from rules.js, which adam_edu.lab.module generates.
import { RULES, SURFACES, SCHEDULES, SLIDERS, DEFAULTS, STYLES } from "./rules.js";

const VIEWS = { race, tuner, inside, bias, schedule };
const SIGNALS = ["constant", "noisy", "rare", "turning", "drawn"];
const MAX_RULES = 6;
const LABELS = {
  lr: "learning rate α", beta1: "β₁", beta2: "β₂", eps: "ε", rho: "ρ", momentum: "momentum μ",
  weight_decay: "weight decay λ", final_lr: "final rate α*", gamma: "γ", momentum_decay: "ψ",
  m_hat: "m̂", v_hat: "v̂", m_bar: "m̄", delta: "Δ", change: "step", variance: "σ²", rate: "η",
  condition: "condition number", every: "every … steps", factor: "factor", floor: "floor",
  steps: "steps", warmup: "warm-up steps", noise: "gradient noise", decay: "decay",
};
const label = (name) => LABELS[name] ?? name;

// Numbers, as a reader wants to see them

export function show(value, digits = 3) {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : value < 0 ? "−∞" : "not a number";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5)
    ? value.toExponential(digits - 1).replace(/\.?0*e/, "e").replace("e+", "e")
    : String(Number(value.toPrecision(digits)));
  return text.replaceAll("-", "−");
}

const shown = (spec, value) => show(value, spec.scale === "log1m" ? 6 : 3);
const rounded = (value, digits = 2) => Number(value.toPrecision(digits));
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// Sliders: a whole position from 0, twenty to a decade

const steps = (spec) => Math.round((spec.max - spec.min) * 20) + (spec.zero ? 1 : 0);

function valueAt(spec, position) {
  if (spec.scale === "linear") return spec.min + position * spec.step;
  if (spec.zero && position === 0) return 0;
  const power = 10 ** (spec.min + (position - (spec.zero ? 1 : 0)) / 20);
  if (spec.scale === "log1m") return Number((1 - rounded(1 / power)).toPrecision(12));
  return spec.whole ? Math.round(rounded(power)) : rounded(power);
}

function positionOf(spec, value) {
  if (spec.scale === "linear") return Math.round((value - spec.min) / spec.step);
  if (spec.zero && value <= 0) return 0;
  const power = -Math.log10(1 - value);
  const decades = (spec.scale === "log1m" ? power : Math.log10(value)) - spec.min;
  return clamp(Math.round(decades * 20) + (spec.zero ? 1 : 0), 0, steps(spec));
}

const positions = (spec) =>
  spec.scale === "linear" ? Math.round((spec.max - spec.min) / spec.step) : steps(spec);

// State: whatever comes from a page, a link or Python is brought into what the lab can show

function number(value, fallback, low = -Infinity, high = Infinity) {
  const found = typeof value === "string" && value.trim() ? Number(value) : value;
  return typeof found === "number" && Number.isFinite(found) ? clamp(found, low, high) : fallback;
}

const whole = (value, fallback, low, high) => Math.round(number(value, fallback, low, high));
const oneOf = (value, table, fallback) => (Object.hasOwn(table, value ?? "") ? value : fallback);

function within(spec, value) {
  const [low, high] = spec.scale === "log1m" ? [0, 1 - 1e-9] : [spec.low ?? 0, 1e12];
  return number(value, spec.value, low, high);
}

function cleanValues(specs, given) {
  const of = ([name, spec]) => [name, within(spec, given?.[name])];
  return Object.fromEntries(Object.entries(specs).map(of));
}

function cleanRule(given) {
  const name = oneOf(given?.name, RULES, null);
  return name && { name, hyper: cleanValues(RULES[name].hyper, given.hyper) };
}

export function clean(given) {
  const raw = typeof given === "object" && given ? given : {};
  const list = (value) => (Array.isArray(value) ? value : []);
  const surface = oneOf(raw.surface, SURFACES, DEFAULTS.surface);
  const { start, view, shape } = SURFACES[surface];
  const chosen = oneOf(raw.view, VIEWS, "race");
  let rules = list(raw.rules).map(cleanRule).filter(Boolean).slice(0, MAX_RULES);
  if (chosen === "bias") rules = rules.filter((rule) => rule.name === "Adam");
  if (chosen !== "race") rules = rules.slice(0, 1);
  const name = oneOf(raw.schedule, SCHEDULES, "Constant");
  const total = whole(raw.steps, DEFAULTS.steps, 1, 5000);
  return {
    view: chosen,
    surface,
    shape: cleanValues(shape, raw.shape),
    rules: rules.length ? rules : [fresh("Adam", surface)],
    start: start.map((value, i) => number(list(raw.start)[i], value, ...view[i])),
    steps: total,
    t: whole(raw.t, total, 0, total),
    coordinate: whole(raw.coordinate, 0, 0, 1),
    schedule: name,
    parameters: cleanValues(SCHEDULES[name].parameters, raw.parameters),
    warmup: whole(raw.warmup, 0, 0, 1000),
    noise: number(raw.noise, 0, 0, 100),
    signal: SIGNALS.includes(raw.signal) ? raw.signal : "noisy",
    drawn: list(raw.drawn).slice(0, 40).map((value) => number(value, 0, -3, 3)),
  };
}

// An optimizer as it enters a figure: the rule's defaults, and a learning rate to begin with.
function fresh(name, surface) {
  const hyper = cleanValues(RULES[name].hyper, {});
  if ("lr" in hyper) hyper.lr = RULES[name].rate ?? SURFACES[surface].rate;
  return { name, hyper };
}

const pairs = (values) => Object.entries(values).map(([key, value]) => `${key}:${value}`).join(",");
const unpairs = (text) => Object.fromEntries((text ?? "").split(",").map((part) => part.split(":")));

export function toLink(state, index) {
  const link = new URLSearchParams({ lab: index });
  for (const key of ["view", "surface", "steps", "t", "coordinate", "schedule", "warmup", "noise",
    "signal"]) link.set(key, state[key]);
  link.set("start", state.start.map((x) => rounded(x, 6)).join(","));
  link.set("shape", pairs(state.shape));
  link.set("parameters", pairs(state.parameters));
  if (state.signal === "drawn") link.set("drawn", state.drawn.join(","));
  for (const rule of state.rules) link.append("rule", `name:${rule.name},${pairs(rule.hyper)}`);
  return `#${link.toString().replaceAll("%3A", ":").replaceAll("%2C", ",")}`;
}

export function fromLink(hash, index) {
  const link = new URLSearchParams(hash.replace(/^#/, ""));
  if (index === null || link.get("lab") !== String(index)) return null;
  const raw = Object.fromEntries(link);
  return clean({
    ...raw,
    start: link.get("start")?.split(","),
    drawn: link.get("drawn")?.split(","),
    shape: unpairs(raw.shape),
    parameters: unpairs(raw.parameters),
    rules: link.getAll("rule").map(unpairs).map(({ name, ...hyper }) => ({ name, hyper })),
  });
}

// Descent

// Gaussian noise, the same for every optimizer and on every machine (mulberry32, Box and Muller).
export function gaussian(seed) {
  let state = seed;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), 1 | state);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

export function factorOf(state) {
  const { factor } = SCHEDULES[state.schedule];
  const then = (t) => factor(state.parameters, t);
  const { warmup } = state;
  return warmup ? (t) => SCHEDULES.Warmup.factor({ steps: warmup }, t, then) : then;
}

// One optimizer's path: x and loss at t = 0, 1, ...; `named` holds what the rule computed at each.
export function descend(state, { name, hyper }, factor = () => 1) {
  const rule = RULES[name];
  const surface = SURFACES[state.surface];
  const floor = surface.height(state.shape, ...surface.minimum);
  const noise = gaussian(1);
  let x = state.start;
  let slots = x.map(() => rule.slots.map(() => 0));
  const loss = (at) => surface.height(state.shape, at[0], at[1]) - floor;
  const run = { x: [x], loss: [loss(x)], named: [null], diverged: null };
  for (let t = 1; t <= state.steps; t += 1) {
    const g = surface.slope(state.shape, x[0], x[1]);
    if (state.noise) for (const i of [0, 1]) g[i] += state.noise * noise();
    const rates = factor(t);
    const now = rates === 1 ? hyper : scaled(rule, hyper, rates);
    const scalars = rule.scalars(now, t);
    const named = x.map((xi, i) => ({ g: g[i], ...rule.step(now, xi, g[i], slots[i], scalars) }));
    x = x.map((xi, i) => xi + named[i].change);
    if (!(Math.abs(x[0]) < 1e100 && Math.abs(x[1]) < 1e100 && Number.isFinite(loss(x)))) {
      run.diverged = t;
      break;
    }
    slots = named.map((values) => rule.slots.map((slot) => values[slot]));
    run.x.push(x);
    run.loss.push(loss(x));
    run.named.push(named);
  }
  // Ten times the height of the start and still rising: it will not come back.
  const last = run.loss.length - 1;
  const limit = 10 * Math.max(run.loss[0], 1e-3);
  if (run.diverged === null && run.loss[last] > limit) {
    run.diverged = run.loss.findIndex((value) => value > limit);
  }
  return run;
}

function scaled(rule, hyper, by) {
  const rates = Object.keys(hyper).filter((name) => rule.hyper[name].rate);
  return { ...hyper, ...Object.fromEntries(rates.map((name) => [name, hyper[name] * by])) };
}

function signalOf(state) {
  const noise = gaussian(7);
  const n = state.steps;
  const at = {
    constant: () => 1,
    noisy: () => 0.5 + noise(),
    rare: (t) => (t % 25 === 10 ? 3 : 0),
    turning: (t) => (t <= n / 2 ? 1 : -1),
    drawn: (t) => state.drawn[Math.floor(((t - 1) / n) * state.drawn.length)] ?? 0,
  }[state.signal];
  return Array.from({ length: n }, (_, i) => at(i + 1));
}

// Colours and shapes

const THEMES = {
  light: {
    paper: "#ffffff", ink: "#1d2733", faint: "#5a6775", line: "#d5dce4", low: [255, 255, 255],
    high: [214, 224, 235], contour: "rgba(60,80,105,.38)", first: "#0072b2", second: "#c26200",
    third: "#c8102e", gradient: "#6b7480",
  },
  dark: {
    paper: "#161b22", ink: "#e8edf3", faint: "#a3afbd", line: "#37424f", low: [44, 56, 71],
    high: [20, 25, 32], contour: "rgba(170,195,225,.32)", first: "#56b4f0", second: "#f09a3e",
    third: "#ff7685", gradient: "#98a4b2",
  },
};

// The book's colours are made for white paper; in the dark they get half of white.
function inkOf(color, dark) {
  if (!dark) return color;
  const parts = color.match(/[0-9a-f]{2}/gi).map((part) => parseInt(part, 16));
  return `rgb(${parts.map((part) => Math.round(part + (255 - part) * 0.48)).join(",")})`;
}

// Two entries of one rule would look alike: then all take the colours of a series.
function stylesOf(rules) {
  const names = rules.map((rule) => rule.name);
  const twice = new Set(names).size < names.length;
  return names.map((name, i) => (twice ? DEFAULTS.series[i % DEFAULTS.series.length]
    : RULES[name].style));
}

const ring = (n, turn, inner = 1) => Array.from({ length: inner === 1 ? n : 2 * n }, (_, i) => {
  const angle = turn + (i * 2 * Math.PI) / (inner === 1 ? n : 2 * n);
  const r = i % 2 && inner !== 1 ? inner : 1;
  return [r * Math.sin(angle), -r * Math.cos(angle)];
});
const PLUS = [
  [-1, -3], [1, -3], [1, -1], [3, -1], [3, 1], [1, 1], [1, 3], [-1, 3], [-1, 1], [-3, 1], [-3, -1],
  [-1, -1],
].map(([x, y]) => [x / 2.8, y / 2.8]);
const SHAPES = {
  s: ring(4, Math.PI / 4), D: ring(4, 0), d: ring(4, 0).map(([x, y]) => [x * 0.6, y]),
  "^": ring(3, 0), v: ring(3, Math.PI), "<": ring(3, -Math.PI / 2), ">": ring(3, Math.PI / 2),
  p: ring(5, 0), h: ring(6, 0), H: ring(6, Math.PI / 6), "*": ring(5, 0, 0.45), P: PLUS,
  X: PLUS.map(([x, y]) => [(x - y) * 0.72, (x + y) * 0.72]),
};

function marker(ctx, shape, x, y, size) {
  ctx.beginPath();
  if (SHAPES[shape]) {
    SHAPES[shape].forEach(([dx, dy]) => ctx.lineTo(x + dx * size * 1.15, y + dy * size * 1.15));
    ctx.closePath();
  } else ctx.arc(x, y, size, 0, 2 * Math.PI);
}

// Drawing

const FONT = "12px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

// Make a canvas as sharp as the screen, and return its context in CSS pixels.
function sheet(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  Object.assign(ctx, { font: FONT, lineJoin: "round", lineCap: "butt" });
  return { ctx, width, height };
}

// The points where a level crosses the sides of a grid's cells, joined: marching squares.
function contour(z, columns, rows, level, path, sx, sy) {
  for (let j = 0; j < rows - 1; j += 1) {
    for (let i = 0; i < columns - 1; i += 1) {
      const k = j * columns + i;
      const [p, q, r, s] = [z[k], z[k + 1], z[k + columns + 1], z[k + columns]];
      const code = (p > level) | ((q > level) << 1) | ((r > level) << 2) | ((s > level) << 3);
      if (code === 0 || code === 15) continue;
      const between = (u, v) => (level - u) / (v - u);
      const crossings = [];
      if ((p > level) !== (q > level)) crossings.push([i + between(p, q), j]);
      if ((q > level) !== (r > level)) crossings.push([i + 1, j + between(q, r)]);
      if ((r > level) !== (s > level)) crossings.push([i + between(s, r), j + 1]);
      if ((s > level) !== (p > level)) crossings.push([i, j + between(p, s)]);
      for (let c = 0; c + 1 < crossings.length; c += 2) {
        path.moveTo(crossings[c][0] * sx, crossings[c][1] * sy);
        path.lineTo(crossings[c + 1][0] * sx, crossings[c + 1][1] * sy);
      }
    }
  }
}

// The map of a surface, drawn once for each size and theme.
function relief(state, width, height, theme) {
  const { view: [[left, right], [low, high]], height: f } = SURFACES[state.surface];
  const [columns, rows] = [150, 110];
  const z = new Float64Array(columns * rows);
  for (let j = 0; j < rows; j += 1) {
    const b = high - ((high - low) * j) / (rows - 1);
    for (let i = 0; i < columns; i += 1) {
      z[j * columns + i] = f(state.shape, left + ((right - left) * i) / (columns - 1), b);
    }
  }
  const bottom = z.reduce((x, y) => Math.min(x, y));
  const range = z.reduce((x, y) => Math.max(x, y)) - bottom;
  const logs = z.map((value) => Math.log((value - bottom) / range + 1e-3));
  const depth = Math.log(1e-3);
  const pixels = new ImageData(columns, rows);
  logs.forEach((value, k) => {
    const share = clamp(1 - value / depth, 0, 1);
    for (let c = 0; c < 3; c += 1) {
      pixels.data[4 * k + c] = theme.low[c] + share * (theme.high[c] - theme.low[c]);
    }
    pixels.data[4 * k + 3] = 255;
  });
  const small = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
  small.getContext("2d").putImageData(pixels, 0, 0);
  const canvas = document.createElement("canvas");
  const ratio = window.devicePixelRatio || 1;
  Object.assign(canvas, { width: width * ratio, height: height * ratio });
  const ctx = canvas.getContext("2d");
  ctx.scale(ratio, ratio);
  ctx.imageSmoothingQuality = "high";
  ctx.drawImage(small, 0, 0, width, height);
  const path = new Path2D();
  for (let i = 1; i < 16; i += 1) {
    contour(logs, columns, rows, depth * (1 - i / 16), path, width / (columns - 1),
      height / (rows - 1));
  }
  ctx.strokeStyle = theme.contour;
  ctx.stroke(path);
  return canvas;
}

function drawMap(lab, canvas, runs, styles, t) {
  const { state, theme, dark } = lab;
  const { ctx, width, height } = sheet(canvas);
  if (!width) return;
  const key = [state.surface, JSON.stringify(state.shape), width, height, dark].join();
  if (lab.reliefKey !== key) {
    lab.reliefKey = key;
    lab.relief = relief(state, width, height, theme);
  }
  ctx.drawImage(lab.relief, 0, 0, width, height);
  const { view: [[left, right], [low, high]], minimum } = SURFACES[state.surface];
  const px = (a) => ((a - left) / (right - left)) * width;
  const py = (b) => ((high - b) / (high - low)) * height;
  ctx.fillStyle = theme.ink;
  marker(ctx, "*", px(minimum[0]), py(minimum[1]), 8);
  ctx.fill();
  const tags = [];
  runs.forEach((run, k) => {
    const style = styles[k];
    const color = inkOf(style.color, dark);
    const end = Math.min(t, run.x.length - 1);
    // Far away points would overflow the canvas; a line to the border's surroundings looks alike.
    const at = (i) => [clamp(px(run.x[i][0]), -2e4, 2e4), clamp(py(run.x[i][1]), -2e4, 2e4)];
    Object.assign(ctx, { strokeStyle: color, fillStyle: color, lineWidth: 2 });
    ctx.setLineDash(style.dash.map((d) => 2 * d));
    ctx.beginPath();
    for (let i = 0; i <= end; i += 1) ctx.lineTo(...at(i));
    ctx.stroke();
    ctx.setLineDash([]);
    const every = Math.max(1, Math.round(state.steps / 14));
    for (let i = every; i < end; i += every) {
      marker(ctx, style.marker, ...at(i), 3.4);
      ctx.fill();
    }
    const [x, y] = at(end);
    const inside = x >= 0 && x <= width && y >= 0 && y <= height;
    Object.assign(ctx, { strokeStyle: theme.paper, lineWidth: 1.5 });
    const [hx, hy] = [clamp(x, 12, width - 12), clamp(y, 12, height - 12)];
    if (!inside) tags.push([hx, hy, x - hx, y - hy, k]);
    marker(ctx, style.marker, inside ? x : hx, inside ? y : hy, 6.5);
    ctx.fill();
    ctx.stroke();
  });
  // A run that has left the map: which, and where to.
  const taken = [];
  for (const [x, y, dx, dy, k] of tags) {
    const text = `${state.rules[k].name} ${runs[k].diverged ? "diverges" : "is off the map"} ${
      "→↘↓↙←↖↑↗"[(Math.round(Math.atan2(dy, dx) / (Math.PI / 4)) + 8) % 8]}`;
    const wide = ctx.measureText(text).width + 12;
    const tx = clamp(x - wide / 2, 4, width - wide - 4);
    let ty = clamp(y > height / 2 ? y - 34 : y + 14, 4, height - 24);
    while (taken.some(([ox, oy, ow]) => Math.abs(oy - ty) < 21 && tx < ox + ow && ox < tx + wide)) {
      ty += y > height / 2 ? -22 : 22;
    }
    taken.push([tx, ty, wide]);
    Object.assign(ctx, { fillStyle: theme.paper, textBaseline: "middle", textAlign: "left" });
    ctx.beginPath();
    ctx.roundRect(tx, ty, wide, 20, 4);
    ctx.fill();
    ctx.fillStyle = inkOf(styles[k].color, dark);
    ctx.fillText(text, tx + 6, ty + 10.5);
  }
}

function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high * (1 + 1e-9); i += 1) {
    found.push(Number((i * step).toPrecision(10)));
  }
  return found;
}

const SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const tenTo = (n) => `10${n < 0 ? "⁻" : ""}${[...String(Math.abs(n))].map((d) => SUPERSCRIPT[d]).join("")}`;

// Lines over steps: series of { y, color, dash, marker, name, width }, y[0] at step `from`.
function drawChart(lab, canvas, { series, y: [low, high], log, to, from = 0, title, cursor, dots,
  guides = [] }) {
  const { theme } = lab;
  const { ctx, width, height } = sheet(canvas);
  if (!width) return null;
  const named = series.filter((line) => line.name);
  const longest = Math.max(0, ...named.map((line) => ctx.measureText(line.name).width));
  const area = { x: 46, y: 24, w: width - 46 - Math.min(longest + 20, width * 0.32), h: height - 46 };
  const scale = log ? Math.log10 : (v) => v;
  const [bottom, top] = [scale(low), scale(high)];
  const px = (t) => area.x + ((t - from) / Math.max(to - from, 1)) * area.w;
  const py = (v) => area.y + area.h * (1 - (clamp(scale(v), bottom - 9, top + 9) - bottom) / (top - bottom));
  Object.assign(ctx, { fillStyle: theme.faint, textAlign: "left", textBaseline: "alphabetic" });
  ctx.fillText(title, 4, 14);
  Object.assign(ctx, { strokeStyle: theme.line, lineWidth: 1, textAlign: "right", textBaseline: "middle" });
  const marks = ticks(bottom, top, clamp(Math.floor(area.h / 34), 2, 6))
    .filter((v) => !log || Number.isInteger(v));
  for (const v of marks) {
    const y = Math.round(area.y + area.h * (1 - (v - bottom) / (top - bottom))) + 0.5;
    ctx.beginPath();
    ctx.moveTo(area.x, y);
    ctx.lineTo(area.x + area.w, y);
    ctx.stroke();
    ctx.fillText(log ? tenTo(v) : show(v), area.x - 6, y);
  }
  Object.assign(ctx, { textAlign: "center", textBaseline: "top" });
  for (const t of ticks(from, to, Math.max(2, Math.floor(area.w / 90)))) {
    ctx.fillText(show(t, 5), px(t), area.y + area.h + 6);
  }
  ctx.textAlign = "left";
  ctx.fillText("step", 4, area.y + area.h + 6);
  ctx.save();
  ctx.beginPath();
  ctx.rect(area.x, area.y - 4, area.w + 8, area.h + 8);
  ctx.clip();
  for (const guide of guides) {
    Object.assign(ctx, { strokeStyle: theme.faint });
    ctx.setLineDash([2, 4]);
    ctx.beginPath();
    ctx.moveTo(area.x, py(guide));
    ctx.lineTo(area.x + area.w, py(guide));
    ctx.stroke();
  }
  if (dots) {
    ctx.fillStyle = theme.gradient;
    const size = clamp(area.w / dots.length / 3, 1, 2.5);
    dots.forEach((v, i) => ctx.fillRect(px(i + 1) - size, py(v) - size, 2 * size, 2 * size));
  }
  for (const line of series) {
    Object.assign(ctx, { strokeStyle: line.color, fillStyle: line.color, lineWidth: line.width ?? 2 });
    ctx.setLineDash((line.dash ?? []).map((d) => 2 * d));
    const end = cursor === undefined ? line.y.length : Math.min(line.y.length, cursor + 1 - from);
    ctx.globalAlpha = 0.3;
    if (end < line.y.length) trace(ctx, line.y, Math.max(end - 1, 0), line.y.length, px, py, from);
    ctx.globalAlpha = 1;
    trace(ctx, line.y, 0, end, px, py, from);
    ctx.setLineDash([]);
    if (line.marker && end) {
      marker(ctx, line.marker, px(from + end - 1), clamp(py(line.y[end - 1]), area.y, area.y + area.h), 4.5);
      ctx.fill();
    }
  }
  ctx.restore();
  if (cursor !== undefined && cursor < to) {
    Object.assign(ctx, { strokeStyle: theme.faint, lineWidth: 1 });
    ctx.beginPath();
    ctx.moveTo(px(cursor), area.y);
    ctx.lineTo(px(cursor), area.y + area.h);
    ctx.stroke();
  }
  nameLines(ctx, named, area, py);
  return { area, px, py };
}

function trace(ctx, y, begin, end, px, py, from) {
  ctx.beginPath();
  for (let i = begin; i < end; i += 1) ctx.lineTo(px(from + i), py(y[i]));
  ctx.stroke();
}

// Write each line's name at its right end; names that would overlap move apart.
function nameLines(ctx, lines, area, py) {
  Object.assign(ctx, { textAlign: "left", textBaseline: "middle" });
  const bottom = area.y + area.h - 8;
  const places = lines.map((line) => ({ line, y: clamp(py(line.y.at(-1)), area.y, bottom) }));
  places.sort((p, q) => p.y - q.y);
  let limit = -Infinity;
  for (const place of places) {
    place.y = Math.max(place.y, limit);
    limit = place.y + 14;
  }
  limit = bottom;
  for (const place of [...places].reverse()) {
    place.y = Math.min(place.y, limit);
    limit = place.y - 14;
  }
  for (const { line, y } of places) {
    ctx.fillStyle = line.color;
    ctx.fillText(line.name, area.x + area.w + 12, y);
  }
}

// Elements

function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

class Lab {
  // `index` is the figure's number on a page of the book, for links; a widget has none.
  constructor(host, model, index = null) {
    Object.assign(this, { host, model, index, ids: 0 });
    this.initial = clean(model.get("state"));
    const linked = fromLink(location.hash, index);
    this.state = linked ?? this.initial;
    this.root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
    const sheetOfStyles = new CSSStyleSheet();
    sheetOfStyles.replaceSync(STYLES);
    this.root.adoptedStyleSheets = [sheetOfStyles];
    this.watch();
    this.build();
    if (linked) host.scrollIntoView({ block: "center" });
  }

  // What the lab depends on beside its state: the page's theme, its own width, Python.
  watch() {
    const still = matchMedia("(prefers-reduced-motion: reduce)");
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const look = () => {
      const { theme } = document.documentElement.dataset;
      const { jpThemeLight, vscodeThemeKind } = document.body.dataset;
      this.dark = theme ? theme === "dark"
        : jpThemeLight ? jpThemeLight === "false"
          : vscodeThemeKind ? /dark|high-contrast$/.test(vscodeThemeKind) : dark.matches;
      this.theme = THEMES[this.dark ? "dark" : "light"];
      this.host.toggleAttribute("data-dark", this.dark);
      this.draw();
    };
    const themes = new MutationObserver(look);
    for (const target of [document.documentElement, document.body]) {
      themes.observe(target, { attributes: true,
        attributeFilter: ["data-theme", "data-jp-theme-light", "data-vscode-theme-kind"] });
    }
    const sizes = new ResizeObserver(() => this.draw());
    sizes.observe(this.host);
    const onState = () => {
      const next = clean(this.model.get("state"));
      if (JSON.stringify(next) === JSON.stringify(this.state)) return;
      this.state = next;
      this.build();
    };
    const onHash = () => {
      const next = fromLink(location.hash, this.index);
      if (next) this.change(next, true);
    };
    dark.addEventListener("change", look);
    window.addEventListener("hashchange", onHash);
    this.model.on("change:state", onState);
    this.still = () => still.matches;
    look();
    this.stop = () => {
      this.pause?.();
      themes.disconnect();
      sizes.disconnect();
      dark.removeEventListener("change", look);
      window.removeEventListener("hashchange", onHash);
      this.model.off("change:state", onState);
    };
  }

  // Take over part of a state; `rebuild` where other controls are needed than before.
  change(part, rebuild = false) {
    const moving = !("t" in part) && this.state.t === this.state.steps;
    const next = { ...this.state, ...part };
    if (moving) next.t = next.steps;
    this.state = clean(next);
    if (rebuild) this.build();
    else this.draw(!("t" in part));
    clearTimeout(this.saving);
    this.saving = setTimeout(() => {
      this.model.set("state", this.state);
      this.model.save_changes();
    }, 120);
  }

  build() {
    const focused = this.root.activeElement?.dataset.key;
    this.pause?.();
    this.updates = [];
    this.ids = 0;
    this.say = el("div", { class: "hidden", role: "status" });
    const view = VIEWS[this.state.view](this);
    this.paint = view.paint;
    this.compute = view.compute;
    const body = el("div", { class: "lab", role: "group", "aria-label": view.title },
      el("div", { class: "stage" }, ...view.stage),
      el("div", { class: "panel" }, ...view.panel, this.foot()), this.say);
    this.root.replaceChildren(body);
    if (focused) this.root.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    this.draw(true);
  }

  draw(compute = false) {
    this.stale ||= compute;
    if (!this.paint || this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = null;
      this.redraw();
    });
  }

  // One frame: run the optimizers if something has changed, then paint.
  redraw() {
    if (this.stale) this.compute();
    this.stale = false;
    this.updates.forEach((update) => update());
    const result = this.paint();
    clearTimeout(this.speaking);
    this.speaking = setTimeout(() => {
      if (result && this.said && result !== this.said) this.say.textContent = result;
      this.said = result;
    }, 600);
  }

  // Controls. `key` finds a control again after the others have changed.

  slider(key, text, spec, get, set) {
    const id = `control-${this.ids += 1}`;
    const output = el("output", { for: id });
    const input = el("input", {
      id, type: "range", min: 0, max: positions(spec), step: 1, "data-key": key,
      oninput: () => set(valueAt(spec, Number(input.value))),
    });
    this.updates.push(() => {
      const value = shown(spec, get());
      if (output.textContent === value) return;
      input.value = positionOf(spec, get());
      output.textContent = value;
      input.setAttribute("aria-valuetext", value);
    });
    return el("div", { class: "row" }, el("label", { for: id }, text), output, input);
  }

  select(key, text, options, get, set) {
    const id = `control-${this.ids += 1}`;
    const entries = Array.isArray(options) ? options.map((name) => [name, name]) : Object.entries(options);
    const input = el("select", { id, "data-key": key, onchange: () => set(input.value) },
      ...entries.map(([value, name]) => el("option", { value, selected: value === get() }, name)));
    return el("div", { class: "row pick" }, el("label", { for: id }, text), input);
  }

  surfaces() {
    const { state } = this;
    const rows = [this.select("surface", "surface", Object.keys(SURFACES), () => state.surface,
      (surface) => this.change({ surface, shape: {}, start: SURFACES[surface].start }, true))];
    for (const [name, spec] of Object.entries(SURFACES[state.surface].shape)) {
      rows.push(this.slider(`shape-${name}`, label(name), spec, () => this.state.shape[name],
        (value) => this.change({ shape: { ...this.state.shape, [name]: value } })));
    }
    return rows;
  }

  stepsSlider(text = "steps") {
    return this.slider("steps", text, SLIDERS.steps, () => this.state.steps,
      (value) => this.change({ steps: value }));
  }

  // A slider for one hyper-parameter of the optimizer at a place in the list.
  hyper(place, name, text = label(name)) {
    const spec = RULES[this.state.rules[place].name].hyper[name];
    const set = (value) => this.change({
      rules: this.state.rules.map((rule, i) => (i === place
        ? { ...rule, hyper: { ...rule.hyper, [name]: value } } : rule)),
    });
    return this.slider(`${place}-${name}`, text, spec, () => this.state.rules[place].hyper[name], set);
  }

  chooseRule(place = 0) {
    return this.select(`rule-${place}`, "optimizer", Object.keys(RULES),
      () => this.state.rules[place].name,
      (name) => this.change({ rules: this.state.rules.map((rule, i) =>
        (i === place ? fresh(name, this.state.surface) : rule)) }, true));
  }

  // Play, step, and the step that is shown.
  transport() {
    let playing = null;
    const play = el("button", { type: "button", class: "main", "data-key": "play",
      onclick: () => (playing ? this.pause() : start()) });
    const name = (text, symbol) => {
      play.replaceChildren(el("span", { "aria-hidden": "true" }, symbol), ` ${text}`);
    };
    const speed = el("select", { "aria-label": "speed", "data-key": "speed" },
      ...[5, 20, 60, 200].map((n) => el("option", { value: n, selected: n === (this.speed ?? 60) },
        `${n} steps/s`)));
    speed.addEventListener("change", () => { this.speed = Number(speed.value); });
    this.pause = () => {
      cancelAnimationFrame(playing);
      playing = null;
      name("Play", "▶");
    };
    const start = () => {
      const { state } = this;
      // Without motion, playing is its result.
      if (this.still()) { this.change({ t: state.steps }); return; }
      let t = state.t >= state.steps ? 0 : state.t;
      let before = null;
      const frame = (now) => {
        t += before === null ? 0 : ((now - before) / 1000) * (this.speed ?? 60);
        before = now;
        this.change({ t: Math.floor(t) });
        if (t >= this.state.steps) this.pause();
        else playing = requestAnimationFrame(frame);
      };
      playing = requestAnimationFrame(frame);
      name("Pause", "❚❚");
    };
    this.pause();
    const go = (by) => () => { this.pause(); this.change({ t: clamp(this.state.t + by, 0, this.state.steps) }); };
    const id = `control-${this.ids += 1}`;
    const output = el("output", { for: id });
    const scrub = el("input", { id, type: "range", min: 0, max: this.state.steps, step: 1, "data-key": "t",
      oninput: () => { this.pause(); this.change({ t: Number(scrub.value) }); } });
    this.updates.push(() => {
      scrub.max = this.state.steps;
      scrub.value = this.state.t;
      output.textContent = `t = ${this.state.t}`;
    });
    return el("div", { class: "transport" }, play,
      el("button", { type: "button", "aria-label": "one step back", "data-key": "back", onclick: go(-1) }, "−1"),
      el("button", { type: "button", "aria-label": "one step on", "data-key": "on", onclick: go(1) }, "+1"),
      el("label", { for: id, class: "hidden" }, "step t"), scrub, output, speed);
  }

  // A canvas with its description, and on a map the start that the reader drags.
  canvas(kind, describe) {
    const canvas = el("canvas", { class: kind, role: "img" });
    this.updates.push(() => canvas.setAttribute("aria-label", describe()));
    return canvas;
  }

  mapWithStart(describe) {
    const map = this.canvas("map", describe);
    const { view: [[left, right], [low, high]] } = SURFACES[this.state.surface];
    const move = (a, b) => this.change({
      start: [rounded(clamp(a, left, right), 3), rounded(clamp(b, low, high), 3)],
    });
    const handle = el("button", { type: "button", class: "start", "data-key": "start",
      "aria-roledescription": "point to drag" });
    const drag = (event) => {
      const box = map.getBoundingClientRect();
      move(left + ((event.clientX - box.left) / box.width) * (right - left),
        high - ((event.clientY - box.top) / box.height) * (high - low));
    };
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      handle.addEventListener("pointermove", drag);
    });
    for (const end of ["pointerup", "pointercancel"]) {
      handle.addEventListener(end, () => handle.removeEventListener("pointermove", drag));
    }
    handle.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!by) return;
      event.preventDefault();
      const stride = event.shiftKey ? 100 : 25;
      const [a, b] = this.state.start;
      move(a + (by[0] * (right - left)) / stride, b + (by[1] * (high - low)) / stride);
    });
    this.updates.push(() => {
      const [a, b] = this.state.start;
      handle.style.left = `${((a - left) / (right - left)) * 100}%`;
      handle.style.top = `${((high - b) / (high - low)) * 100}%`;
      handle.setAttribute("aria-label", `start at a = ${show(a)}, b = ${show(b)}; the arrow keys move it`);
    });
    return { map, element: el("div", { class: "mapbox" }, map, handle) };
  }

  glyph(place) {
    const canvas = el("canvas", { class: "glyph", "aria-hidden": "true" });
    this.updates.push(() => {
      const style = stylesOf(this.state.rules)[place];
      const { ctx, width, height } = sheet(canvas);
      const color = inkOf(style.color, this.dark);
      Object.assign(ctx, { strokeStyle: color, fillStyle: color, lineWidth: 2 });
      ctx.setLineDash(style.dash.map((d) => 2 * d));
      ctx.beginPath();
      ctx.moveTo(0, height / 2);
      ctx.lineTo(width, height / 2);
      ctx.stroke();
      marker(ctx, style.marker, width / 2, height / 2, 5);
      ctx.fill();
    });
    return canvas;
  }

  foot() {
    const copied = el("span", { role: "status" });
    const link = el("button", { type: "button", "data-key": "link", onclick: async () => {
      history.replaceState(null, "", toLink(this.state, this.index));
      try {
        await navigator.clipboard.writeText(location.href);
        copied.textContent = "copied";
      } catch {
        copied.textContent = "now in the address bar";
      }
    } }, "Link to this");
    const reset = el("button", { type: "button", "data-key": "reset",
      onclick: () => this.change(this.initial, true) }, "Reset");
    return el("div", { class: "foot" }, reset, this.index === null ? null : link, copied);
  }
}

// The views

const result = (run, t) => {
  if (run.diverged !== null && t >= run.diverged) return `diverged at step ${run.diverged}`;
  return `loss ${show(Math.max(run.loss[Math.min(t, run.loss.length - 1)], 0), 2)}`;
};

const sentence = (lab) => {
  const { rules, t, surface } = lab.state;
  const parts = rules.map((rule, i) => `${rule.name} ${result(lab.runs[i], t)}`);
  return `${surface} after ${t} steps: ${parts.join("; ")}`;
};

function lossLines(runs, styles, names, dark) {
  return runs.map((run, i) => ({
    y: run.loss.map((v) => Math.max(v, 1e-30)),
    color: inkOf(styles[i].color, dark), dash: styles[i].dash, marker: styles[i].marker, name: names[i],
  }));
}

// From the highest start down to the lowest loss, in whole powers of ten.
function lossRange(runs) {
  const all = runs.flatMap((run) => run.loss).filter((v) => v > 1e-12);
  const start = Math.max(...runs.map((run) => run.loss[0]), 1e-6);
  const lowest = all.reduce((x, y) => Math.min(x, y), start);
  const top = Math.ceil(Math.log10(start) + 0.3);
  return [10 ** Math.min(Math.floor(Math.log10(lowest)), top - 2), 10 ** top];
}

function pathsView(lab, title, panel) {
  const { map, element } = lab.mapWithStart(() => `Map. ${sentence(lab)}.`);
  const chart = lab.canvas("chart", () => `Loss above the minimum, over the steps. ${sentence(lab)}.`);
  return {
    title,
    stage: [element, lab.transport(), chart],
    panel,
    compute: () => { lab.runs = lab.state.rules.map((rule) => descend(lab.state, rule)); },
    paint: () => {
      const { rules, t } = lab.state;
      const styles = stylesOf(rules);
      drawMap(lab, map, lab.runs, styles, t);
      drawChart(lab, chart, {
        series: lossLines(lab.runs, styles, rules.map((rule) => rule.name), lab.dark),
        y: lossRange(lab.runs), log: true, to: lab.state.steps, cursor: t, title: "loss above the minimum",
      });
      return sentence(lab);
    },
  };
}

function race(lab) {
  const { rules } = lab.state;
  const rows = rules.map((rule, i) => {
    const outcome = el("span", { class: "outcome" });
    lab.updates.push(() => { outcome.textContent = result(lab.runs[i], lab.state.t); });
    const remove = el("button", { type: "button", "aria-label": `remove ${rule.name}`, "data-key": `remove-${i}`,
      onclick: () => lab.change({ rules: lab.state.rules.filter((_, k) => k !== i) }, true) }, "×");
    const head = el("div", { class: "entry" }, lab.glyph(i), el("strong", {}, rule.name), outcome,
      rules.length > 1 ? remove : null);
    return el("div", { class: "runner", role: "group", "aria-label": rule.name }, head,
      "lr" in rule.hyper ? lab.hyper(i, "lr") : null);
  });
  const add = lab.select("add", "add", ["an optimizer …", ...Object.keys(RULES)], () => "",
    (name) => name in RULES && lab.change({ rules: [...lab.state.rules, fresh(name, lab.state.surface)] }, true));
  return pathsView(lab, "Race of optimizers",
    [...rows, rules.length < MAX_RULES ? add : null, ...lab.surfaces(), lab.stepsSlider()]);
}

function tuner(lab) {
  const outcome = el("p", { class: "outcome" });
  lab.updates.push(() => { outcome.textContent = `after ${lab.state.t} steps: ${result(lab.runs[0], lab.state.t)}`; });
  const hyper = Object.keys(lab.state.rules[0].hyper).map((name) => lab.hyper(0, name));
  return pathsView(lab, "Optimizer and its settings",
    [lab.chooseRule(), ...hyper, outcome, ...lab.surfaces(), lab.stepsSlider()]);
}

// One coordinate of one optimizer: everything that the rule names, as bars.
function inside(lab) {
  const { map, element } = lab.mapWithStart(() => `Map. ${sentence(lab)}.`);
  const now = () => {
    const { t, coordinate } = lab.state;
    return lab.runs[0].named[Math.min(t, lab.runs[0].named.length - 1)]?.[coordinate] ?? null;
  };
  const words = () => {
    const values = now();
    if (!values) return "before the first step";
    return Object.entries(values).map(([name, value]) => `${label(name)} = ${show(value)}`).join(", ");
  };
  const bars = lab.canvas("bars", () => `Step ${lab.state.t}: ${words()}.`);
  const hyper = Object.keys(lab.state.rules[0].hyper).map((name) => lab.hyper(0, name));
  return {
    title: "Inside one step",
    stage: [bars, lab.transport(), element],
    panel: [lab.chooseRule(), ...hyper,
      lab.select("coordinate", "parameter", { 0: "a (across)", 1: "b (up)" }, () => String(lab.state.coordinate),
        (value) => lab.change({ coordinate: Number(value) })),
      ...lab.surfaces(), lab.stepsSlider()],
    compute: () => { lab.runs = [descend(lab.state, lab.state.rules[0])]; },
    paint: () => {
      drawMap(lab, map, lab.runs, stylesOf(lab.state.rules), lab.state.t);
      drawBars(lab, bars, now());
      return `step ${lab.state.t}: ${words()}`;
    },
  };
}

// Quantities of one unit share a scale, so that m can be compared with g, and v̂ with v.
const UNITS = { g: "g", m: "g", m_hat: "g", m_bar: "g", v: "g²", v_hat: "g²", w: "g²", s: "g²", variance: "g²" };

function drawBars(lab, canvas, values) {
  const { theme, state, runs } = lab;
  const history = runs[0].named.slice(1).map((pair) => pair[state.coordinate]);
  const names = Object.keys(history[0] ?? { g: 0 });
  canvas.style.height = `${names.length * 40 + 8}px`;
  const { ctx, width } = sheet(canvas);
  if (!width) return;
  const scales = {};
  for (const name of names) {
    const unit = UNITS[name] ?? name;
    const largest = history.reduce((x, row) => Math.max(x, Math.abs(row[name])), 1e-300);
    scales[unit] = Math.max(scales[unit] ?? 0, largest);
  }
  const strip = width > 460 ? width * 0.3 : 0;
  const [left, right] = [48, width - 78 - strip];
  const middle = (left + right) / 2;
  names.forEach((name, i) => {
    const y = 24 + i * 40;
    const unit = UNITS[name] ?? name;
    const color = { g: theme.gradient, m: theme.first, m_hat: theme.first, m_bar: theme.first, change: theme.third }[name]
      ?? (unit === "g²" || name === "u" ? theme.second : theme.ink);
    const share = (value) => clamp(value / scales[unit], -1, 1);
    Object.assign(ctx, { fillStyle: theme.ink, font: `600 ${FONT.replace("12px", "14px")}`, textBaseline: "middle", textAlign: "left" });
    ctx.fillText(label(name), 4, y);
    Object.assign(ctx, { strokeStyle: theme.line, lineWidth: 1, font: FONT });
    ctx.strokeRect(left + 0.5, y - 12.5, right - left, 25);
    ctx.beginPath();
    ctx.moveTo(middle, y - 16);
    ctx.lineTo(middle, y + 16);
    ctx.strokeStyle = theme.faint;
    ctx.stroke();
    const value = values?.[name] ?? 0;
    ctx.fillStyle = color;
    ctx.globalAlpha = /_hat|_bar/.test(name) ? 1 : 0.75;
    ctx.fillRect(middle, y - 10, (share(value) * (right - left)) / 2, 20);
    ctx.globalAlpha = 1;
    ctx.fillStyle = theme.ink;
    ctx.fillText(values ? show(value) : "–", right + 8, y);
    if (!strip) return;
    // What it was at each step so far.
    const x0 = width - strip;
    const end = Math.min(state.t, history.length);
    Object.assign(ctx, { strokeStyle: theme.line });
    ctx.beginPath();
    ctx.moveTo(x0, y);
    ctx.lineTo(width - 4, y);
    ctx.stroke();
    Object.assign(ctx, { strokeStyle: color, lineWidth: 1.5 });
    ctx.beginPath();
    for (let t = 0; t < end; t += 1) {
      ctx.lineTo(x0 + ((strip - 6) * t) / Math.max(state.steps - 1, 1), y - 14 * share(history[t][name]));
    }
    ctx.stroke();
  });
}

// The two moving averages of a chosen gradient, with and without bias correction.
function bias(lab) {
  const said = () => {
    const { t, rules: [{ hyper }] } = lab.state;
    const row = lab.rows[Math.max(t, 1) - 1];
    return `at step ${t}, β₁ ${show(hyper.beta1, 6)}, β₂ ${show(hyper.beta2, 6)}: m ${show(row.m)}, m̂ ${show(row.m_hat)}, `
      + `v ${show(row.v)}, v̂ ${show(row.v_hat)}; step ${show(row.corrected)} α with correction, ${show(row.plain)} α without`;
  };
  const first = lab.canvas("strip", () => `The gradient, m and m̂, ${said()}.`);
  const second = lab.canvas("strip", () => `The squared gradient, v and v̂, ${said()}.`);
  const third = lab.canvas("strip", () => `The step over α, with and without correction, ${said()}.`);
  const outcome = el("p", { class: "outcome" });
  lab.updates.push(() => { outcome.textContent = said(); });
  const drawn = () => (lab.state.drawn.length ? [...lab.state.drawn] : Array(40).fill(0));
  const put = (place, value) => {
    const next = drawn();
    next[place] = rounded(clamp(value, -3, 3), 3);
    lab.change({ drawn: next });
  };
  let area = null;
  const pen = (event) => {
    if (lab.state.signal !== "drawn" || !area || !event.buttons) return;
    const box = first.getBoundingClientRect();
    const share = (event.clientX - box.left - area.area.x) / area.area.w;
    const height = 1 - (event.clientY - box.top - area.area.y) / area.area.h;
    put(clamp(Math.floor(share * 40), 0, 39), -3 + 6 * height);
  };
  first.addEventListener("pointerdown", pen);
  first.addEventListener("pointermove", pen);
  first.classList.toggle("pen", lab.state.signal === "drawn");
  lab.place ??= 0;
  const byHand = lab.state.signal !== "drawn" ? [] : [
    lab.slider("place", "draw at place", { scale: "linear", min: 1, max: 40, step: 1 }, () => lab.place + 1,
      (value) => { lab.place = value - 1; lab.change({}); }),
    lab.slider("height", "gradient there", { scale: "linear", min: -3, max: 3, step: 0.25 },
      () => drawn()[lab.place], (value) => put(lab.place, value)),
  ];
  return {
    title: "Bias correction",
    stage: [first, second, third, lab.transport()],
    panel: [lab.hyper(0, "beta1"), lab.hyper(0, "beta2"),
      lab.select("signal", "gradient", SIGNALS, () => lab.state.signal, (signal) => lab.change({ signal }, true)),
      ...byHand, lab.stepsSlider(), outcome],
    compute: () => {
      const { hyper } = lab.state.rules[0];
      let slots = [0, 0];
      lab.signal = signalOf(lab.state);
      lab.rows = lab.signal.map((g, i) => {
        const row = RULES.Adam.step(hyper, 0, g, slots, RULES.Adam.scalars(hyper, i + 1));
        const plain = RULES.AdamUncorrected.step(hyper, 0, g, slots, []).change / -hyper.lr;
        slots = [row.m, row.v];
        return { ...row, corrected: row.change / -hyper.lr, plain };
      });
    },
    paint: () => {
      const { theme, rows, signal, state: { t, steps: to } } = lab;
      const range = (values, least) => {
        const top = values.reduce((x, v) => Math.max(x, Math.abs(v)), least) * 1.08;
        return [values.some((v) => v < 0) ? -top : 0, top];
      };
      const line = (name, color, text, dash) => ({ y: rows.map((row) => row[name]), color, name: text, dash });
      const common = { from: 1, to, cursor: t, guides: [0] };
      area = drawChart(lab, first, { ...common, title: "gradient (dots) and its moving average", dots: signal,
        y: lab.state.signal === "drawn" ? [-3, 3] : range(signal, 1),
        series: [line("m", theme.first, "m", [2, 2]), line("m_hat", theme.first, "m̂")] });
      const squares = signal.map((g) => g * g);
      drawChart(lab, second, { ...common, title: "its square (dots) and their moving average", dots: squares,
        y: range([...rows.map((row) => row.v_hat), 0.5], 0),
        series: [line("v", theme.second, "v", [2, 2]), line("v_hat", theme.second, "v̂")] });
      drawChart(lab, third, { ...common, title: "step, in units of α", guides: [-1, 0, 1],
        y: range(rows.flatMap((row) => [row.corrected, row.plain]), 1.2),
        series: [line("plain", theme.third, "without", [2, 2]), line("corrected", theme.third, "with")] });
      return said();
    },
  };
}

// A learning-rate schedule, and the same optimizer with it and without.
function schedule(lab) {
  const { state } = lab;
  const tail = (run) => {
    const last = run.loss.slice(-Math.max(1, Math.round(lab.state.steps / 10)));
    return run.diverged !== null ? "diverges" : show(last.reduce((x, v) => x + v, 0) / last.length, 2);
  };
  const said = () => `mean loss over the last tenth: ${tail(lab.runs[0])} with the schedule, ${tail(lab.runs[1])} at a constant rate`;
  const rate = lab.canvas("strip", () => `The learning rate over the steps: ${lab.state.schedule}, warm-up ${lab.state.warmup}.`);
  const chart = lab.canvas("chart", () => `Loss over the steps; ${said()}.`);
  const { map, element } = lab.mapWithStart(() => `Map; ${said()}.`);
  const outcome = el("p", { class: "outcome" });
  lab.updates.push(() => { outcome.textContent = said(); });
  const names = Object.keys(SCHEDULES).filter((name) => name !== "Warmup");
  const parameters = Object.entries(SCHEDULES[state.schedule].parameters).map(([name, spec]) =>
    lab.slider(`schedule-${name}`, label(name), spec, () => lab.state.parameters[name],
      (value) => lab.change({ parameters: { ...lab.state.parameters, [name]: value } })));
  return {
    title: "Learning-rate schedule",
    stage: [rate, chart, lab.transport(), element],
    panel: [
      lab.select("schedule", "schedule", names, () => lab.state.schedule,
        (name) => lab.change({ schedule: name, parameters: {} }, true)),
      ...parameters,
      lab.slider("warmup", label("warmup"), SLIDERS.warmup, () => lab.state.warmup, (warmup) => lab.change({ warmup })),
      lab.slider("noise", label("noise"), SLIDERS.noise, () => lab.state.noise, (noise) => lab.change({ noise })),
      lab.chooseRule(), "lr" in state.rules[0].hyper ? lab.hyper(0, "lr") : null,
      ...lab.surfaces(), lab.stepsSlider(), outcome],
    compute: () => {
      const [rule] = lab.state.rules;
      lab.factor = factorOf(lab.state);
      lab.runs = [descend(lab.state, rule, lab.factor), descend(lab.state, rule)];
    },
    paint: () => {
      const { t, steps: to, rules: [{ name, hyper }] } = lab.state;
      const { style } = RULES[name];
      const plain = { color: "#6b7480", marker: "s", dash: [2, 2] };
      const lr = hyper.lr ?? 1;
      drawChart(lab, rate, { title: "learning rate", from: 1, to, cursor: t, y: [0, lr * 1.08], series: [
        { y: Array.from({ length: to }, (_, i) => lr), color: inkOf(plain.color, lab.dark), dash: plain.dash },
        { y: Array.from({ length: to }, (_, i) => lr * lab.factor(i + 1)), color: inkOf(style.color, lab.dark), name: "rate" }] });
      const both = [style, plain];
      drawChart(lab, chart, { title: "loss above the minimum", log: true, to, cursor: t, y: lossRange(lab.runs),
        series: lossLines(lab.runs, both, ["schedule", "constant"], lab.dark) });
      drawMap(lab, map, lab.runs, both, t);
      return said();
    },
  };
}

// Hosts: anywidget calls render; a page of the book calls mount for each of its figures.

export function render({ model, el: parent }) {
  const host = document.createElement("div");
  parent.append(host);
  const lab = new Lab(host, model);
  return () => lab.stop();
}

export function mount(host, index) {
  let state = JSON.parse(host.dataset.state);
  const model = { get: () => state, set: (_, value) => { state = value; }, save_changes() {}, on() {}, off() {} };
  return new Lab(host, model, index);
}

export default { render };
