// A chapter's cells on the page: run in their order, edited, set back; their outputs as stored ones.

import { card } from "./card.js";
import { editor } from "./editor.js";
import { engine } from "./engine.js";
import { styled } from "./exercise.js";

const here = (name) => new URL(name, import.meta.url).href;

function button(text, action) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: text });
  made.addEventListener("click", action);
  return made;
}

function element(name, properties) {
  return Object.assign(document.createElement(name), properties);
}

let loaded = null; // the cells of this page, as the book was built with them
let ran = new Map(); // number of a cell -> the source that ran last
let since = null; // the chapter's Python that it ran in
const written = new Map(); // number of a cell -> a function that returns what the reader made of it

/** What of a cell runs: the reader's text, or the part of the stored one that a page can run. */
const source = (number) => written.get(number)?.() ?? loaded[number].runs;

/** Return the cells to be run for one: itself, and those above that have not run as they are. */
function due(number) {
  if (engine.chapter === null || engine.chapter !== since) ran = new Map();
  const above = [...loaded.keys()].slice(0, number).filter((i) => !ran.has(i) || ran.get(i) !== source(i));
  return [...above, number].map((i) => ({ number: i + 1, source: source(i) }));
}

/** Return a figure's place, and let the page's script make it live; it is loaded where it is not. */
function figure(html, host) {
  const state = new DOMParser().parseFromString(html, "text/html").querySelector(".adam-edu-lab")?.dataset.state;
  if (!state) return null;
  const place = element("div", { className: "adam-edu-lab" });
  place.dataset.state = state;
  host.append(place);
  if (document.querySelector('script[src*="lab.js"]')) {
    place.dispatchEvent(new CustomEvent("adam-edu:figure", { bubbles: true }));
  } else {
    document.head.append(element("script", { src: here("../../lab.js") }));
  }
  return place;
}

/** Add one output to a place, in the richest way that a page can show. */
function shown({ text, name, data }, place) {
  if (text !== undefined) {
    place.append(element("pre", { className: name === "stderr" ? "live-error" : "", textContent: text }));
  } else if (data["image/png"]) {
    const alt = "the figure that this cell has drawn";
    place.append(element("img", { src: `data:image/png;base64,${data["image/png"]}`, alt }));
  } else if (data["text/html"]) {
    if (!figure(data["text/html"], place)) place.append(card(data["text/html"]));
  } else {
    place.append(element("pre", { textContent: data["text/markdown"] ?? data["text/latex"] ?? data["text/plain"] }));
  }
}

/** Whether a text of formulas or of Markdown came out as stored: the page has it typeset. */
function typeset(number, outputs) {
  const kinds = ["text/latex", "text/markdown"];
  const of = (list) => kinds.flatMap((kind) => list.map((data) => data?.[kind])).filter(Boolean);
  const fresh = of(outputs.map((one) => one.data));
  return fresh.length > 0 && String(fresh) === String(of(loaded[number].stored.texts));
}

/** Make one cell of a place on the page; return { run(), edit() }. */
export async function chapter({ place, bar, cell, live, page, megabytes }) {
  const number = Number(place.dataset.cell);
  const [run, edit, note] = bar.children;
  loaded ??= await (await fetch(here(`cells/${page}.json`))).json();
  await styled(live.editor);
  const { source: original } = loaded[number];
  const stop = button("Stop", () => engine.stop());
  const back = button("Reset", reset);
  const progress = element("progress", { hidden: true, ariaLabel: "loading Python" });
  const output = element("div", { className: "live-output cell_output", hidden: true });
  output.setAttribute("role", "status");
  stop.hidden = back.hidden = true;
  edit.after(stop, back);
  bar.append(progress);
  const input = cell.querySelector(".cell_input");
  const before = cell.querySelector(".cell_output");
  cell.append(output);
  let field = null;

  async function open() {
    if (field) return;
    field = await editor(original, `The code of cell ${number + 1}`, () => field?.mark([]), live.editor);
    written.set(number, () => (field.value === original ? loaded[number].runs : field.value));
    input.hidden = true;
    input.after(field.container);
    edit.hidden = true;
    back.hidden = false;
    field.focus();
    field.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey || event.shiftKey)) {
        event.preventDefault();
        event.stopImmediatePropagation();
        start();
      }
    }, true);
  }

  function reset() {
    written.delete(number);
    field?.container.remove();
    field = null;
    input.hidden = edit.hidden = false;
    output.hidden = back.hidden = true;
    output.replaceChildren();
    if (before) before.hidden = false;
    note.textContent = "";
    run.focus();
  }

  function told({ loaded: bytes, total, starting }) {
    progress.hidden = false;
    if (starting) progress.removeAttribute("value");
    else Object.assign(progress, { max: total, value: bytes });
    note.textContent = starting
      ? "Python is starting …"
      : `Loading Python: ${megabytes(bytes)} of ${megabytes(total)}`;
  }

  function show({ outputs, error, line }) {
    output.replaceChildren();
    for (const one of outputs) shown(one, output);
    if (error) output.append(element("pre", { className: "live-error", textContent: error }));
    field?.mark(line ? [line] : []);
    const same = !error && typeset(number, outputs);
    output.hidden = same || !output.childNodes.length;
    if (before) before.hidden = !same;
    back.hidden = false;
  }

  async function start() {
    if (engine.busy) {
      note.textContent = "Something on this page is running: wait for it, or stop it.";
      return;
    }
    const cells = due(number);
    run.disabled = true;
    stop.hidden = false;
    let failed = "";
    const next = (done) => {
      progress.hidden = true;
      const at = cells[done];
      if (at) note.textContent = cells.length > 1 ? `Running cell ${at.number} (${done + 1} of ${cells.length}) …` : "Running …";
    };
    try {
      await engine.run(cells, told, (which, found) => {
        since = engine.chapter;
        ran.set(which - 1, cells.find((one) => one.number === which).source);
        next(cells.findIndex((one) => one.number === which) + 1);
        if (which === number + 1) show(found);
        else if (found.error && !loaded[which - 1].lacks) failed ||= `Cell ${which} above: ${found.error.split("\n").pop()}`;
      }, next);
      note.textContent = failed;
    } catch (error) {
      note.textContent = error.message;
    }
    progress.hidden = stop.hidden = true;
    run.disabled = false;
  }

  return { run: start, edit: open };
}
