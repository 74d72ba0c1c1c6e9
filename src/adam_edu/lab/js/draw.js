// What every view draws with: marks, lines and words on a canvas.
import { clamp } from "./scales.js";

export const inked = (style, dark) => ({ ...style, color: dark ? style.dark : style.color });

export function mark(ctx, shape, x, y, size, color, edge) {
  ctx.beginPath();
  if (shape) for (const [dx, dy] of shape) ctx.lineTo(x + dx * size, y + dy * size);
  else ctx.arc(x, y, size, 0, 2 * Math.PI);
  ctx.closePath();
  ctx.fillStyle = color;
  ctx.fill();
  if (!edge) return;
  Object.assign(ctx, { strokeStyle: edge, lineWidth: 1.5 });
  ctx.stroke();
}

// A marker in its optimizer's look; that of a variant, or of a second one of its rule, is hollow.
export const stamp = (ctx, theme, { marker, color, hollow }, x, y, size) =>
  mark(ctx, marker, x, y, size, hollow ? theme.paper : color, hollow ? color : null);

export function line(ctx, points, color, width = 1, dash = []) {
  Object.assign(ctx, { strokeStyle: color, lineWidth: width });
  ctx.setLineDash(dash.map((part) => 2 * part));
  ctx.beginPath();
  for (const [x, y] of points) ctx.lineTo(x, y);
  ctx.stroke();
  ctx.setLineDash([]);
}

export function write(ctx, words, x, y, color, align = "left", baseline = "middle", room = undefined) {
  Object.assign(ctx, { fillStyle: color, textAlign: align, textBaseline: baseline });
  ctx.fillText(words, x, y, room);
}

// Make a canvas as sharp as the screen; return its context, in CSS pixels, and its size.
export function sheet(canvas, width = canvas.clientWidth, height = canvas.clientHeight) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  Object.assign(ctx, { font: "12px system-ui, sans-serif", lineJoin: "round" });
  return { ctx, width, height };
}

// Write each line's name at x, beside its end at y; names that would overlap move apart.
export function nameLines(ctx, lines, area, x) {
  const lowest = area.y + area.h - 8;
  const places = lines.map((one) => ({ ...one, y: clamp(one.y, area.y, lowest) })).sort((p, q) => p.y - q.y);
  places.reduce((limit, place) => (place.y = Math.max(place.y, limit)) + 14, -Infinity);
  places.reduceRight((limit, place) => (place.y = Math.min(place.y, limit)) - 14, lowest);
  const room = ctx.canvas.clientWidth - x - 2; // a name that is too wide is drawn narrower
  for (const { name, color, y } of places) write(ctx, name, x, y, color, "left", "middle", room);
}
