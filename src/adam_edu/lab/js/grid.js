// Where a grid of settings was the experiment: losses over the rate, with bias correction and without.
import { glyph, note } from "./controls.js";
import { inked, line, sheet, stamp, write } from "./draw.js";
import { el } from "./elements.js";
import { plot } from "./plot.js";
import { median, placeOf, shownRuns, subject, valuesAt } from "./recorded.js";
import { DEFAULTS } from "./rules.js";
import { choices, table, verticalAxis } from "./runs.js";
import { largest, show } from "./scales.js";

// Above this loss a run counts as broken: a tenth above where the slowest ones with the correction began.
function limitOf({ runs }) {
  const least = -largest(runs.map((run) => -run.lr), -Infinity);
  const first = runs.filter((run) => run.corrected && run.lr === least).map((run) => median(valuesAt(run.train, 1)));
  const began = first.filter((v) => v < Infinity);
  return began.length ? 1.1 * largest(began) : Infinity;
}

const ratesOf = (points) => points.filter((point) => point.broken).map((point) => show(point.lr));
const brokenAt = (points) => (ratesOf(points).length ? `broken at ${ratesOf(points).join(", ")}` : "none broken");

const betasOf = ({ runs }) => [...new Set(runs.map((run) => run.beta2))].sort((p, q) => p - q);

// By beta2: the points with the correction and without, by rate.
function settings(state) {
  const most = limitOf(state);
  const runs = shownRuns(state).sort((p, q) => p.lr - q.lr);
  return betasOf(state).map((beta2) => ({
    beta2,
    lines: [true, false].map((corrected) => runs
      .filter((run) => run.beta2 === beta2 && run.corrected === corrected)
      .map((run) => ({ beta2, lr: run.lr, values: valuesAt(run.train, state.t) }))
      .filter(({ values }) => values.length)
      .map(({ values, ...point }) => ({ ...point, loss: median(values) }))
      .map((point) => ({ ...point, broken: point.loss === Infinity || point.loss > most }))),
  }));
}

const allRates = ({ runs }) => [...new Set(runs.map((run) => run.lr))].sort((p, q) => p - q);

const seriesAt = (lab, i) => inked(DEFAULTS.series[i % DEFAULTS.series.length], lab.dark);

function drawGrid(lab, canvas) {
  const { theme, state, found } = lab;
  const { ctx, width, height } = sheet(canvas);
  if (!width) return null;
  const area = { x: 46, y: 38, w: width - 70, h: height - 62 };
  const rates = allRates(state);
  const [from, to] = [rates[0], rates.at(-1)].map(Math.log10);
  const px = (lr) => area.x + 12 + ((Math.log10(lr) - from) / (to - from || 1)) * (area.w - 24);
  const most = limitOf(state);
  const every = state.runs.flatMap((run) => run.train.flat()).filter((v) => v !== null);
  const py = verticalAxis(lab, ctx, area, [...every, most], most);
  write(ctx, `${subject(state)}; × broken`, 4, 10, theme.faint);
  for (const lr of rates) write(ctx, show(lr), px(lr), area.y + area.h + 14, theme.faint, "center");
  write(ctx, "rate", 4, area.y + area.h + 14, theme.faint);
  found.forEach(({ lines }, i) => {
    const style = seriesAt(lab, i);
    const aside = 9 * (i - (found.length - 1) / 2); // of the crosses, which would hide one another
    lines.forEach((points, k) => {
      const at = points.map(({ lr, loss, broken }) => (broken ? [px(lr) + aside, area.y - 8] : [px(lr), py(loss)]));
      line(ctx, at.filter((_, n) => !points[n].broken), style.color, 2, k ? [1, 1] : []);
      points.forEach(({ broken }, n) => {
        const [x, y] = at[n];
        if (!broken) return stamp(ctx, theme, { ...style, hollow: k === 1 }, x, y, 4);
        line(ctx, [[x - 4, y - 4], [x + 4, y + 4]], style.color, 2);
        return line(ctx, [[x - 4, y + 4], [x + 4, y - 4]], style.color, 2);
      });
    });
  });
  const away = (x) => rates.map((lr) => Math.abs(px(lr) - x));
  return { px, py, placeAt: (x) => away(x).indexOf(Math.min(...away(x))) };
}

export function grid(lab) {
  lab.updates.push(() => { lab.found = settings(lab.state); });
  const words = ["with", "without"];
  const rates = allRates(lab.state);
  const readAt = (lr) => lab.found.flatMap(({ beta2, lines }, i) => lines.flatMap((points, k) =>
    points.filter((point) => point.lr === lr).map(({ loss, broken }) => ({
      name: `β₂ ${beta2} ${words[k]} correction`,
      words: broken ? "broken" : show(loss),
      color: seriesAt(lab, i).color,
      x: chart.scale?.px(lr),
      y: broken ? NaN : chart.scale?.py(loss),
    }))));
  const chart = plot(lab, "curves", "Loss over the learning rate", {
    range: () => [0, rates.length - 1],
    now: () => 0,
    hint: "arrow keys go from rate to rate",
    at: (x) => chart.scale?.placeAt(x) ?? null,
    read: (place) => ({ title: `rate ${show(rates[place])}`, x: chart.scale?.px(rates[place]), rows: readAt(rates[place]) }),
  });
  const { menus, slider } = choices(lab);
  const betas = betasOf(lab.state);
  const glyphs = betas.map((_, i) => glyph(lab, () => seriesAt(lab, i)));
  const rows = () => lab.found.map(({ beta2, lines }) => el("tr", {},
    el("th", { scope: "row" }, glyphs[betas.indexOf(beta2)], String(beta2)),
    ...lines.map((points) => el("td", {}, points.length ? ratesOf(points).join(", ") || "none" : "–"))));
  const best = (k) => {
    const fine = lab.found.flatMap(({ lines }) => lines[k]).filter((point) => !point.broken);
    const { loss, beta2, lr } = fine.reduce((p, q) => (q.loss < p.loss ? q : p), { loss: Infinity });
    return fine.length ? `${show(loss, 4)} (β₂ ${beta2}, rate ${show(lr)})` : "none";
  };
  return {
    title: `Recorded runs: ${lab.state.title}`,
    stage: [chart.element, ...slider],
    table: table(lab, "settings", () => `Rates with broken runs after epoch ${lab.state.t}, β₁ = ${lab.state.beta1}`,
        ["β₂", "with correction (solid)", "without (dotted)"], rows),
    groups: [{ key: "settings", name: "Settings", parts: [
      ...menus,
      ...words.map((word, k) => note(lab, () => `Lowest loss ${word} the correction: ${best(k)}.`)),
      note(lab, () => `Broken: without a number, or with a loss above ${show(limitOf(lab.state))}, `
        + "a tenth above the slowest run with the correction after its first epoch."),
    ] }],
    compute: () => {},
    paint: () => { chart.scale = drawGrid(lab, chart.canvas); },
    summary: () => {
      const there = lab.found.filter(({ lines }) => lines.some((points) => points.length));
      const found = there.map(({ beta2, lines }) => `β₂ = ${beta2}: ${lines
        .map((points, k) => (points.length ? `${words[k]} correction ${brokenAt(points)}` : null))
        .filter(Boolean).join(", ")}`);
      return `${placeOf(lab.state)}, β₁ = ${lab.state.beta1}. ${found.join("; ")}`;
    },
  };
}
