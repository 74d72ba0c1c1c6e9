// brain.js: the step of its networks, with recorded gradients in the place of its own. A parameter's
// entries are the weights of one unit, or the biases of one layer.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const brain = createRequire(import.meta.url)("brain.js");
const names = ["praxis: 'adam', weights", "praxis: 'adam', biases"];

const [, , name] = process.argv;
if (!name) {
  console.log(JSON.stringify(Object.fromEntries(names.map((key) => [key, {}]))));
} else {
  let net;
  const biases = name === names[1];
  for await (const line of createInterface({ input: process.stdin })) {
    const { x, g } = JSON.parse(line);
    const held = () => (biases ? net.biases[1] : net.weights[1].map((row) => row[0]));
    if (x) {
      net = new brain.NeuralNetwork({ hiddenLayers: [x.length] });
      const once = { iterations: 1, praxis: "adam", log: false };
      net.train([{ input: [0], output: [0] }], once);
      net._setupAdam();
      net.iterations = 0;
      x.forEach((value, k) => {
        net.weights[1][k][0] = value;
        net.biases[1][k] = value;
      });
      continue;
    }
    net.outputs[0][0] = 1;
    net.deltas[2].fill(0);
    g.forEach((value, k) => {
      net.deltas[1][k] = -value;
    });
    net._adjustWeightsAdam();
    console.log(JSON.stringify({ x: Array.from(held()) }));
  }
}
