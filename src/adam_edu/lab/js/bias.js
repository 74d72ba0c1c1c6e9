// The two moving averages of a chosen gradient, with and without bias correction.
import { chart, drawChart } from "./chart.js";
import { hyper, knob, note, select, slider } from "./controls.js";
import { signalOf } from "./descent.js";
import { label } from "./looks.js";
import { RULES } from "./rules.js";
import { clamp, largest, rounded, show } from "./scales.js";
import { PLACES, SIGNALS } from "./state.js";
import { transport } from "./transport.js";

const MOST = 3; // as high, and as low, as a gradient can be drawn

// Drawing by pointer: between two places where it was seen it went straight, however fast.
function drawing(lab, first, drawn) {
  let before = null;
  const pen = (event) => {
    if (!first.scale || !event.buttons) return;
    const { area } = first.scale;
    const box = first.canvas.getBoundingClientRect();
    const place = clamp(Math.floor(((event.clientX - box.left - area.x) / area.w) * PLACES), 0, PLACES - 1);
    const value = clamp(MOST - (2 * MOST * (event.clientY - box.top - area.y)) / area.h, -MOST, MOST);
    const from = event.type === "pointerdown" || !before ? { place, value } : before;
    const values = drawn();
    const way = place - from.place;
    for (let i = 0; i <= Math.abs(way); i += 1) {
      const share = way ? i / Math.abs(way) : 1;
      values[from.place + Math.sign(way) * i] = rounded(from.value + share * (value - from.value), 3);
    }
    before = { place, value };
    lab.change({ drawn: values });
  };
  first.probe.classList.add("pen");
  first.probe.addEventListener("pointerdown", (event) => {
    first.probe.setPointerCapture(event.pointerId);
    pen(event);
  });
  first.probe.addEventListener("pointermove", pen);
}

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
  const drawn = () => Array.from({ length: PLACES }, (_, i) => lab.state.drawn[i] ?? 0);
  if (byHand) drawing(lab, first, drawn);
  lab.pen ??= 1;
  return {
    title: "Bias correction",
    stage: [first.element, second.element, third.element, transport(lab)],
    groups: [{
      key: "averages",
      name: "Averages",
      parts: [
        hyper(lab, 0, "beta1"), hyper(lab, 0, "beta2"),
        select(lab, "signal", "gradient", SIGNALS, () => lab.state.signal, (signal) => lab.change({ signal }, true)),
        ...(byHand ? [
          slider(lab, "place", "draw at place", { scale: "linear", min: 1, max: PLACES, step: 1 }, () => lab.pen,
            (place) => { lab.pen = place; lab.draw(); }),
          slider(lab, "height", "gradient there", { scale: "linear", min: -MOST, max: MOST, step: 0.25 },
            () => drawn()[lab.pen - 1], (value) => lab.change({ drawn: drawn().with(lab.pen - 1, value) })),
        ] : []),
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
      const range = (values, low, high) => [-1.06 * largest(values.map((v) => -v), -low), 1.06 * largest(values, high)];
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
