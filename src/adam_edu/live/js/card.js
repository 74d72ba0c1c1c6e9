// A verdict's HTML comes out of a Python that runs a reader's code, or a teacher's: nothing of it
// may run in the page. What is no plain text, and no plain shape of it, is left out.

const TAGS = new Set(
  "b br code dd details div dl dt em figure h4 h5 hr i kbd li mark ol p pre s small span strong sub summary sup table tbody td th thead tr u ul".split(" "),
);
const ATTRIBUTES = new Set(["class", "colspan", "rowspan", "scope", "title", "open"]);
const STYLES = /^(border|color|background-color|padding|margin|overflow|font|text|white-space|max-width|list-style)/;

function cleaned(node) {
  if (node.nodeType === Node.TEXT_NODE) return document.createTextNode(node.data);
  if (node.nodeType !== Node.ELEMENT_NODE) return "";
  const name = node.localName;
  if (["script", "style", "template", "iframe"].includes(name)) return "";
  const inside = [...node.childNodes].map(cleaned);
  const made = TAGS.has(name) ? document.createElement(name) : document.createElement("span");
  for (const { name: key, value } of node.attributes) {
    if (ATTRIBUTES.has(key)) made.setAttribute(key, value);
  }
  for (const key of node.style ?? []) {
    const value = node.style.getPropertyValue(key);
    if (STYLES.test(key) && !/url|image/i.test(value)) made.style.setProperty(key, value);
  }
  made.append(...inside);
  return made;
}

/** Return a verdict's HTML as nodes that only show. */
export function card(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const made = document.createDocumentFragment();
  made.append(...[...parsed.body.childNodes].map(cleaned));
  return made;
}

/** Return the numbers of the lines of a text that a verdict shows as code, however it is spaced. */
export function named(shown, source) {
  const split = (text) => text.split("\n").map((line) => line.replace(/#.*|\s/g, ""));
  const lines = split(source);
  return [...shown.querySelectorAll("pre")]
    .flatMap((pre) => split(pre.textContent))
    .filter((line) => line && lines.indexOf(line) === lines.lastIndexOf(line))
    .map((line) => lines.indexOf(line) + 1)
    .filter((number) => number > 0);
}
