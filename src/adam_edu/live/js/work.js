// On Learning goals: all that the browser keeps of a reader's work, to take along or to forget.

import { exported, imported, read, wipe } from "./store.js";

const SURE = "Wipe it: I am sure";

/** Fill a place with the three buttons. */
export function work({ place, live, mark }) {
  const note = Object.assign(document.createElement("span"), { className: "live-note" });
  note.setAttribute("role", "status");
  const buttons = {};
  const button = (text, action) =>
    (buttons[text] = Object.assign(document.createElement("button"), {
      type: "button", textContent: text, onclick: action,
    }));

  button("Export", () => {
    const file = new Blob([exported(live.exercises)], { type: "application/json" });
    const link = Object.assign(document.createElement("a"), {
      href: URL.createObjectURL(file), download: "adam-exercises.json",
    });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
  const chooser = Object.assign(document.createElement("input"), {
    type: "file", accept: ".json,application/json", hidden: true,
  });
  chooser.addEventListener("change", async () => {
    try {
      const entries = read(await chooser.files[0].text(), live.exercises);
      note.textContent = imported(entries)
        ? `${entries.length} exercises imported.`
        : "Your browser has no room to keep all of it.";
    } catch (error) {
      note.textContent = error.message;
    }
    chooser.value = "";
    mark();
  });
  button("Import", () => chooser.click());
  button("Wipe", () => {
    if (buttons.Wipe.textContent !== SURE) {
      buttons.Wipe.textContent = SURE;
      return;
    }
    note.textContent = `${wipe()} entries forgotten.`;
    buttons.Wipe.textContent = "Wipe";
    mark();
  });
  place.replaceChildren(...Object.values(buttons), chooser, note);
  buttons.Export.focus();
}
