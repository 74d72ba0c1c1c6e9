// A figure in the part of an address after the #: "#lab=1&SGD.lr=0.04" says which figure of the page
// is meant, and what it shows that the page's own does not. links.py documents and checks the same.
import { VERSION } from "./recorded.js";
import { PARTS } from "./rules.js";
import { clean } from "./state.js";

const pairs = (values) => Object.entries(values).map((pair) => pair.join(":")).join();
const unpairs = (text) => Object.fromEntries(text.split(",").filter(Boolean).map((part) => part.split(":")));

// The state as a link: what its view uses, and nothing else.
export function toLink(state, index) {
  const link = new URLSearchParams({ lab: index, view: state.view });
  for (const key of PARTS[state.view]) {
    const value = state[key];
    if (key === "rules") for (const { name, hyper } of value) link.append("rule", pairs({ name, ...hyper }));
    else if (key === "drawn" && state.signal !== "drawn") continue;
    else if (Array.isArray(value)) link.set(key, value.join());
    else if (typeof value !== "object") link.set(key, value);
    else if (Object.keys(value).length) link.set(key, pairs(value));
  }
  return `#${link.toString().replaceAll("%3A", ":").replaceAll("%2C", ",")}`;
}

// Whether a value is what the text of a link asks for, so that nothing of it had to be mended.
const reads = (value, text) => String(value) === text || (Boolean(text?.trim()) && value === Number(text));
const readAll = (values, texts) => values.length === texts.length && texts.every((text, i) => reads(values[i], text));
const readEach = (values, texts) => Object.entries(texts).every(([name, text]) =>
  Object.hasOwn(values, name) && reads(values[name], text));

// One part of a link: it is put into `raw`; the result says whether it stands in a state made of that.
function readPart(raw, key, text) {
  if (key === "view") return () => text === raw.view;
  if (key === "start" || key === "drawn") {
    raw[key] = text.split(",").filter(Boolean);
    return (state) => readAll(state[key], raw[key]);
  }
  if (key === "shape" || key === "parameters") {
    raw[key] = unpairs(text);
    return (state) => readEach(state[key], raw[key]);
  }
  raw[key] = text;
  return (state) => reads(state[key], text);
}

// A single setting: "SGD.lr", "Adam.2.beta2" of the second Adam, "shape.condition", "schedule.every".
function readSetting(raw, key, text) {
  const [owner, ...path] = key.split(".");
  const name = path.pop();
  const group = { shape: "shape", schedule: "parameters" }[owner];
  if (group) {
    raw[group] = { ...raw[group], [name]: text };
    return (state) => readEach(state[group], { [name]: text });
  }
  const places = raw.rules.flatMap((rule, i) => (rule.name === owner ? [i] : []));
  const place = places[Number(path[0] ?? 1) - 1];
  if (place === undefined || path.length > 1) return () => false;
  raw.rules = raw.rules.with(place, { name: owner, hyper: { ...raw.rules[place].hyper, [name]: text } });
  return (state) => readEach(state.rules[place].hyper, { [name]: text });
}

function readRules(raw, texts) {
  const asked = texts.map(unpairs);
  raw.rules = asked.map(({ name, ...hyper }) => ({ name, hyper }));
  return ({ rules }) => rules.length === asked.length && asked.every(({ name, ...hyper }, i) =>
    rules[i].name === name && readEach(rules[i].hyper, hyper));
}

// What a link makes of the page's own figure: null if it means none or another, otherwise its state,
// or the part of it that does not fit.
export function fromLink(hash, index, initial) {
  const link = new URLSearchParams(hash.slice(1));
  if (index === null || link.get("lab") !== String(index)) return null;
  link.delete("lab");
  const raw = { ...initial };
  if (initial.t === initial.steps) delete raw.t; // the last step, however many there are
  const recorded = Object.hasOwn(VERSION, initial.view);
  const own = PARTS[initial.view];
  const elsewhere = recorded ? ["steps"] : Object.values(PARTS).flat();
  if (!recorded && link.has("surface")) Object.assign(raw, { shape: {}, start: [] });
  if (!recorded && link.has("schedule")) raw.parameters = {};
  const rules = link.getAll("rule");
  const kept = new Map();
  if (!recorded && rules.length) kept.set(`rule=${rules.join("&rule=")}`, readRules(raw, rules));
  for (const [key, text] of link) {
    if (key === "rule" && !recorded) continue;
    let fits = () => false;
    if (key.includes(".") && !recorded) fits = readSetting(raw, key, text);
    else if (key === "view" || (own.includes(key) && key !== "rules")) fits = readPart(raw, key, text);
    // Links of earlier editions hold everything; what the view does not use, it cannot change.
    else if (elsewhere.includes(key)) fits = readPart({ ...raw }, key, text);
    kept.set(`${key}=${text}`, fits);
  }
  const state = clean(raw);
  const problem = [...kept.keys()].find((part) => !kept.get(part)(state));
  return problem === undefined ? { state } : { problem: problem.slice(0, 80) };
}
