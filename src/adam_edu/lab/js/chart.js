// Lines over the steps.
import { line, nameLines, sheet, stamp, write } from "./draw.js";
import { plot } from "./plot.js";
import { clamp, largest, show, tenTo, ticks } from "./scales.js";

export const STEPWISE = "arrow keys go from step to step, Enter takes the figure there";

// The points of a line over pixels, as few as look the same: of each column of pixels the first and
// last one, and the lowest and highest.
function thinned(heights, px, first, last) {
  const points = [];
  for (let start = first, end = first; start <= last; start = end + 1) {
    const column = Math.floor(px(start));
    let [low, high] = [start, start];
    for (end = start; end < last && Math.floor(px(end + 1)) === column;) {
      end += 1;
      if (heights[end] > heights[low]) low = end;
      if (heights[end] < heights[high]) high = end;
    }
    const kept = new Set([start, Math.min(low, high), Math.max(low, high), end]);
    for (const i of kept) points.push([px(i), heights[i]]);
  }
  return points;
}

// Each of `series` is { y, color, dash, marker, name }, with y[0] at step `from`. Charts above each
// other have the same `names`, for whose widest they leave room beside the lines. The result tells
// steps and values from pixels, and pixels from them.
export function drawChart(lab, canvas, { title, series, y: [low, high], log, from = 0, dots = [], guides = [],
  names = series.map((one) => one.name ?? "") }) {
  const { theme, state: { t: cursor, steps: to } } = lab;
  const { ctx, width, height } = sheet(canvas);
  if (!width) return null;
  const named = series.filter((one) => one.name);
  const room = Math.min(largest(names.map((name) => ctx.measureText(name).width)) + 20, width * 0.32);
  const area = { x: 46, y: 24, w: width - 46 - room, h: height - 46 };
  // A loss of zero has no logarithm: it lies below every chart.
  const scale = log ? (value) => Math.log10(Math.max(value, 1e-30)) : (value) => value;
  const [bottom, top] = [scale(low), scale(high)];
  const px = (t) => area.x + ((t - from) / Math.max(to - from, 1)) * area.w;
  const place = (v) => area.y + area.h * (1 - (v - bottom) / (top - bottom));
  const py = (v) => place(clamp(scale(v), 2 * bottom - top, 2 * top - bottom));
  write(ctx, title, 4, 10, theme.faint);
  for (const v of ticks(bottom, top, clamp(Math.floor(area.h / 24), 2, 6))) {
    if (log && !Number.isInteger(v)) continue;
    const y = Math.round(place(v)) + 0.5;
    line(ctx, [[area.x, y], [area.x + area.w, y]], theme.line);
    write(ctx, log ? tenTo(v) : show(v), area.x - 6, y, theme.faint, "right");
  }
  for (const t of ticks(from, to, Math.max(2, Math.floor(area.w / 90)))) {
    write(ctx, show(t, 5), px(t), area.y + area.h + 12, theme.faint, "center");
  }
  write(ctx, "step", 4, area.y + area.h + 12, theme.faint);
  ctx.save();
  ctx.beginPath();
  ctx.rect(area.x, area.y - 4, area.w + 8, area.h + 8);
  ctx.clip();
  for (const v of guides) line(ctx, [[area.x, py(v)], [area.x + area.w, py(v)]], theme.faint, 1, [1, 2]);
  ctx.fillStyle = theme.gradient;
  const size = clamp(area.w / dots.length / 3, 1, 2.5);
  dots.forEach((v, i) => ctx.fillRect(px(from + i) - size, py(v) - size, 2 * size, 2 * size));
  for (const { y, ...look } of series) {
    const { color, dash } = look;
    const heights = new Float64Array(y.length);
    for (let i = 0; i < y.length; i += 1) heights[i] = py(y[i]);
    const at = (i) => px(from + i);
    const now = clamp(cursor - from, 0, y.length - 1);
    ctx.globalAlpha = 0.3;
    line(ctx, thinned(heights, at, now, y.length - 1), color, 2, dash);
    ctx.globalAlpha = 1;
    line(ctx, thinned(heights, at, 0, now), color, 2, dash);
    if (look.marker === undefined) continue;
    const end = heights[now];
    const edge = clamp(end, area.y, area.y + area.h);
    if (end === edge) stamp(ctx, theme, look, at(now), end, 4.5);
    else write(ctx, end > edge ? "↓" : "↑", at(now), clamp(end, area.y + 4, area.y + area.h - 4), color, "center");
  }
  ctx.restore();
  if (cursor < to) line(ctx, [[px(cursor), area.y], [px(cursor), area.y + area.h]], theme.faint);
  nameLines(ctx, named.map(({ name, color, y }) => ({ name, color, y: py(y.at(-1)) })), area, area.x + area.w + 12);
  const inside = (y) => (y >= area.y && y <= area.y + area.h ? y : NaN);
  const stepAt = (x) => clamp(Math.round(from + ((x - area.x) / area.w) * (to - from)), from, to);
  return { area, px, py: (v) => inside(py(v)), stepAt };
}

// A plot of such lines. `rows(t)` gives what stands at a step: { name, words, color, y }. The view
// keeps what drawChart has returned as its `scale`.
export function chart(lab, kind, what, rows, { from = 0, take = true, hint = STEPWISE } = {}) {
  const self = plot(lab, kind, what, {
    range: () => [from, lab.state.steps],
    hint,
    at: (x) => self.scale?.stepAt(x) ?? null,
    read: (t) => ({
      title: `step ${t}`,
      x: self.scale?.px(t),
      rows: rows(t).map(({ y, ...row }) => ({ ...row, x: self.scale?.px(t), y: self.scale?.py(y) })),
    }),
    take: take ? (x) => lab.go(self.scale.stepAt(x)) : null,
  });
  return self;
}

export function drawLosses(lab, canvas, styles, names) {
  const start = Math.max(lab.runs[0].loss[0], 1e-6);
  const top = Math.ceil(Math.log10(start) + 0.3);
  const lowest = lab.runs.flatMap(({ loss }) => loss.reduce((x, v) => (v > 1e-12 && v < x ? v : x), start));
  return drawChart(lab, canvas, {
    title: "loss above the minimum",
    log: true,
    y: [10 ** Math.min(Math.floor(Math.log10(Math.min(...lowest))), top - 2), 10 ** top],
    series: lab.runs.map(({ loss }, i) => ({ ...styles[i], name: names[i], y: loss })),
  });
}
