// Play, one step, and the step that is shown.
import { button, select, slider } from "./controls.js";
import { el } from "./elements.js";

// Where motion is not wanted, playing is a row of still pictures, each shown for so many milliseconds.
const STILLS = 10;
const STILL = 700;

export function transport(lab, { unit = "step", text = "step t", least = 0, speeds = ["5", "20", "60", "200"] } = {}) {
  if (!speeds.includes(String(lab.speed))) lab.speed = Number(speeds[2]);
  let frame = null;
  let timer = null;
  const icon = el("span", { "aria-hidden": "true" });
  const word = el("span");
  const face = (symbol, name) => {
    icon.textContent = symbol;
    word.textContent = name;
  };
  const { steps } = lab.state;
  const ended = () => lab.state.t >= lab.state.steps;
  // Show a step; return whether others follow.
  const show = (t) => {
    lab.change({ t: Math.min(Math.floor(t), lab.state.steps) });
    if (ended()) lab.pause();
    return !ended();
  };
  const run = () => {
    let t = ended() ? least : lab.state.t;
    let before = performance.now();
    const advance = (now) => {
      t += (Math.max(now - before, 0) / 1000) * lab.speed;
      before = now;
      if (show(t)) frame = requestAnimationFrame(advance);
    };
    frame = requestAnimationFrame(advance);
  };
  const leaf = () => {
    const by = Math.ceil((lab.state.steps - least) / STILLS);
    const next = (t) => {
      if (show(t)) timer = setTimeout(next, STILL, t + by);
    };
    next(ended() ? least : lab.state.t + by);
  };
  const play = el("button", { type: "button", "data-key": "play", class: "main", onclick: () => {
    if (frame !== null || timer !== null) return lab.pause();
    face("❚❚", "Pause");
    return matchMedia("(prefers-reduced-motion: reduce)").matches ? leaf() : run();
  } }, icon, word);
  lab.pause = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    [frame, timer] = [null, null];
    face("▶", "Play");
  };
  lab.pause();
  const shown = { scale: "linear", min: least, max: steps, step: 1 };
  lab.updates.push(() => { shown.max = lab.state.steps; });
  return el("div", { class: "transport" }, play,
    button("back", "−1", () => lab.go(lab.state.t - 1), { "aria-label": `one ${unit} back` }),
    button("on", "+1", () => lab.go(lab.state.t + 1), { "aria-label": `one ${unit} on` }),
    select(lab, "speed", `${unit}s/s`, speeds, () => String(lab.speed), (speed) => { lab.speed = Number(speed); }),
    slider(lab, "t", text, shown, () => lab.state.t, (t) => lab.go(t)));
}
