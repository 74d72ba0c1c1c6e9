// The two moving averages of a chosen gradient, with and without bias correction.
import { chart, drawChart } from "./chart.js";
import { hyper, knob, note, select } from "./controls.js";
import { signalOf } from "./descent.js";
import { label } from "./looks.js";
import { drawing, MOST, sliders } from "./pen.js";
import { RULES, SIGNALS } from "./rules.js";
import { largest, range, show } from "./scales.js";
import { transport } from "./transport.js";

export function bias(lab) {
  const byHand = lab.state.signal === "drawn";
  const rowAt = (t) => lab.rows[t - 1];
  const strip = (what, color, keys, options) => chart(lab, "strip", what, (t) => [
    ...(keys.dots ? [{ name: label(keys.dots), words: show(rowAt(t)[keys.dots]), color: lab.theme.gradient, y: rowAt(t)[keys.dots] }] : []),
    ...keys.lines.map((key) => ({ name: label(key), words: show(rowAt(t)[key]), color: lab.theme[color], y: rowAt(t)[key] })),
  ], { from: 1, ...options });
  const first = strip("The gradient, m and m̂", "first", { dots: "g", lines: ["m", "m_hat"] },
    byHand ? { take: false, hint: "draw with the pointer, or with the sliders; arrow keys go from step to step" } : {});
  const second = strip("The squared gradient, v and v̂", "second", { dots: "g²", lines: ["v", "v_hat"] });
  const third = strip("The step over α", "third", { lines: ["with", "without"] });
  if (byHand) drawing(lab, first);
  return {
    title: "Bias correction",
    stage: [first.element, second.element, third.element, transport(lab)],
    groups: [{
      key: "averages",
      name: "Averages",
      parts: [
        hyper(lab, 0, "beta1"), hyper(lab, 0, "beta2"),
        select(lab, "signal", "gradient", SIGNALS.bias, () => lab.state.signal, (signal) => lab.change({ signal }, true)),
        ...(byHand ? sliders(lab) : []),
        knob(lab, "steps"), note(lab, () => lab.summary()),
      ],
    }],
    compute: () => {
      const { hyper: values } = lab.state.rules[0];
      let slots = [0, 0];
      lab.rows = signalOf(lab.state).map((g, i) => {
        const corrected = RULES.Adam.step(values, 0, g, slots, RULES.Adam.scalars(values, i + 1));
        const without = RULES.AdamUncorrected.step(values, 0, g, slots, []);
        slots = [corrected.m, corrected.v];
        return { ...corrected, "g²": g * g, with: corrected.change / -values.lr, without: without.change / -values.lr };
      });
    },
    paint: () => {
      const { theme, rows } = lab;
      const all = (key) => rows.map((row) => row[key]);
      const names = ["m̂", "v̂", "with", "without"];
      const series = (color, plain, full) => [
        { y: all(plain), color, name: label(plain), dash: [2, 2] },
        { y: all(full), color, name: label(full) }];
      const title = byHand ? "draw here: the gradient (dots); its moving average" : "gradient (dots) and its moving average";
      first.scale = drawChart(lab, first.canvas, { names, title, from: 1, dots: all("g"),
        y: byHand ? [-MOST, MOST] : range(all("g"), 0, 1), guides: [0], series: series(theme.first, "m", "m_hat") });
      second.scale = drawChart(lab, second.canvas, { names, title: "its square (dots) and their moving average", from: 1,
        dots: all("g²"), y: [0, 1.5 * largest(all("v_hat"), 1e-3)], series: series(theme.second, "v", "v_hat") });
      third.scale = drawChart(lab, third.canvas, { names, title: "step, in units of α", from: 1, guides: [-1, 0, 1],
        y: range([...all("with"), ...all("without")], -0.2, 1.1), series: series(theme.third, "without", "with") });
    },
    summary: () => {
      const t = Math.max(lab.state.t, 1);
      const row = rowAt(t);
      const averages = ["m", "m_hat", "v", "v_hat"].map((name) => `${label(name)} ${show(row[name])}`);
      return `At step ${t}: ${averages.join(", ")}; `
        + `the step is ${show(row.with)} α with correction, ${show(row.without)} α without`;
    },
  };
}
