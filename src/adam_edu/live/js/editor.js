// The field to write in: prism-code-editor where the book was built with it, else a plain field
// that indents. Tab indents, and Escape lets the next Tab leave.

const INDENT = 4;

/** Return a field with { value, focus(), mark(lines), container }; changed(text) is told of changes. */
export async function editor(value, label, changed, folder) {
  const made = folder ? await coloured(value, changed, folder).catch(() => plain(value, changed)) : plain(value, changed);
  Object.entries({
    "aria-label": label, autocorrect: "off", autocapitalize: "off", spellcheck: "false",
  }).forEach(([key, text]) => made.field.setAttribute(key, text));
  return made;
}

async function coloured(value, changed, folder) {
  const from = (name) => import(`../${folder}/${name}`);
  const [{ createEditor }, { defaultCommands, editHistory }] = await Promise.all([
    from("index.js"), from("extensions/commands.js"), from("languages/python.js"), from("prism/languages/python.js"),
  ]);
  const container = document.createElement("div");
  container.className = "live-editor";
  const options = { language: "python", value, tabSize: INDENT, insertSpaces: true, wordWrap: false };
  const one = createEditor(container, options, defaultCommands(), editHistory());
  one.on("update", (text) => changed(text));
  return {
    container,
    field: one.textarea,
    get value() { return one.value; },
    set value(text) { one.setOptions({ value: text }); },
    focus: () => one.textarea.focus(),
    mark(lines) {
      [...one.lines].slice(1).forEach((line, i) => line.classList.toggle("live-named", lines.includes(i + 1)));
    },
  };
}

function plain(value, changed) {
  const container = document.createElement("div");
  container.className = "live-editor live-plain";
  const numbers = Object.assign(document.createElement("pre"), { ariaHidden: "true" });
  const field = Object.assign(document.createElement("textarea"), { value, wrap: "off" });
  container.append(numbers, field);
  let marked = [];
  let leaving = false;

  function draw() {
    const count = field.value.split("\n").length;
    field.rows = count + 1;
    numbers.replaceChildren(...Array.from({ length: count }, (_, i) => {
      const line = Object.assign(document.createElement("span"), { textContent: `${i + 1}\n` });
      line.classList.toggle("live-named", marked.includes(i + 1));
      return line;
    }));
  }

  /** Write as the reader would, so that the browser's own undo takes it back. */
  function insert(text) {
    if (!document.execCommand("insertText", false, text)) {
      field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
      field.dispatchEvent(new Event("input"));
    }
  }

  field.addEventListener("keydown", (event) => {
    const { selectionStart: at, value: text } = field;
    const line = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
    if (event.key === "Escape") leaving = true;
    else if (event.key === "Tab" && !event.shiftKey && !leaving) {
      event.preventDefault();
      insert(" ".repeat(INDENT - (line.length % INDENT)));
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      insert(`\n${/^ */.exec(line)[0]}${/:\s*$/.test(line) ? " ".repeat(INDENT) : ""}`);
    }
  });
  field.addEventListener("blur", () => { leaving = false; });
  field.addEventListener("input", () => {
    leaving = false;
    draw();
    changed(field.value);
  });
  draw();
  return {
    container,
    field,
    get value() { return field.value; },
    set value(text) {
      field.value = text;
      draw();
    },
    focus: () => field.focus(),
    mark(lines) {
      marked = lines;
      draw();
    },
  };
}
