// One exercise on the page: the field, Check and Stop, the verdict, and what is kept of it.

import { card, named } from "./card.js";
import { editor } from "./editor.js";
import { engine } from "./engine.js";
import { linkTo, textOf } from "./link.js";
import { keep, kept } from "./store.js";

const FULL = "Your browser has no room to keep this text: it is gone when you leave the page.";
const BEGIN = "Back to the beginning";
const UNDO = "Undo: my text again";
const CAME = "This text came with the link that you opened, not from the book: read it before you check it.";
const OTHER = "The link that you opened brings another text for this exercise. Yours stays unless you say otherwise.";
const COPIED = "Copied: a link that opens this exercise with the text as it is now.";
const IN_ADDRESS = "The address of this page is now the link to this text: copy it from there.";
const PAUSE = 300; // ms after the last key, until the text is kept

function button(text, action) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: text });
  made.addEventListener("click", action);
  return made;
}

let sheets;
/** Load the style sheets of the field, the first time. */
export function styled(folder) {
  sheets ??= Promise.all(
    ["exercise.css", ...(folder ? [`../${folder}/layout.css`] : [])].map((name) => new Promise((done) => {
      const href = new URL(name, import.meta.url).href;
      const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
      link.onload = link.onerror = done;
      document.head.prepend(link);
    })),
  );
  return sheets;
}

/** Make an exercise of a place on the page; return { focus(), check(), take(code) }. */
export async function exercise({ place, bar, cell, key, live, mark, megabytes }) {
  const { name, stub, before } = place.dataset;
  const [write, check, note] = bar.children;
  await styled(live.editor);
  const stop = button("Stop", () => engine.stop());
  const back = button(BEGIN, restore);
  const link = button("Copy link", copy);
  const progress = document.createElement("progress");
  const verdict = document.createElement("div");
  verdict.className = "live-verdict";
  verdict.setAttribute("role", "status");
  stop.hidden = progress.hidden = true;
  progress.setAttribute("aria-label", "loading Python");
  check.after(stop, back, link);
  const full = Object.assign(document.createElement("p"), { className: "live-note", hidden: true });
  full.textContent = FULL;
  const said = document.createElement("p"); // of links
  said.className = "live-note";
  said.setAttribute("role", "status");
  bar.append(progress, full, said);
  write.remove();

  let timer = 0;
  let undone = null; // the text before the way back
  const field = await editor(kept("text", key) ?? stub, `Your code for ${name}`, changed, live.editor);
  cell.querySelector(".cell_input").replaceWith(field.container);
  cell.querySelector(".cell_output")?.remove();
  cell.append(verdict);

  function save() {
    clearTimeout(timer);
    timer = 0;
    const text = field.value;
    full.hidden = keep("text", key, text === stub ? null : text);
  }

  function changed() {
    field.mark([]);
    undone = null;
    back.textContent = BEGIN;
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE);
  }
  addEventListener("pagehide", () => timer && save());
  addEventListener("storage", (event) => {
    // Another tab has written it; what is being written here is not taken away.
    const here = document.hasFocus() && field.container.contains(document.activeElement);
    if (event.key === `adam-edu:text:${key}` && !here) field.value = event.newValue ?? stub;
  });

  /** Put another text in the field, with a way back to the one that was there. */
  function put(text) {
    const other = field.value;
    field.value = text;
    changed();
    if (other !== stub) {
      undone = other;
      back.textContent = UNDO;
    }
    field.focus();
  }

  function restore() {
    said.replaceChildren();
    if (undone === null) put(stub);
    else {
      field.value = undone;
      changed();
      field.focus();
    }
  }

  /** Take the text of a link; ask first where the reader has written another. */
  async function take(code) {
    cell.scrollIntoView({ block: "center" });
    try {
      const text = await textOf(code);
      const choose = (chosen, words) => {
        said.textContent = words;
        if (chosen) put(text);
        else field.focus();
      };
      if (field.value === text) choose(false, CAME);
      else if (field.value !== stub) {
        const yes = button("Take the link's text", () => choose(true, CAME));
        said.replaceChildren(OTHER, yes, button("Keep mine", () => choose(false, "")));
        yes.focus();
      } else {
        choose(true, CAME);
        clearTimeout(timer); // the reader has written nothing yet that is to be kept
        timer = 0;
      }
    } catch (error) {
      said.textContent = error.message;
    }
  }

  async function copy() {
    try {
      const address = await linkTo(name, field.value);
      const copied = await navigator.clipboard?.writeText(address).then(() => true, () => false);
      if (!copied) history.replaceState(null, "", address);
      said.textContent = copied ? COPIED : IN_ADDRESS;
    } catch (error) {
      said.textContent = error.message;
    }
  }

  function busy(is) {
    check.disabled = is;
    stop.hidden = !is;
    verdict.setAttribute("aria-busy", is);
    if (!is) progress.hidden = true;
  }

  function told({ loaded, total, starting }) {
    progress.hidden = false;
    Object.assign(progress, starting ? {} : { max: total, value: loaded });
    if (starting) progress.removeAttribute("value");
    note.textContent = starting
      ? "Python is starting …"
      : `Loading Python: ${megabytes(loaded)} of ${megabytes(total)}`;
  }

  function say(words, kind = "p") {
    return Object.assign(document.createElement(kind), { textContent: words });
  }

  function show({ ok, html, printed, error, line }, source) {
    verdict.replaceChildren();
    if (html) verdict.append(card(html));
    if (error) verdict.append(Object.assign(say(error, "pre"), { className: "live-error" }));
    if (printed) verdict.append(say("Printed:"), say(printed, "pre"));
    field.mark(line ? [line] : named(verdict, source));
    if (ok) {
      keep("solved", key, "1");
      mark();
    }
  }

  /** Let Python start while the reader writes. */
  function begin() {
    engine.start(told).then(
      () => {
        progress.hidden = true;
        if (!running) note.textContent = "Python is there.";
      },
      (error) => { note.textContent = error.message; },
    );
  }

  let running = false;
  async function run() {
    if (running) return;
    if (engine.busy) {
      note.textContent = "Another exercise of this page is being checked: wait for it, or stop it.";
      return;
    }
    running = true;
    save();
    busy(true);
    note.textContent = engine.started ? "Checking …" : "Loading Python …";
    const source = field.value;
    try {
      const found = await engine.check({ source, name, before }, told);
      note.textContent = "";
      show(found, source);
    } catch (error) {
      note.textContent = error.message;
      verdict.replaceChildren();
    }
    busy(false);
    running = false;
  }

  field.field.addEventListener("input", () => engine.started || begin());
  field.field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey || event.shiftKey)) {
      event.preventDefault();
      event.stopImmediatePropagation();
      run();
    }
  }, true);
  return { focus: field.focus, check: run, take };
}
