// What every page has of the exercises before somebody asks for one: buttons, and marks for what is
// solved. Everything else is loaded by the first click. LIVE is set where the book is built.
(() => {
  const ROOT = document.documentElement.dataset.content_root ?? "";
  const FOLDER = new URL(`${ROOT}_static/live/${LIVE.app}/`, location.href).href;
  const KEY = "adam-edu:";
  const FILE = location.protocol === "file:";
  const SERVE =
    "A page from a disk may not load Python. Serve the book and open it from there: make serve, " +
    "or python -m http.server in the book's folder.";

  function element(name, attributes = {}, ...inside) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...inside);
    return made;
  }

  function read(kind, exercise) {
    try {
      return localStorage.getItem(`${KEY}${kind}:${exercise}`);
    } catch {
      return null; // a browser that keeps nothing
    }
  }

  const page = location.pathname.replace(/^.*\//, "").replace(/\.html$/, "");

  /** Write how many exercises of a page are solved beside each link to it. */
  function mark() {
    for (const old of document.querySelectorAll(".live-solved")) old.remove();
    for (const [name, exercises] of Object.entries(LIVE.exercises)) {
      const solved = exercises.filter((exercise) => read("solved", `${name}/${exercise}`)).length;
      if (!solved) continue;
      const all = solved === exercises.length;
      const words = `${solved} of ${exercises.length} exercises solved`;
      const links = `.bd-sidebar-primary nav a, article.bd-article td a`;
      for (const link of document.querySelectorAll(links)) {
        const target = new URL(link.href, location.href).pathname;
        const here = link.getAttribute("href") === "#" && name === page;
        if (!here && !target.endsWith(`/${name}.html`)) continue;
        const text = all ? "✓" : `${solved}/${exercises.length}`;
        link.append(element("span", { class: "live-solved", title: words, role: "img", "aria-label": words }, text));
      }
    }
  }

  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

  /** Return open(then), which loads a script by its first call and hands `then` what `make` made of it. */
  function opener(note, what, script, make) {
    let opened;
    return (then) => {
      if (FILE) {
        note.textContent = SERVE;
        return;
      }
      opened ??= import(`${FOLDER}${script}`).then(make);
      opened.then(then).catch((error) => {
        opened = undefined;
        note.textContent = `The ${what} cannot be loaded: ${error.message}`;
      });
    };
  }

  const opens = new Map(); // name of an exercise -> what opens it

  /** Put the buttons under the code of an exercise. */
  function offer(place) {
    const { name } = place.dataset;
    const cell = place.closest(".cell");
    const write = element("button", { type: "button" }, "Write here");
    const check = element("button", { type: "button", class: "live-check" }, "Check");
    const note = element("span", { class: "live-note" }, `The first key or Check loads Python into this page: ${megabytes(LIVE.bytes)}, once.`);
    const bar = element("div", { class: "live-bar" }, write, check, note);
    place.append(bar);
    place.hidden = false;

    const open = opener(note, "editor", "exercise.js", ({ exercise }) =>
      exercise({ place, bar, cell, key: `${page}/${name}`, live: LIVE, mark, megabytes }));
    write.addEventListener("click", () => open((one) => one.focus()));
    check.addEventListener("click", () => open((one) => one.check()));
    const shown = cell.querySelector(".cell_input pre");
    shown?.addEventListener("dblclick", () => open((one) => one.focus()));
    opens.set(name, open);
    // Whoever has written here before finds the text again.
    if (read("text", `${page}/${name}`) !== null && !FILE) open(() => {});
  }

  /** Open the exercise that the address names, with the text that it brings. */
  function linked() {
    const wish = new URLSearchParams(location.hash.slice(1));
    if (wish.has("text")) opens.get(wish.get("write"))?.((one) => one.take(wish.get("text")));
  }

  /** Put the buttons under the code of a cell of the chapter. */
  function offerCell(place) {
    const cell = place.closest(".cell");
    const run = element("button", { type: "button" }, "Run");
    const edit = element("button", { type: "button" }, "Edit");
    const note = element("span", { class: "live-note", role: "status" });
    const bar = element("div", { class: "live-bar live-cell-bar" }, run, edit, note);
    place.append(bar);
    place.hidden = false;
    if (place === document.querySelector(".live-cell")) {
      note.textContent = `Run loads Python and Matplotlib into this page: ${megabytes(LIVE.bytes + LIVE.more)}, once.`;
    }
    const open = opener(note, "cell", "cells.js", ({ chapter }) =>
      chapter({ place, bar, cell, page, live: LIVE, megabytes }));
    run.addEventListener("click", () => open((one) => one.run()));
    edit.addEventListener("click", () => open((one) => one.edit()));
  }

  for (const place of document.querySelectorAll(".live-exercise")) offer(place);
  if (LIVE.more) for (const place of document.querySelectorAll(".live-cell")) offerCell(place);
  const work = document.querySelector(".live-work");
  if (work) {
    const button = element("button", { type: "button" }, "Export, import or wipe what you have written");
    button.addEventListener("click", () =>
      import(`${FOLDER}work.js`).then(({ work: fill }) => fill({ place: work, live: LIVE, mark })));
    work.append(button);
    work.hidden = false;
    if (FILE) button.remove();
  }
  addEventListener("hashchange", linked);
  linked();
  addEventListener("storage", mark);
  mark();
})();
