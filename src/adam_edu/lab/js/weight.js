// One weight: its gradients, the windows that its averages have on them, and its steps.
import { chart, drawChart } from "./chart.js";
import { hyper, knob, note, select } from "./controls.js";
import { signalOf } from "./descent.js";
import { drawing, MOST, sliders } from "./pen.js";
import { RULES, SIGNALS } from "./rules.js";
import { range, show } from "./scales.js";
import { transport } from "./transport.js";

const CORRECTED = { on: "Adam", off: "AdamUncorrected" };

export function weight(lab) {
  const byHand = lab.state.signal === "drawn";
  const [{ name: rule, hyper: values }] = lab.state.rules;
  const hats = rule === CORRECTED.on;
  const names = { m: hats ? "m̂" : "m", root: hats ? "√v̂" : "√v", step: "step", inM: "in m", inV: "in v" };
  const row = (key, color, y) => ({ name: names[key] ?? key, words: show(y), color: lab.theme[color], y });
  // How much of a past gradient is left in an average, with the newest as 1; at step 0, of the zero.
  const left = (beta, t) => lab.state.rules[0].hyper[beta] ** (lab.state.t - t);
  const first = chart(lab, "strip", `The gradient, ${names.m} and ${names.root}`, (t) => [
    row("g", "gradient", lab.rows[t - 1].g), row("m", "first", lab.rows[t - 1].m), row("root", "second", lab.rows[t - 1].root),
  ], { from: 1, ...(byHand ? { take: false, hint: "draw with the pointer, or with the sliders" } : {}) });
  const second = chart(lab, "strip", "How much of each gradient is left in the averages", (t) => (t > lab.state.t ? [] : [
    row("inM", "first", left("beta1", t)), row("inV", "second", left("beta2", t))]));
  const third = chart(lab, "strip", "The step over α", (t) => [row("step", "third", lab.rows[t - 1].step)], { from: 1 });
  if (byHand) drawing(lab, first);
  return {
    title: "One weight, its gradients, its steps",
    stage: [first.element, second.element, third.element, transport(lab)],
    groups: [{
      key: "weight",
      name: "One weight",
      parts: [
        select(lab, "signal", "gradients", SIGNALS.weight, () => lab.state.signal, (signal) => lab.change({ signal }, true)),
        select(lab, "corrected", "bias correction", Object.keys(CORRECTED), () => (hats ? "on" : "off"),
          (choice) => lab.change({ rules: [{ name: CORRECTED[choice], hyper: values }] }, true)),
        hyper(lab, 0, "beta1"), hyper(lab, 0, "beta2"), ...(byHand ? sliders(lab) : []),
        knob(lab, "steps"), note(lab, () => lab.summary()),
      ],
    }],
    compute: () => {
      const [{ hyper: now }] = lab.state.rules;
      let slots = [0, 0];
      lab.rows = signalOf(lab.state).map((g, i) => {
        const { m, v, m_hat: mHat = m, v_hat: vHat = v, change } = RULES[rule].step(now, 0, g, slots, RULES[rule].scalars(now, i + 1));
        slots = [m, v];
        return { g, m: mHat, root: Math.sqrt(vHat), step: change / -now.lr };
      });
    },
    paint: () => {
      const { theme, rows, state: { t } } = lab;
      const all = (key) => rows.map((one) => one[key]);
      const series = (key, color, y = all(key)) => ({ y, color: theme[color], name: names[key] });
      const windows = (beta) => Array.from({ length: t + 1 }, (_, i) => left(beta, i));
      const common = { names: Object.values(names), guides: [0] };
      first.scale = drawChart(lab, first.canvas, { ...common, from: 1, dots: all("g"),
        title: byHand ? "draw here: the gradients (dots)" : `gradients (dots), ${names.m} and ${names.root}`,
        y: byHand ? [-MOST, MOST] : range([...all("g"), ...all("root")], 0, 1),
        series: [series("m", "first"), series("root", "second")] });
      second.scale = drawChart(lab, second.canvas, { ...common, y: [0, 1.06],
        title: "left of each gradient; at 0: of the zero",
        series: [series("inM", "first", windows("beta1")), series("inV", "second", windows("beta2"))] });
      third.scale = drawChart(lab, third.canvas, { ...common, from: 1, guides: [-1, 0, 1],
        title: "step, in units of α", y: range(all("step"), -0.2, 1.1), series: [series("step", "third")] });
    },
    summary: () => {
      const t = Math.max(lab.state.t, 1);
      const { m, root, step } = lab.rows[t - 1];
      const zero = ["beta1", "beta2"].map((beta) => `${Math.round(100 * lab.state.rules[0].hyper[beta] ** t)} %`);
      return `At step ${t}: ${names.m} ${show(m)}, ${names.root} ${show(root)}, so the step is ${show(step)} α; `
        + `the zero at the start: ${zero[0]} of m, ${zero[1]} of v${hats ? ", taken out" : ""}`;
    },
  };
}
