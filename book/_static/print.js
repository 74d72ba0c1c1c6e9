// Paper is white: a page that is read in the dark is printed in the light.
(() => {
  const page = document.documentElement;
  let before = null;
  addEventListener("beforeprint", () => {
    before = page.dataset.theme;
    page.dataset.theme = "light";
  });
  addEventListener("afterprint", () => {
    if (before !== null) page.dataset.theme = before;
  });
})();
