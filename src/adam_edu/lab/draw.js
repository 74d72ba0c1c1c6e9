// What every view draws with: numbers as text, marks, lines and words on a canvas, elements.

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
export const rounded = (value, digits = 2) => Number(value.toPrecision(digits));
export const largest = (values, least = 0) => values.reduce((x, v) => Math.max(x, v), least);

// A number as a reader wants to see it.
export function show(value, digits = 3) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "not a number" : value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5)
    ? value.toExponential(digits - 1).replace(/\.?0*e/, "e").replace("e+", "e")
    : String(rounded(value, digits));
  return text.replaceAll("-", "−");
}

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

export function line(ctx, points, color, width = 1, dash = []) {
  Object.assign(ctx, { strokeStyle: color, lineWidth: width });
  ctx.setLineDash(dash.map((part) => 2 * part));
  ctx.beginPath();
  for (const [x, y] of points) ctx.lineTo(x, y);
  ctx.stroke();
  ctx.setLineDash([]);
}

export function write(ctx, words, x, y, color, align = "left", baseline = "middle") {
  Object.assign(ctx, { fillStyle: color, textAlign: align, textBaseline: baseline });
  ctx.fillText(words, x, y);
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

export function ticks(low, high, count) {
  const power = 10 ** Math.floor(Math.log10((high - low) / count));
  const step = power * [1, 2, 5, 10].find((n) => n * power * count >= (high - low) * 0.999);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high; i += 1) found.push(rounded(i * step, 10));
  return found;
}

export const tenTo = (n) => `10${[...String(n)].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("")}`;

// Write each line's name at x, beside its end at y; names that would overlap move apart.
export function nameLines(ctx, lines, area, x) {
  const lowest = area.y + area.h - 8;
  const places = lines.map((one) => ({ ...one, y: clamp(one.y, area.y, lowest) })).sort((p, q) => p.y - q.y);
  places.reduce((limit, place) => (place.y = Math.max(place.y, limit)) + 14, -Infinity);
  places.reduceRight((limit, place) => (place.y = Math.min(place.y, limit)) - 14, lowest);
  for (const { name, color, y } of places) write(ctx, name, x, y, color);
}

export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}
