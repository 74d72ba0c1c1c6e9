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
