// One coordinate of one optimizer: everything that the rule names in a step, as bars.
import { STEPWISE } from "./chart.js";
import { oneRule, select } from "./controls.js";
import { mapView } from "./descents.js";
import { descend } from "./descent.js";
import { line, sheet, write } from "./draw.js";
import { label } from "./looks.js";
import { plot } from "./plot.js";
import { DEFAULTS } from "./rules.js";
import { clamp, largest, show } from "./scales.js";

const AXES = ["a (left–right)", "b (up–down)"];
const unitOf = (name) => DEFAULTS.units[name] ?? name;

export function inside(lab) {
  const valuesAt = (t) => lab.runs[0].named[Math.min(t, lab.runs[0].named.length - 1)]?.[lab.state.coordinate];
  const named = (t) => Object.entries(valuesAt(t) ?? {}).map(([name, value]) => [label(name), show(value)]);
  const bars = plot(lab, "bars", "Bars", {
    hint: STEPWISE,
    at: (x) => bars.scale?.stepAt(x) ?? null,
    read: (t) => ({ title: `step ${t}`, x: bars.scale?.px(t), rows: named(t).map(([name, words]) => ({ name, words })) }),
    take: (x) => {
      const t = bars.scale.stepAt(x);
      if (t !== null) lab.go(t);
    },
  });
  return mapView(lab, {
    title: "Inside one step",
    chartFirst: true,
    plots: [bars.element],
    groups: [{
      key: "rule",
      name: lab.state.rules[0].name,
      parts: [
        ...oneRule(lab),
        select(lab, "coordinate", "parameter", AXES, () => AXES[lab.state.coordinate],
          (name) => lab.change({ coordinate: AXES.indexOf(name) })),
      ],
    }],
    compute: () => { lab.runs = [descend(lab.state, lab.state.rules[0], { keep: true })]; },
    paint: () => { bars.scale = drawBars(lab, bars.canvas, valuesAt(lab.state.t)); },
    summary: () => {
      const values = named(lab.state.t).map((pair) => pair.join(" = "));
      return `Step ${lab.state.t}: ${values.join(", ") || "nothing yet"}`;
    },
  });
}

// Quantities of one unit share a scale, so that m can be compared with g, and v̂ with v. At the right,
// where there is room, what each was in the steps so far.
function drawBars(lab, canvas, values) {
  const { theme, state, runs } = lab;
  const history = runs[0].named.slice(1).map((both) => both[state.coordinate]);
  const names = Object.keys(history[0] ?? {});
  const pitch = canvas.clientWidth < 420 ? 28 : 40;
  canvas.style.height = `${names.length * pitch + 8}px`;
  const { ctx, width } = sheet(canvas);
  const scales = {};
  for (const name of names) {
    const most = largest(history.map((row) => Math.abs(row[name])), 1e-300);
    scales[unitOf(name)] = Math.max(scales[unitOf(name)] ?? 0, most);
  }
  const strip = width > 330 ? width * 0.28 : 0;
  const [left, right] = [48, width - 74 - strip];
  const middle = (left + right) / 2;
  const x0 = width - strip;
  const px = (t) => x0 + ((strip - 6) * (t - 1)) / Math.max(state.steps - 1, 1);
  const half = pitch / 2;
  names.forEach((name, i) => {
    const y = 4 + half + i * pitch;
    const color = name === "g" ? theme.gradient : theme[unitOf(name)] ?? theme.ink;
    const share = (value) => clamp(value / scales[unitOf(name)], -1, 1);
    ctx.font = "600 14px system-ui, sans-serif";
    write(ctx, label(name), 4, y, theme.ink);
    ctx.font = "12px system-ui, sans-serif";
    ctx.strokeStyle = theme.line;
    ctx.strokeRect(left + 0.5, y - half + 7.5, right - left, pitch - 15);
    ctx.fillStyle = color;
    ctx.fillRect(middle, y - half + 10, (share(values?.[name] ?? 0) * (right - left)) / 2, pitch - 20);
    line(ctx, [[middle, y - half + 4], [middle, y + half - 4]], theme.faint);
    write(ctx, values ? show(values[name]) : "–", right + 8, y, theme.ink);
    if (!strip) return;
    line(ctx, [[x0, y], [width - 4, y]], theme.line);
    line(ctx, history.slice(0, state.t).map((row, t) => [px(t + 1), y - (half - 6) * share(row[name])]), color, 1.5);
  });
  return {
    px: (t) => (strip && t ? px(t) : undefined),
    stepAt: (x) => (strip && x >= x0 ? clamp(Math.round(1 + ((x - x0) / (strip - 6)) * (state.steps - 1)), 1, state.steps) : null),
  };
}
