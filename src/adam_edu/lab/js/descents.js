// The views of descents on a map: a race, one optimizer and its settings, a learning-rate schedule.
import { chart, drawChart, drawLosses } from "./chart.js";
import { button, chooseSurface, glyph, hyper, knob, knobs, note, oneRule, select } from "./controls.js";
import { descend, factorOf } from "./descent.js";
import { el } from "./elements.js";
import { differing, namesOf, stylesOf } from "./looks.js";
import { map } from "./map.js";
import { RULES, SCHEDULES } from "./rules.js";
import { largest, show } from "./scales.js";
import { fresh, MAX_RULES } from "./state.js";
import { transport } from "./transport.js";

// Each view returns its title, the elements of its stage, the groups of its controls, and how to
// compute, to paint and to say what it shows.

const lossAt = ({ loss }, t) => Math.max(loss[Math.min(t, loss.length - 1)], 0);

export function ended(run, t) {
  if (run.diverged !== null && t >= run.diverged) return `diverged at step ${run.diverged}`;
  return `loss ${show(lossAt(run, t), 2)}`;
}

// A view with a map, the transport and one more plot, which comes first or last.
export function mapView(lab, { looks = () => stylesOf(lab), names = () => namesOf(lab.state), chartFirst = false, plots,
  groups, paint, ...parts }) {
  const place = map(lab, looks, names);
  const play = transport(lab);
  return {
    stage: chartFirst ? [...plots, play, ...place.elements] : [...place.elements, play, ...plots],
    groups: [...groups, { key: "map", name: "Map", parts: [...chooseSurface(lab), knob(lab, "steps")] }],
    compute: () => { lab.runs = lab.state.rules.map((rule) => descend(lab.state, rule)); },
    summary: () => {
      const { surface, t } = lab.state;
      const ends = namesOf(lab.state).map((name, i) => `${name} ${ended(lab.runs[i], t)}`);
      return `${surface} after ${t} steps: ${ends.join("; ")}`;
    },
    ...parts,
    paint: () => {
      place.paint();
      paint();
    },
  };
}

// The mean loss over the last tenth of the steps, in words.
export function tail({ loss, diverged }, steps) {
  const last = loss.slice(-Math.max(1, Math.round(steps / 10)));
  return diverged !== null ? "diverges" : show(last.reduce((x, v) => x + v, 0) / last.length, 2);
}

// The losses over the steps, as a plot and how it is painted.
export function losses(lab, looks, names) {
  const self = chart(lab, "chart", "Loss above the minimum over the steps", (t) => lab.runs.map((run, i) => ({
    name: names()[i], words: show(lossAt(run, t), 2), color: looks()[i].color, y: Math.max(lossAt(run, t), 1e-30) })));
  return { element: self.element, paint: () => { self.scale = drawLosses(lab, self.canvas, looks(), names()); } };
}

export function paths(lab, title, groups) {
  const { element, paint } = losses(lab, () => stylesOf(lab), () => namesOf(lab.state));
  return mapView(lab, { title, groups, plots: [element], paint });
}

export function race(lab) {
  const { rules, surface } = lab.state;
  const names = namesOf(lab.state);
  const runners = rules.map(({ name, hyper: values }, i) => {
    const remove = () => lab.change({ rules: lab.state.rules.filter((_, k) => k !== i) }, true);
    const sliders = [...new Set(["lr", ...differing(lab.state, i)])].filter((key) => key in values);
    return {
      key: `rule-${i}`,
      name: names[i],
      kind: "runner",
      parts: [
        el("div", { class: "entry" }, glyph(lab, () => stylesOf(lab)[i]), el("strong", {}, name),
          rules.length > 1 ? button(`remove-${i}`, "×", remove, { "aria-label": `remove ${names[i]}` }) : null,
          note(lab, () => ended(lab.runs[i], lab.state.t))),
        ...sliders.map((key) => hyper(lab, i, key)),
      ],
    };
  });
  return paths(lab, "Race of optimizers", [...runners, adding(lab, surface)]);
}

