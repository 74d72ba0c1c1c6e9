// Drawing a gradient by hand, over the steps.
import { slider } from "./controls.js";
import { clamp, rounded } from "./scales.js";
import { PLACES } from "./state.js";

export const MOST = 3; // as high, and as low, as a gradient can be drawn

// Drawing by pointer: between two places where it was seen it went straight, however fast.
export function drawing(lab, first) {
  let before = null;
  const pen = (event) => {
    if (!first.scale || !event.buttons) return;
    const { area } = first.scale;
    const box = first.canvas.getBoundingClientRect();
    const place = clamp(Math.floor(((event.clientX - box.left - area.x) / area.w) * PLACES), 0, PLACES - 1);
    const value = clamp(MOST - (2 * MOST * (event.clientY - box.top - area.y)) / area.h, -MOST, MOST);
    const from = event.type === "pointerdown" || !before ? { place, value } : before;
    const values = drawnOf(lab);
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

export const drawnOf = (lab) => Array.from({ length: PLACES }, (_, i) => lab.state.drawn[i] ?? 0);

// The same without a pointer.
export function sliders(lab) {
  lab.pen ??= 1;
  return [
    slider(lab, "place", "draw at place", { scale: "linear", min: 1, max: PLACES, step: 1 }, () => lab.pen,
      (place) => { lab.pen = place; lab.draw(); }),
    slider(lab, "height", "gradient there", { scale: "linear", min: -MOST, max: MOST, step: 0.25 },
      () => drawnOf(lab)[lab.pen - 1], (value) => lab.change({ drawn: drawnOf(lab).with(lab.pen - 1, value) })),
  ];
}
