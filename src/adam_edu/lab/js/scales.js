// Numbers as a reader sees them, and the scales on which axes and sliders stand.

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
export const rounded = (value, digits = 2) => Number(value.toPrecision(digits));
export const largest = (values, least = 0) => values.reduce((x, v) => Math.max(x, v), least);
// An axis for values, at least from `low` to `high`.
export const range = (values, low, high) => [-1.06 * largest(values.map((v) => -v), -low), 1.06 * largest(values, high)];

// A number as a reader wants to see it.
export function show(value, digits = 3) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "not a number" : value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5)
    ? value.toExponential(digits - 1).replace(/\.?0*e/, "e").replace("e+", "e")
    : String(rounded(value, digits));
  return text.replaceAll("-", "−");
}

export const tenTo = (n) => `10${[...String(n)].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("")}`;

export function ticks(low, high, count) {
  const power = 10 ** Math.floor(Math.log10((high - low) / count));
  const step = power * [1, 2, 5, 10].find((n) => n * power * count >= (high - low) * 0.999);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high; i += 1) found.push(rounded(i * step, 10));
  return found;
}

// Sliders stand on whole positions from 0; on a logarithmic scale there are twenty to a decade.

export function positions({ scale, min, max, step, zero }) {
  return Math.round(scale === "linear" ? (max - min) / step : (max - min) * 20) + (zero ? 1 : 0);
}

export function valueAt(spec, position) {
  if (spec.scale === "linear") return rounded(spec.min + position * spec.step, 6);
  if (spec.zero && position === 0) return 0;
  const power = 10 ** (spec.min + (position - (spec.zero ? 1 : 0)) / 20);
  if (spec.scale === "log1m") return rounded(1 - rounded(1 / power), 12);
  return spec.whole ? Math.round(rounded(power)) : rounded(power);
}

export function positionOf(spec, value) {
  if (spec.scale === "linear") return Math.round((value - spec.min) / spec.step);
  if (spec.zero && value <= 0) return 0;
  const decades = spec.scale === "log1m" ? -Math.log10(1 - value) : Math.log10(value);
  return clamp(Math.round((decades - spec.min) * 20) + (spec.zero ? 1 : 0), 0, positions(spec));
}
