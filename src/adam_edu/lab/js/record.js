// Recorded runs: curves that stop where the reader says, and the ranking there.
import { glyph, note } from "./controls.js";
import { inked, line, nameLines, sheet, stamp, write } from "./draw.js";
import { el } from "./elements.js";
import { plot } from "./plot.js";
import { hasValue, inWords, lowest, median, placeOf, QUANTITIES, quantitiesOf, ranking, shownRuns, spread, standingAt,
  subject } from "./recorded.js";
import { DEFAULTS, RULES } from "./rules.js";
import { choices, table, verticalAxis } from "./runs.js";
import { clamp, largest, show } from "./scales.js";

// An optimizer looks as elsewhere; a variant of it, named after a comma, is dotted and hollow.
function looksOf(lab, name) {
  const [optimizer, variant] = name.split(",");
  const style = inked(Object.hasOwn(RULES, optimizer) ? RULES[optimizer].style : DEFAULTS.series.at(-1), lab.dark);
  return variant === undefined ? style : { ...style, dash: [1, 1], hollow: true };
}

function drawCurves(lab, canvas) {
  const { theme, curves, state: { t, steps } } = lab;
  const { ctx, width, height } = sheet(canvas);
  if (!width) return null;
  const names = Math.min(largest(curves.map(({ name }) => ctx.measureText(name).width)) + 22, width * 0.42);
  const area = { x: 46, y: 24, w: width - 46 - names, h: height - 48 };
  const px = (epoch) => area.x + ((epoch - 1) / Math.max(steps - 1, 1)) * area.w;
  const first = curves.map(({ points }) => points[0]).filter((one) => one.seeds).map((one) => one.median);
  const typical = 10 * median(first);
  const every = curves.flatMap(({ values }) => values);
  const py = verticalAxis(lab, ctx, area, every, typical > 0 && typical < Infinity ? typical : Infinity);
  write(ctx, subject(lab.state), 4, 10, theme.faint);
  const least = steps / Math.max(2, Math.floor(area.w / 34));
  const gap = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((n) => n >= least) ?? steps;
  for (let epoch = gap; epoch <= steps; epoch += gap) {
    write(ctx, String(epoch), px(epoch), area.y + area.h + 14, theme.faint, "center");
  }
  write(ctx, "epoch", area.x + area.w + 16, area.y + area.h + 14, theme.faint);
  if (t < steps) line(ctx, [[px(t), area.y], [px(t), area.y + area.h]], theme.faint);
  for (const { points, look } of curves) {
    const shown = points.slice(0, t).map((one, i) => ({ ...one, x: px(i + 1) })).filter((one) => one.seeds);
    ctx.globalAlpha = 0.22;
    ctx.fillStyle = look.color;
    ctx.beginPath();
    for (const { x, low } of shown) ctx.lineTo(x, py(low));
    for (const { x, high } of shown.toReversed()) ctx.lineTo(x, py(high));
    ctx.fill();
    ctx.globalAlpha = 1;
    line(ctx, shown.map((one) => [one.x, py(one.median)]), look.color, 2, look.dash);
    const between = Math.max(1, Math.round(steps / 12));
    shown.forEach((one, i) => {
      if (i % between === 0 || i === shown.length - 1) stamp(ctx, theme, look, one.x, py(one.median), 3.6);
    });
  }
  const ends = curves.map(({ name, points, look }) => ({ name, color: look.color, ...points[t - 1] }));
  nameLines(ctx, ends.filter((one) => one.seeds).map(({ name, color, median: v }) =>
    ({ name: v < Infinity ? name : `${name} ↑`, color, y: py(v) })), area, px(t) + 10);
  const epochAt = (x) => clamp(Math.round(1 + ((x - area.x) / area.w) * (steps - 1)), 1, steps);
  return { px, py, epochAt };
}

export function record(lab) {
  const chart = plot(lab, "curves", "Curves of recorded runs", {
    range: () => [1, lab.state.steps],
    hint: "arrow keys go from epoch to epoch, Enter takes the figure there",
    at: (x) => chart.scale?.epochAt(x) ?? null,
    read: (epoch) => ({
      title: `epoch ${epoch}`,
      x: chart.scale?.px(epoch),
      rows: ranking(lab.state, epoch).map((one) => ({
        name: one.name, words: hasValue(one) ? show(one.median) : spread(one), color: looksOf(lab, one.name).color,
        x: chart.scale?.px(epoch), y: hasValue(one) ? chart.scale?.py(one.median) : NaN })),
    }),
    take: (x) => lab.go(chart.scale.epochAt(x)),
  });
  const { menus, slider } = choices(lab);
  const rows = Object.fromEntries(shownRuns(lab.state).map(({ optimizer }) => {
    const [overlap, middle, range] = [el("small"), el("td"), el("td")];
    const head = el("th", { scope: "row" }, glyph(lab, () => looksOf(lab, optimizer)), optimizer, overlap);
    return [optimizer, { overlap, middle, range, row: el("tr", {}, head, middle, range) }];
  }));
  const ranked = () => ranking(lab.state).map((one) => {
    const { overlap, middle, range, row } = rows[one.name];
    overlap.textContent = one.overlaps ? " overlaps with the one before" : "";
    middle.textContent = hasValue(one) ? show(one.median) : "–";
    range.textContent = spread(one);
    return row;
  });
  return {
    title: `Recorded runs: ${lab.state.title}`,
    stage: [chart.element, ...slider],
    table: table(lab, "ranks", () => `Lowest first, after epoch ${lab.state.t}: ${subject(lab.state)}`,
        ["optimizer", "median", "range over seeds"], ranked),
    groups: [{ key: "runs", name: "Runs", parts: [
      ...menus,
      ...quantitiesOf(lab.state.runs).map((key) => note(lab, () =>
        `Lowest ${QUANTITIES[key].replace(" (%)", "")} after epoch ${lab.state.t}: ${lowest(lab.state, lab.state.t, key)}.`)),
      note(lab, () => {
        const { t, steps, quantity } = lab.state;
        return t === steps ? "The longest of these runs ends here."
          : `Lowest ${QUANTITIES[quantity].replace(" (%)", "")} at the end, epoch ${steps}: ${lowest(lab.state, steps, quantity)}.`;
      }),
    ] }],
    compute: () => {
      const { quantity, steps } = lab.state;
      lab.curves = shownRuns(lab.state).map(({ optimizer, [quantity]: curves }) => {
        const points = Array.from({ length: steps }, (_, i) => standingAt(curves, quantity, i + 1));
        return { name: optimizer, points, values: points.filter((one) => one.seeds).flatMap(({ low, high }) => [low, high]) };
      });
    },
    paint: () => {
      for (const curve of lab.curves) curve.look = looksOf(lab, curve.name);
      chart.scale = drawCurves(lab, chart.canvas);
    },
    summary: () => `${placeOf(lab.state)}, lowest first: ${ranking(lab.state).map(inWords).join("; ")}`,
  };
}
