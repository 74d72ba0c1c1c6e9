// Printing. Paper is white: a page that is read in the dark is printed in the light. A worksheet has
// no solutions; "everything" unfolds what is folded, for as long as the printing takes.
(() => {
  const page = document.documentElement;
  let undo = [];

  const unfold = () => {
    for (const details of document.querySelectorAll("article details:not([open])")) {
      // Of those with one name only one can be open.
      const name = details.getAttribute("name");
      details.removeAttribute("name");
      details.open = true;
      undo.push(() => {
        details.open = false;
        if (name !== null) details.setAttribute("name", name);
      });
    }
    for (const folded of document.querySelectorAll("article .toggle-hidden")) {
      folded.classList.remove("toggle-hidden");
      undo.push(() => folded.classList.add("toggle-hidden"));
    }
  };

  addEventListener("beforeprint", () => {
    const { theme } = page.dataset;
    page.dataset.theme = "light";
    undo.push(() => { page.dataset.theme = theme; });
    if (page.dataset.print === "everything") unfold();
  });
  addEventListener("afterprint", () => {
    for (const back of undo) back();
    undo = [];
    delete page.dataset.print;
  });

  window.printPage = (what) => {
    page.dataset.print = what;
    print();
  };
})();

// A formula is copied as its TeX, within the text around it, and as MathML for who wants it so.
document.addEventListener("copy", (event) => {
  const selection = getSelection();
  if (selection.isCollapsed || !event.clipboardData) return;
  const range = selection.getRangeAt(0).cloneRange();
  const around = (node) =>
    (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement).closest("math");
  const [first, last] = [around(range.startContainer), around(range.endContainer)];
  if (first) range.setStartBefore(first);
  if (last) range.setEndAfter(last);
  const copied = document.createElement("div");
  copied.append(range.cloneContents());
  const formulas = copied.querySelectorAll("math");
  if (!formulas.length) return;

  event.clipboardData.setData("text/html", copied.innerHTML);
  for (const math of formulas) {
    const tex = math.querySelector("annotation").textContent.trim();
    const display = math.getAttribute("display") === "block";
    math.replaceWith(display ? `\n$$\n${tex}\n$$\n` : `$${tex}$`);
  }
  // Only what is in the page has lines; out of sight, it is seen by nobody.
  Object.assign(copied.style, { position: "fixed", left: "-100vw", whiteSpace: "pre-wrap" });
  document.body.append(copied);
  event.clipboardData.setData("text/plain", copied.innerText);
  copied.remove();
  event.preventDefault();
});
