// A page of the book: every figure's place becomes the figure, and links such as "#lab=1&SGD.lr=0.04",
// in the text or in the address, set it.
const figures = Array.from(document.querySelectorAll(".adam-edu-lab"), (host, i) => mount(host, i + 1));

function follow(hash) {
  if (!hash.startsWith("#lab=") || figures.some((figure) => figure.follow(hash))) return;
  figures[0]?.refuse("the page has no such figure");
}

// A figure that came later, out of a cell that was run on the page.
document.addEventListener("adam-edu:figure", ({ target }) => figures.push(mount(target, figures.length + 1)));

follow(location.hash);
window.addEventListener("hashchange", () => follow(location.hash));
// A second click on one link changes no address, and where the figure is in sight the page need not
// jump to it.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href^="#lab="]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const hash = link.getAttribute("href");
  if (hash !== location.hash) history.pushState(null, "", hash);
  follow(hash);
});
