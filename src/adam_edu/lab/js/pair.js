// Two rules line by line, and their paths on one map: what differences.py says, in the browser.
import { glyph, hyper, note, select } from "./controls.js";
import { ended, paths } from "./descents.js";
import { el } from "./elements.js";
import { stylesOf } from "./looks.js";
import { RULES } from "./rules.js";
import { fresh } from "./state.js";

const nameOf = (line) => line?.slice(0, line.indexOf(" = "));

// Lines of one name stand side by side, as many as can without changing an order: rows of two.
export function sideBySide(before, after) {
  const kept = Array.from({ length: before.length + 1 }, () => new Array(after.length + 1).fill(0));
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      kept[i][j] = nameOf(before[i]) === nameOf(after[j]) ? 1 + kept[i + 1][j + 1] : Math.max(kept[i + 1][j], kept[i][j + 1]);
    }
  }
  const rows = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const both = i < before.length && j < after.length;
    if (both && nameOf(before[i]) === nameOf(after[j])) rows.push([before[i++], after[j++]]);
    else if (j === after.length || (both && kept[i + 1][j] >= kept[i][j + 1])) rows.push([before[i++], null]);
    else rows.push([null, after[j++]]);
  }
  return rows;
}

function becomes([before, after]) {
  if (before === after) return "";
  if (before === null) return "new";
  return after === null ? "gone" : "changed";
}

function comparison([one, other]) {
  const rows = sideBySide(RULES[one].lines, RULES[other].lines);
  const differ = rows.filter((row) => becomes(row)).length;
  const cells = (row) => row.map((line) => el("td", {}, line === null ? "–" : el("code", {}, line)));
  return el("table", { class: "standing lines" },
    el("caption", {}, `${differ} of ${rows.length} lines differ`),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, one), el("th", { scope: "col" }, other), el("th", { scope: "col" }, "second line"))),
    el("tbody", {}, ...rows.map((row) => el("tr", { class: becomes(row) }, ...cells(row), el("td", {}, becomes(row) || "the same")))));
}

export function pair(lab) {
  const { rules, surface } = lab.state;
  const groups = rules.map(({ name }, i) => ({
    key: `rule-${i}`,
    name: ["First", "Second"][i],
    kind: "runner",
    parts: [
      el("div", { class: "entry" }, glyph(lab, () => stylesOf(lab)[i]), el("strong", {}, name),
        note(lab, () => ended(lab.runs[i], lab.state.t))),
      select(lab, `pick-${i}`, ["compare", "with"][i], Object.keys(RULES), () => name,
        (chosen) => lab.change({ rules: lab.state.rules.with(i, fresh(chosen, surface)) }, true)),
      hyper(lab, i, "lr"),
    ],
  }));
  return { ...paths(lab, "Two rules, line by line", groups), table: comparison(rules.map(({ name }) => name)) };
}
