// TensorFlow.js on its plain JavaScript backend.
import { createInterface } from "node:readline";
import * as tf from "@tensorflow/tfjs";

await tf.setBackend("cpu");
const { train } = tf;
const rate = { learningRate: 0.001 };
const optimizers = {
  "tf.train.adam": [() => train.adam(), {}],
  "tf.train.adamax": [() => train.adamax(), {}],
  "tf.train.adadelta": [() => train.adadelta(), {}],
  "tf.train.adagrad": [() => train.adagrad(0.001), rate],
  "tf.train.rmsprop": [() => train.rmsprop(0.001), rate],
  "tf.train.momentum": [() => train.momentum(0.001, 0.9), { ...rate, momentum: 0.9 }],
  "tf.train.sgd": [() => train.sgd(0.001), rate],
};

const [, , name] = process.argv;
if (!name) {
  const chosen = Object.entries(optimizers).map(([key, [, given]]) => [key, given]);
  console.log(JSON.stringify(Object.fromEntries(chosen)));
} else {
  const optimizer = optimizers[name][0]();
  let w;
  for await (const line of createInterface({ input: process.stdin })) {
    const { x, g } = JSON.parse(line);
    if (x) {
      w = tf.variable(tf.tensor1d(x));
      continue;
    }
    optimizer.applyGradients([{ name: w.name, tensor: tf.tensor1d(g) }]);
    console.log(JSON.stringify({ x: Array.from(w.dataSync()) }));
  }
}
