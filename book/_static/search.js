// The search's dialog: "/" or Ctrl-K opens it, arrows move, Enter goes, Escape closes. What it ranks
// by is loaded when a reader opens it; without it, and without this script, the theme's own search
// page answers.
(() => {
  const ROOT = document.documentElement.dataset.content_root ?? "";
  const PARTS = ["language_data.js", "minisearch.js", "search-sections.js", "search-engine.js"];
  const EXCERPT = 150;

  let loading;
  /** Load the engine and what it searches, once; as scripts, since a page on a disk may not fetch. */
  function load() {
    loading ??= PARTS.map((name) => `${ROOT}_static/${name}`).reduce(
      (before, src) =>
        before.then(
          () =>
            new Promise((resolve, reject) => {
              document.head.append(
                Object.assign(document.createElement("script"), {
                  src, onload: resolve, onerror: () => reject(new Error(`cannot load ${src}`)),
                }),
              );
            }),
        ),
      Promise.resolve(),
    );
    return loading;
  }

  function element(name, attributes = {}, ...inside) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...inside);
    return made;
  }

  /** Return a text as nodes, with the words that match marked. */
  function marked(text, matches) {
    return text
      .split(/([\p{L}\p{N}₀-₉]+)/u)
      .map((piece, i) => (i % 2 && matches(piece) ? element("mark", {}, piece) : piece));
  }

  /** Return some two lines of a text, with the first match in them. */
  function excerpt(text, matches) {
    const found = text.split(/(\s+)/).reduce(
      ({ at, first }, word) => ({
        at: at + word.length,
        first: first < 0 && word.trim() && matches(word) ? at : first,
      }),
      { at: 0, first: -1 },
    ).first;
    const start = found < EXCERPT - 30 ? 0 : text.lastIndexOf(" ", found - 40);
    const rest = text.slice(start);
    const cut = rest.length > EXCERPT ? rest.slice(0, EXCERPT).replace(/\s\S*$/, " …") : rest;
    return start ? `…${cut}` : cut;
  }

  function link({ address, title, page, text }, matches) {
    return element(
      "a",
      { href: ROOT + address },
      element("span", { class: "book-search-title" }, ...marked(title, matches)),
      element("span", { class: "book-search-page" }, title === page ? "" : page),
      element("span", { class: "book-search-text" }, ...marked(excerpt(text, matches), matches)),
    );
  }

  const input = element("input", {
    type: "search", name: "q", placeholder: "Search this book", autocomplete: "off",
    autocapitalize: "off", spellcheck: "false", role: "combobox", "aria-label": "Search this book",
    "aria-expanded": "false", "aria-controls": "book-search-list", "aria-autocomplete": "list",
  });
  const list = element("div", { id: "book-search-list", role: "listbox", "aria-label": "Sections" });
  const count = element("p", { class: "book-search-count", role: "status" });
  const close = element("button", { type: "button" }, "Close");
  const form = element("form", { action: `${ROOT}search.html`, role: "search" }, input, close);
  const dialog = element(
    "dialog",
    { id: "book-search", "aria-label": "Search", "aria-busy": "true" },
    form, count, list,
  );
  let chosen = -1;

  function choose(at) {
    const options = [...list.children];
    options[chosen]?.setAttribute("aria-selected", "false");
    chosen = options.length ? (at + options.length) % options.length : -1;
    options[chosen]?.setAttribute("aria-selected", "true");
    options[chosen]?.scrollIntoView({ block: "nearest" });
    if (chosen < 0) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", options[chosen].id);
  }

  function answer() {
    if (!window.bookSearch) return;
    dialog.setAttribute("aria-busy", "false");
    const asked = input.value.trim();
    const { hits, found, matches } = window.bookSearch.find(asked);
    list.replaceChildren(
      ...hits.map((hit, i) => {
        const option = link(hit, matches);
        option.id = `book-search-${i}`;
        option.role = "option";
        option.tabIndex = -1;
        return option;
      }),
    );
    const number = found === 1 ? "1 section" : `${found} sections`;
    const shown = found > hits.length ? `${number}, the best ${hits.length} of them` : number;
    count.textContent = found ? shown : asked && "Nothing found. Try another word, or fewer.";
    input.setAttribute("aria-expanded", String(hits.length > 0));
    choose(hits.length ? 0 : -1);
  }

  function open() {
    if (!dialog.isConnected) {
      const sheet = element("link", { rel: "stylesheet", href: `${ROOT}_static/search.css` });
      document.head.append(sheet);
      document.body.append(dialog);
    }
    if (!dialog.open) dialog.showModal();
    input.focus();
    input.select();
    if (!window.bookSearch) count.textContent = "Loading the words of the book …";
    load().then(answer, () => {
      count.textContent = "The words of the book cannot be loaded. Enter opens the search page.";
    });
  }

  input.addEventListener("input", answer);
  form.addEventListener("submit", (event) => {
    if (chosen < 0) return;
    event.preventDefault();
    list.children[chosen].click();
  });
  list.addEventListener("click", (event) => {
    const { ctrlKey, metaKey, shiftKey } = event;
    if (!ctrlKey && !metaKey && !shiftKey) dialog.close(); // the section may be on this very page
  });
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) choose(chosen + step);
    else if (event.key === "Escape") dialog.close();
    else return;
    event.preventDefault();
  });

  const isTyping = ({ target }) => target.closest?.("input, textarea, select, [contenteditable]");
  // Before the theme's own, which would open its field; where it was first, that closes again.
  addEventListener(
    "keydown",
    (event) => {
      const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
      const isShortcut = (ctrlKey || metaKey) && !altKey && !shiftKey && /^k$/i.test(key);
      if (!isShortcut && (key !== "/" || ctrlKey || metaKey || altKey || isTyping(event))) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      document.querySelector(".search-button__wrapper")?.classList.remove("show");
      if (isShortcut && dialog.open) dialog.close();
      else open();
    },
    true,
  );
  document.addEventListener(
    "click",
    (event) => {
      if (!event.target.closest?.(".search-button__button")) return;
      event.stopImmediatePropagation();
      open();
    },
    true,
  );

  // On the search page, whose question is in its address, the sections stand above the pages.
  const place = document.getElementById("search-results");
  const asked = new URLSearchParams(location.search).get("q");
  if (place && asked) {
    document.head.append(element("link", { rel: "stylesheet", href: `${ROOT}_static/search.css` }));
    load().then(() => {
      const { hits, matches } = window.bookSearch.find(asked);
      if (!hits.length) return;
      const links = hits.map((hit) => element("li", {}, link(hit, matches)));
      place.before(
        element("h2", {}, "Sections"),
        element("ol", { class: "book-search-list" }, ...links),
        element("h2", {}, "Pages with these words"),
      );
    });
  }
})();
