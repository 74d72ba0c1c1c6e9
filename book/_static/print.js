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
