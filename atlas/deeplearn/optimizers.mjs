// deeplearn.js, the ancestor of TensorFlow.js.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const dl = createRequire(import.meta.url)("deeplearn");
const { train } = dl;
const rate = { learningRate: 0.001 };
const optimizers = {
  "dl.train.adam": () => train.adam(0.001),
  "dl.train.adamax": () => train.adamax(0.001),
  "dl.train.adadelta": () => train.adadelta(0.001),
  "dl.train.adagrad": () => train.adagrad(0.001),
  "dl.train.rmsprop": () => train.rmsprop(0.001),
  "dl.train.sgd": () => train.sgd(0.001),
};

const [, , name] = process.argv;
if (!name) {
  console.log(JSON.stringify(Object.fromEntries(Object.keys(optimizers).map((key) => [key, rate]))));
} else {
  const optimizer = optimizers[name]();
  let w;
  for await (const line of createInterface({ input: process.stdin })) {
    const { x, g } = JSON.parse(line);
    if (x) {
      w = dl.variable(dl.tensor1d(x), true, "w");
      continue;
    }
    optimizer.applyGradients({ w: dl.tensor1d(g) });
    console.log(JSON.stringify({ x: Array.from(w.dataSync()) }));
  }
}
