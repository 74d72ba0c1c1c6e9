// The atlas: its table sorted by a column, and filtered by words and by family.
(() => {
  const table = document.querySelector("table.atlas");
  const form = document.querySelector("form.atlas-tools");
  const [words, family] = form.querySelectorAll("input, select");
  const told = form.querySelector("output");
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => ({ row, text: row.textContent.toLowerCase() }));

  const filter = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const { row, text } of rows) {
      const kin = family.selectedIndex === 0 || row.dataset.kin === family.value;
      row.hidden = !(kin && wanted.every((word) => text.includes(word)));
    }
    const shown = rows.filter(({ row }) => !row.hidden).length;
    told.textContent = `${shown} of ${rows.length} optimizers`;
  };

  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  /** Compare two cells: numbers by size, words by letters. */
  const compare = (a, b) => {
    const [x, y] = [parseFloat(a), parseFloat(b)];
    return Number.isNaN(x) || Number.isNaN(y) ? collator.compare(a, b) : x - y;
  };

  const sort = (header, column) => {
    const direction = header.ariaSort === "ascending" ? -1 : 1;
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.ariaSort = direction > 0 ? "ascending" : "descending";
    const keyed = rows.map(({ row }) => ({ row, key: row.cells[column].textContent.trim() }));
    // What is not known comes last, whichever way.
    keyed.sort((a, b) => !a.key - !b.key || direction * compare(a.key, b.key));
    body.append(...keyed.map(({ row }) => row));
  };

  [...table.tHead.rows[0].cells].forEach((header, column) => {
    header.querySelector("button").addEventListener("click", () => sort(header, column));
  });
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
})();
