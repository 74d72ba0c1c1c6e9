// Make a chapter's page slides of 1280 by 720: under each heading its figures, formulas, tables,
// predictions and exercises, with the first sentence of the text before them. Solutions, hints,
// code and the rest of the text stay out. Returns how many slides there are.
() => {
  const HEIGHT = 720;
  const article = document.querySelector("article.bd-article");
  const shown = [
    "div.math", "table", ".pst-scrollable-table-container", "figure",
    ".predict", ".remember", ".exercise",
  ].join(", ");
  const dropped = [
    ".solution", ".exercise details", ".exercise .cell_output", ".headerlink", ".copybtn",
    ".toggle-button", ".visually-hidden", ".adam-edu-quiz", "script", ".tag_setup-cell", ".tag_no-slide",
  ].join(", ");
  for (const one of article.querySelectorAll(dropped)) one.remove();

  // Blocks in the order of the page; none that stands within another.
  const blocks = (section) => [...section.querySelectorAll(shown)].filter((one) =>
    one.closest("section:not([id=exercise-content])") === section
    && !one.parentElement.closest(shown));

  const firstSentence = (section) => {
    const paragraph = [...section.children].find((one) => one.tagName === "P");
    const text = paragraph?.cloneNode(true);
    if (!text) return null;
    let ended = false;
    for (const node of [...text.childNodes]) {
      const end = node.nodeType === Node.TEXT_NODE ? node.data.search(/[.?!:](\s|$)/) : -1;
      if (ended) node.remove();
      else if (end >= 0) {
        node.data = node.data.slice(0, end + 1).replace(/:$/, ".");
        ended = true;
      }
    }
    text.className = "lead";
    return text;
  };

  const deck = document.createElement("main");
  deck.className = "deck";
  document.body.replaceChildren(deck);
  let slide = null;
  const begin = (heading) => {
    slide = document.createElement("section");
    slide.className = "slide";
    slide.append(heading.cloneNode(true));
    deck.append(slide);
  };
  const fits = () => slide.scrollHeight <= HEIGHT;
  const put = (block, heading) => {
    slide.append(block);
    if (fits() || slide.children.length === 2) return;
    block.remove();
    begin(heading);
    slide.append(block);
  };
  // What alone is too high for a slide is made smaller until it fits.
  const shrink = () => {
    for (let size = 100; !fits() && size > 40; size -= 5) slide.style.fontSize = `${size}%`;
    for (let size = 400; !fits() && size > 150; size -= 25) {
      slide.style.setProperty("--picture", `${size}px`);
    }
  };

  const title = document.createElement("h1");
  const top = article.querySelector("section");
  title.textContent = top.querySelector("h1").textContent.trim();
  begin(title);
  slide.classList.add("title");
  const lead = firstSentence(top);
  if (lead) slide.append(lead);
  for (const section of [top, ...top.querySelectorAll("section")]) {
    if (section.id === "exercise-content") continue;
    const heading = section === top
      ? Object.assign(document.createElement("h2"), { textContent: title.textContent })
      : section.querySelector("h2, h3, h4");
    const found = blocks(section);
    if (!heading || !found.length) continue;
    begin(heading);
    const sentence = section === top ? null : firstSentence(section);
    if (sentence) slide.append(sentence);
    for (const block of found) put(block, heading);
  }
  for (slide of deck.children) shrink();
  return deck.children.length;
}
