// The map of a surface, the optimizers' paths on it, and the start, which the reader can move.
import { contours } from "./contours.js";
import { line, mark, sheet, stamp, write } from "./draw.js";
import { el } from "./elements.js";
import { plot } from "./plot.js";
import { SURFACES, DEFAULTS } from "./rules.js";
import { clamp, largest, rounded, show } from "./scales.js";

const NEAR = 24; // pixels from a path, within which its steps are read

// Shaded and with contours, both by the logarithm of the height.
function relief(state, width, height, theme) {
  const { view: [[left, right], [low, high]], height: f } = SURFACES[state.surface];
  const [columns, rows] = [160, 112];
  const z = new Float64Array(columns * rows);
  for (let k = 0; k < z.length; k += 1) {
    z[k] = f(state.shape, left + ((right - left) * (k % columns)) / (columns - 1),
      high - ((high - low) * Math.floor(k / columns)) / (rows - 1));
  }
  const bottom = z.reduce((x, y) => Math.min(x, y));
  const range = largest(z, bottom) - bottom;
  const depth = Math.log(1e-3);
  const shares = z.map((value) => clamp(1 - Math.log((value - bottom) / range + 1e-3) / depth, 0, 1));
  const pixels = new ImageData(columns, rows);
  const [from, to] = [theme.low, theme.high].map((color) => color.split(" ").map(Number));
  for (let k = 0; k < z.length; k += 1) {
    for (let c = 0; c < 3; c += 1) pixels.data[4 * k + c] = from[c] + shares[k] * (to[c] - from[c]);
    pixels.data[4 * k + 3] = 255;
  }
  const small = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
  small.getContext("2d").putImageData(pixels, 0, 0);
  const canvas = document.createElement("canvas");
  const { ctx } = sheet(canvas, width, height);
  ctx.drawImage(small, 0, 0, width, height);
  const path = new Path2D();
  contours(shares, columns, rows, 16, path, width / (columns - 1), height / (rows - 1));
  ctx.strokeStyle = theme.contour;
  ctx.stroke(path);
  return canvas;
}

// Between the coordinates of a surface and the pixels of its map.
function scaleOf({ surface }, width, height) {
  const { view: [[left, right], [low, high]] } = SURFACES[surface];
  return {
    width,
    height,
    // What is far away would overflow the canvas; a line to its surroundings looks the same.
    px: (a) => clamp(((a - left) / (right - left)) * width, -2e4, 2e4),
    py: (b) => clamp(((high - b) / (high - low)) * height, -2e4, 2e4),
    a: (x) => left + (x / width) * (right - left),
    b: (y) => high - (y / height) * (high - low),
  };
}

// A path over pixels up to the step t, as lines of a few points each. Steps within a pixel are left
// out, and so is what goes to and fro between pixels of the map that are joined already: painting a
// line that crosses itself a thousand times takes ten times as long, and looks the same.
const FEW = 64;

function linesOf({ a, b }, t, { px, py, width, height }) {
  const end = Math.min(t, a.length - 1);
  const cell = (x, y) => (x < 0 || y < 0 || x > width || y > height ? NaN : Math.round(x) + 1024 * Math.round(y));
  const joined = new Set();
  let [x, y] = [px(a[0]), py(b[0])];
  let from = cell(x, y);
  let points = [[x, y]];
  const lines = [points];
  for (let i = 1; i <= end; i += 1) {
    const [nextX, nextY] = [px(a[i]), py(b[i])];
    const to = cell(nextX, nextY);
    if (from === to && i < end) continue;
    const key = Math.min(from, to) * 2 ** 21 + Math.max(from, to);
    const again = joined.has(key);
    if (again || points.length === FEW) lines.push(points = again ? [] : [[x, y]]);
    if (key >= 0) joined.add(key); // off the map it is NaN
    points.push([nextX, nextY]);
    [x, y, from] = [nextX, nextY, to];
  }
  return lines;
}

