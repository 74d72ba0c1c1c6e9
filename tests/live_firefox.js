// Does on a page what a reader does there, and tells the test's server what the page says: see
// test_live_firefox.py, which sets TEXTS.
const PATIENCE = 120_000; // ms: a start on a busy machine

async function until(found, what) {
  for (const began = performance.now(); performance.now() - began < PATIENCE;) {
    const one = found();
    if (one) return one;
    await new Promise((done) => setTimeout(done, 30));
  }
  throw new Error(`${what}: not within ${PATIENCE / 1000} s; the page says: ${document.body.innerText}`);
}

/** Press a button, once it is there to be pressed. */
async function press(cell, text) {
  const pressed = () => [...cell.querySelectorAll("button")].find((one) =>
    one.textContent === text && !one.hidden && !one.disabled);
  (await until(pressed, text)).click();
}

const exercise = document.querySelector("[data-name]").closest(".cell");
const chapter = document.querySelector("[data-cell='1']").closest(".cell");
const note = () => exercise.querySelector("span.live-note").textContent;

async function write(text) {
  const field = await until(() => exercise.querySelector("textarea"), "a field to write in");
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

async function checked() {
  await press(exercise, "Check");
  const verdict = await until(() => exercise.querySelector(".live-verdict"), "a place for the verdict");
  await until(() => verdict.getAttribute("aria-busy") === "false", "a verdict");
  return verdict.innerText || note();
}

async function done() {
  const said = { browser: navigator.userAgent, verdicts: [await checked()] };
  for (const text of TEXTS) {
    await write(text);
    said.verdicts.push(await checked());
  }
  await press(chapter, "Run");
  const output = await until(() => chapter.querySelector(".live-output:not([hidden])"), "an output");
  said.output = output.innerText;
  said.editor = Boolean(exercise.querySelector(".live-editor:not(.live-plain)"));

  await write("while True:\n    pass\n");
  await press(exercise, "Check");
  await new Promise((done) => setTimeout(done, 300));
  const began = performance.now();
  await press(exercise, "Stop");
  await until(() => note() === "Stopped.", "the end of the loop");
  said.stopped = performance.now() - began;
  const [kept] = (await caches.keys()).filter((name) => name !== "adam-edu memory");
  said.kept = (await (await caches.open(kept)).keys()).map(({ url }) => url);
  return said;
}

const said = await done().catch((error) => ({ error: String(error) }));
await fetch("said", { method: "POST", body: JSON.stringify(said) });
