// Python, away from the page: the page stays responsive, and ends the worker where it must.
// Takes { type: "start", list, info, home, most }, { type: "more", list, dots } for chapters,
// { type: "check", source, name, before } and { type: "cell", number, source }; answers "progress",
// "ready", "failed", "verdict" and "outputs".
"use strict";

const SITE = "/lib/python3.12/site-packages";
const PAGE = 65536;
const held = new Map(); // what Pyodide asks for by its own name
const fetched = self.fetch.bind(self);
let python;

/** Memory ends where the page says: then a reader's array is a MemoryError, not a slow machine. */
function bound(most) {
  const Memory = WebAssembly.Memory;
  WebAssembly.Memory = function (wish) {
    return new Memory(wish.maximum ? { ...wish, maximum: Math.min(wish.maximum, most / PAGE) } : wish);
  };
  WebAssembly.Memory.prototype = Memory.prototype;
}

async function unpacked(bytes) {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes; // a host may have unpacked it
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Return the content of an answer, and report its bytes as they come. */
async function received(answer, report) {
  const chunks = [];
  let size = 0;
  const reader = answer.body.getReader();
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    chunks.push(value);
    size += value.length;
    report(value.length);
  }
  const raw = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    raw.set(chunk, at);
    at += chunk.length;
  }
  return unpacked(raw);
}

/** Whether a content is the file that the book was built with. */
async function right(content, sha256) {
  if (!self.crypto?.subtle) return true; // on a page without https
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("") === sha256;
}

/** Load a file of the list; where what the browser keeps of it is damaged, from the host again. */
async function load({ name, kind, sha256, bytes: sent }, report) {
  for (const cache of ["default", "reload"]) {
    const answer = await fetched(name, { cache });
    if (!answer.ok) throw new Error(`${name} cannot be loaded (status ${answer.status}).`);
    const counted = kind === "script" ? () => {} : report; // its bytes travel packed
    const content = await received(answer, counted).catch(() => null);
    if (kind === "script") report(sent);
    if (content && (await right(content, sha256))) return content;
  }
  throw new Error(`${name} is damaged: it is not the file that this book was built with.`);
}

/** Give Pyodide what is loaded already, and an empty list of packages: it fetches nothing. */
function serve(info) {
  const types = { wasm: "application/wasm", json: "application/json" };
  held.set("pyodide-lock.json", JSON.stringify({ info, packages: {} }));
  self.fetch = (wanted) => {
    const name = String(wanted.url ?? wanted).replace(/^.*\//, "");
    if (!held.has(name)) return Promise.reject(new TypeError(`${name}: no network`));
    const headers = { "Content-Type": types[name.replace(/^.*\./, "")] ?? "application/octet-stream" };
    return Promise.resolve(new Response(held.get(name), { headers }));
  };
}

/** What a reader's Python could reach the network or other pages' data by. */
function lock() {
  for (const name of ["fetch", "XMLHttpRequest", "WebSocket", "EventSource", "WebTransport",
    "BroadcastChannel", "importScripts", "indexedDB", "caches", "Worker"]) {
    for (let owner = self; owner; owner = Object.getPrototypeOf(owner)) {
      if (Object.hasOwn(owner, name)) delete owner[name];
    }
  }
}

/** Load the files of a list; return the packages among them, and hold the others for Pyodide. */
async function loadAll(list) {
  const total = list.reduce((sum, part) => sum + part.bytes, 0);
  let loaded = 0;
  const report = (count) => {
    loaded += count;
    postMessage({ type: "progress", loaded: Math.min(loaded, total), total });
  };
  const packages = await Promise.all(list.map(async (part) => {
    const content = await load(part, report);
    if (part.kind === "packages") return content;
    if (part.kind !== "script") held.set(part.name.replace(/^.*\/|\.gz$/g, ""), content);
    return null;
  }));
  postMessage({ type: "progress", loaded: total, total, starting: true });
  return packages.filter(Boolean);
}

function unpack(packages) {
  for (const content of packages) python.unpackArchive(content, "zip", { extractDir: SITE });
}

const heap = () => python._module.HEAPU8.length;

async function start({ list, info, home, most }) {
  bound(most);
  const packages = await loadAll(list);
  serve(info);
  importScripts(`${home}pyodide.js`);
  python = await loadPyodide({ indexURL: new URL(home, self.location.href).href });
  unpack(packages);
  held.clear();
  python.runPython("from adam_edu.live import runner");
  lock();
  return { type: "ready", heap: heap() };
}

/** Load what chapters need besides; begin a notebook. */
async function more({ list, dots }) {
  unpack(await loadAll(list));
  python.runPython(`from adam_edu.live.notebook import Notebook\nnotebook = Notebook(${Number(dots)})`);
  return { type: "ready", heap: heap() };
}

function check({ source, name, before }) {
  const verdict = python.globals.get("runner").verdict(source, name, before);
  return { type: "verdict", ...JSON.parse(verdict), heap: heap() };
}

function cell({ number, source }) {
  const found = python.globals.get("notebook").run(number, source);
  return { type: "outputs", ...JSON.parse(found), heap: heap() };
}

const TASKS = { start, more, check, cell };

self.onmessage = async ({ data }) => {
  try {
    postMessage(await TASKS[data.type](data));
  } catch (error) {
    postMessage({ type: "failed", text: String(error?.message ?? error) });
  }
};