function drawMap(lab, canvas, styles, names) {
  const { runs, state, theme, dark } = lab;
  const { ctx, width, height } = sheet(canvas);
  if (!width) return null;
  const key = [state.surface, JSON.stringify(state.shape), width, height, dark].join();
  if (lab.reliefKey !== key) {
    Object.assign(lab, { reliefKey: key, relief: relief(state, width, height, theme) });
  }
  ctx.drawImage(lab.relief, 0, 0, width, height);
  const scale = scaleOf(state, width, height);
  const { px, py } = scale;
  const [a, b] = SURFACES[state.surface].minimum;
  mark(ctx, DEFAULTS.star, px(a), py(b), 8, theme.ink);
  const every = Math.max(1, Math.round(state.steps / 14));
  const lastOf = ({ a }) => Math.min(state.t, a.length - 1);
  runs.forEach((run, k) => {
    for (const points of linesOf(run, state.t, scale)) line(ctx, points, styles[k].color, 2, styles[k].dash);
    for (let i = every; i < lastOf(run); i += every) stamp(ctx, theme, styles[k], px(run.a[i]), py(run.b[i]), 3.2);
  });
  // The ends lie over all paths.
  let signs = 0;
  runs.forEach((run, k) => {
    const { color, marker, hollow } = styles[k];
    const [x, y] = [px(run.a[lastOf(run)]), py(run.b[lastOf(run)])];
    const [hx, hy] = [clamp(x, 10, width - 10), clamp(y, 10, height - 10)];
    const gone = x < 0 || x > width || y < 0 || y > height;
    if (hollow) stamp(ctx, theme, styles[k], gone ? hx : x, gone ? hy : y, 6);
    else mark(ctx, marker, gone ? hx : x, gone ? hy : y, 6, color, theme.paper);
    if (!gone) return;
    // Off the map: say who, and where to.
    const arrow = "→↘↓↙←↖↑↗"[(Math.round(Math.atan2(y - hy, x - hx) / (Math.PI / 4)) + 8) % 8];
    const diverges = run.diverged !== null && state.t >= run.diverged;
    const words = `${names[k]} ${diverges ? "diverges" : "is off the map"} ${arrow}`;
    signs += 22;
    ctx.fillStyle = theme.paper;
    ctx.fillRect(6, signs - 22 + 6, ctx.measureText(words).width + 12, 20);
    write(ctx, words, 12, signs - 6, color);
  });
  return scale;
}

// The step at which some path comes nearest to a point, or null if none comes near.
function nearestStep({ runs, state }, { px, py }, x, y) {
  let [best, step] = [NEAR, null];
  for (const { a, b } of runs) {
    for (let t = 0; t <= Math.min(state.t, a.length - 1); t += 1) {
      const distance = Math.hypot(px(a[t]) - x, py(b[t]) - y);
      if (distance < best) [best, step] = [distance, t];
    }
  }
  return step;
}

const words = (a, b, loss) => `(${show(a)}, ${show(b)}), loss ${show(Math.max(loss, 0), 2)}`;

// The map as a part of a figure: its elements, and how it is painted. A click moves the start; so do
// dragging it and the arrow keys.
export function map(lab, looks, names) {
  const { surface } = lab.state;
  const { view: [[left, right], [low, high]], height: f, minimum } = SURFACES[surface];
  const move = (a, b) => lab.change({
    start: [rounded(clamp(a, left, right), 3), rounded(clamp(b, low, high), 3)],
  });
  const self = plot(lab, "map", "Map", {
    hint: "arrow keys go along the paths, Enter takes the figure there",
    at: (x, y) => (self.scale ? nearestStep(lab, self.scale, x, y) : null),
    read: (t) => ({
      title: `step ${t}`,
      rows: lab.runs.map(({ a, b, loss }, k) => {
        const i = Math.min(t, a.length - 1);
        const [x, y] = self.scale ? [self.scale.px(a[i]), self.scale.py(b[i])] : [];
        const seen = x >= 0 && y >= 0 && x <= self.scale.width && y <= self.scale.height;
        return { name: names()[k], words: words(a[i], b[i], loss[i]), color: looks()[k].color, x: seen ? x : NaN, y };
      }),
    }),
    beside: (x, y) => {
      if (!self.scale) return null;
      const [a, b] = [self.scale.a(x), self.scale.b(y)];
      const loss = f(lab.state.shape, a, b) - f(lab.state.shape, ...minimum);
      return { title: "here", rows: [{ name: "", words: words(a, b, loss), x, y }] };
    },
    take: (x, y) => self.scale && move(self.scale.a(x), self.scale.b(y)),
  });
  const drag = (event) => {
    if (!handle.hasPointerCapture(event.pointerId)) return;
    const box = self.canvas.getBoundingClientRect();
    move(self.scale.a(event.clientX - box.left), self.scale.b(event.clientY - box.top));
  };
  const nudge = (event) => {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!by) return;
    event.preventDefault();
    const [a, b] = lab.state.start;
    move(a + (by[0] * (right - left)) / 40, b + (by[1] * (high - low)) / 40);
  };
  const handle = el("button", { type: "button", class: "start", "data-key": "start",
    onpointerdown: (event) => handle.setPointerCapture(event.pointerId),
    onpointermove: drag, onkeydown: nudge });
  lab.updates.push(() => {
    const [a, b] = lab.state.start;
    handle.style.left = `${((a - left) / (right - left)) * 100}%`;
    handle.style.top = `${((high - b) / (high - low)) * 100}%`;
    handle.setAttribute("aria-label", `start at a = ${show(a)}, b = ${show(b)}; arrow keys move it`);
  });
  self.element.append(handle);
  const key = el("p", { class: "key" }, el("span", {}, "★ the minimum"),
    el("span", {}, el("span", { class: "dot", "aria-hidden": "true" }), " the start: drag it or click the map"));
  return {
    elements: [self.element, key],
    paint: () => { self.scale = drawMap(lab, self.canvas, looks(), names()); },
  };
}
