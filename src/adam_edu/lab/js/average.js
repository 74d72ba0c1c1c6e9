// A noisy path, and the exponential average of its points.
import { knob, note, oneRule } from "./controls.js";
import { losses, mapView, tail } from "./descents.js";
import { descend } from "./descent.js";
import { stylesOf } from "./looks.js";
import { SURFACES } from "./rules.js";

// What averaging.py has as Exponential: the first share is 1, so the start has no weight.
function averaged({ a, b, loss, diverged }, { surface, shape, window }) {
  const { height, minimum } = SURFACES[surface];
  const floor = height(shape, ...minimum);
  const beta = 1 - 1 / window;
  const run = { a: a.slice(), b: b.slice(), loss: loss.slice(), diverged };
  for (let t = 1; t < a.length; t += 1) {
    const share = (1 - beta) / (1 - beta ** t);
    for (const key of ["a", "b"]) run[key][t] = t === 1 ? run[key][1] : run[key][t - 1] + share * (run[key][t] - run[key][t - 1]);
    run.loss[t] = height(shape, run.a[t], run.b[t]) - floor;
  }
  return run;
}

export function average(lab) {
  const names = () => [lab.state.rules[0].name, "average"];
  const looks = () => [stylesOf(lab)[0], { color: lab.theme.second, marker: null }];
  const { element, paint } = losses(lab, looks, names);
  const summary = () => {
    const [path, mean] = lab.runs.map((run) => tail(run, lab.state.steps));
    return `Mean loss over the last tenth of the steps: ${path} along the path, ${mean} along its average`;
  };
  return mapView(lab, {
    title: "A path and its average",
    looks,
    names,
    plots: [element],
    groups: [
      { key: "average", name: "Average", parts: [knob(lab, "window"), knob(lab, "noise"), note(lab, summary)] },
      { key: "rule", name: lab.state.rules[0].name, parts: oneRule(lab, ["lr"]) },
    ],
    compute: () => {
      const path = descend(lab.state, lab.state.rules[0]);
      lab.runs = [path, averaged(path, lab.state)];
    },
    paint,
    summary,
  });
}