// A menu alone would add whatever the arrow keys pass: it chooses, and a button adds.
function adding(lab, surface) {
  const { rules } = lab.state;
  const full = rules.length >= MAX_RULES;
  const others = Object.keys(RULES);
  let chosen = others.find((name) => !rules.some((rule) => rule.name === name)) ?? others[0];
  const why = "Six is the most: remove one with × to add another.";
  const add = () => {
    if (full) return lab.say(why);
    lab.open = `rule-${rules.length}`;
    return lab.change({ rules: [...lab.state.rules, fresh(chosen, surface)] }, true);
  };
  return {
    key: "add",
    name: "Add",
    parts: [
      el("div", { class: "adding" }, select(lab, "add", "optimizer", others, () => chosen, (name) => { chosen = name; }),
        button("add-it", "Add", add, { "aria-disabled": full && "true" })),
      ...(full ? [note(lab, () => why)] : []),
    ],
  };
}

export function tuner(lab) {
  return paths(lab, "An optimizer and its settings", [{
    key: "rule",
    name: lab.state.rules[0].name,
    parts: [...oneRule(lab), note(lab, () => `after ${lab.state.t} steps: ${ended(lab.runs[0], lab.state.t)}`)],
  }]);
}

// A learning-rate schedule, and the same optimizer with it and without.
export function schedule(lab) {
  const { state } = lab;
  // A constant rate is one run, anything else is set beside one.
  const names = () => lab.state.schedule === "Constant" && !lab.state.warmup
    ? ["constant"] : ["schedule", "constant"];
  const factor = (name) => (name === "schedule" ? lab.factor : () => 1);
  const rateAt = (name, t) => lab.state.rules[0].hyper.lr * factor(name)(t);
  const looks = () => [stylesOf(lab)[0], { color: lab.theme.second, marker: null, dash: [2, 2] }];
  const rate = chart(lab, "strip", "The learning rate over the steps", (t) => names().map((name, i) => ({
    name, words: show(rateAt(name, t)), color: looks()[i].color, y: rateAt(name, t) })), { from: 1 });
  const { element, paint } = losses(lab, looks, names);
  return mapView(lab, {
    title: "Learning-rate schedule",
    chartFirst: true,
    looks,
    names,
    plots: [rate.element, element],
    groups: [{
      key: "schedule",
      name: "Schedule",
      parts: [
        select(lab, "schedule", "schedule", Object.keys(SCHEDULES).filter((name) => name !== "Warmup"),
          () => state.schedule, (name) => lab.change({ schedule: name, parameters: {} }, true)),
        ...knobs(lab, "parameters", SCHEDULES[state.schedule].parameters),
        knob(lab, "warmup"), knob(lab, "noise"), note(lab, () => lab.summary()),
      ],
    }, { key: "rule", name: state.rules[0].name, parts: oneRule(lab, ["lr"]) }],
    compute: () => {
      lab.factor = factorOf(lab.state);
      lab.runs = names().map((name) => descend(lab.state, lab.state.rules[0], { factor: factor(name) }));
    },
    paint: () => {
      const rates = names().map((name) => Array.from({ length: lab.state.steps }, (_, i) => rateAt(name, i + 1)));
      rate.scale = drawChart(lab, rate.canvas, { names: names(), title: "learning rate", from: 1,
        y: [0, 1.08 * largest(rates.flat(), 1e-12)], series: rates.map((y, i) => ({ ...looks()[i], y })) });
      paint();
    },
    summary: () => {
      const words = { schedule: "with the schedule", constant: "at a constant rate" };
      const tails = names().map((name, i) => `${tail(lab.runs[i], lab.state.steps)} ${words[name]}`);
      return `Mean loss over the last tenth of the steps: ${tails.join(", ")}`;
    },
  });
}
