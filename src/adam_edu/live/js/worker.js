// Python, away from the page: the page stays responsive, and ends the worker where it must.
// Takes { type: "start", list, info, home, most }, { type: "more", list, dots } for chapters,
// { type: "check", source, name, before } and { type: "cell", number, source }; answers "progress",
// "ready", "failed", "verdict" and "outputs".
"use strict";

importScripts("snapshot.js");

const SITE = "/lib/python3.12/site-packages";
const PAGE = 65536;
const HEADER = 30; // bytes of a member's header in an archive, before its name
const MEMBER = 0x04034b50; // with which such a header begins
const QUIET = 1000; // ms after a verdict
const FILE = 0o100666; // the mode of one
const WASM = "pyodide.asm.wasm";
const LIBRARY = "python_stdlib.zip";
const plain = (name) => name.replace(/^.*\/|\.gz$/g, ""); // of a file, without its folder
const held = new Map(); // what Pyodide asks for by its own name
const fetched = self.fetch.bind(self);
const AGAIN = "Python has to be started again."; // engine.js does so
let python;
let snapshot = null; // of a Python that has just started, until it is kept

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

/** Load the files of a list; return a promise of the content of each, by name. */
function loadAll(list) {
  const total = list.reduce((sum, part) => sum + part.bytes, 0);
  let loaded = 0;
  const report = (count) => {
    loaded += count;
    postMessage({ type: "progress", loaded: Math.min(loaded, total), total });
  };
  const contents = new Map(list.map((part) => [plain(part.name), load(part, report)]));
  const whole = Promise.all(contents.values());
  // Of one that cannot be loaded whoever waits for it is told.
  whole.then(() => postMessage({ type: "progress", loaded: total, total, starting: true }), () => {});
  return contents;
}

/** Begin to compile while the rest is on its way: Pyodide asks for it later, by the same name. */
function compileEarly(content) {
  const module = WebAssembly.compile(content);
  module.catch(() => {});
  const { instantiate, instantiateStreaming } = WebAssembly;
  WebAssembly.instantiateStreaming = async (answer, imports) => {
    WebAssembly.instantiateStreaming = instantiateStreaming;
    return { module: await module, instance: await instantiate(await module, imports) };
  };
}

/** Return the folder of that path, made where it is not there. */
function folder(path) {
  python.FS.mkdirTree(path);
  return python.FS.lookupPath(path).node;
}

/** Put the members of an archive, none of which is compressed, where Python imports from. */
function unpack(archive) {
  const view = new DataView(archive.buffer, archive.byteOffset);
  const folders = new Map();
  const decoder = new TextDecoder();
  const { MEMFS } = python.FS.filesystems;
  for (let at = 0; view.getUint32(at, true) === MEMBER;) {
    const size = view.getUint32(at + 18, true);
    const named = at + HEADER + view.getUint16(at + 26, true);
    const from = named + view.getUint16(at + 28, true);
    const [, path, name] = /^(.*\/)?([^/]+)$/.exec(decoder.decode(archive.subarray(at + HEADER, named)));
    if (!folders.has(path)) folders.set(path, folder(`${SITE}/${path ?? ""}`));
    // The file is a piece of the archive: nothing is copied.
    const file = MEMFS.createNode(folders.get(path), name, FILE);
    file.contents = archive.subarray(from, from + size);
    file.usedBytes = size;
    at = from + size;
  }
}

/** Put the packages of a list there; Python looks again at what it can import. */
async function install(list, contents) {
  for (const { name, kind } of list) {
    if (kind === "packages") unpack(await contents.get(plain(name)));
  }
  python.runPython("import importlib; importlib.invalidate_caches()");
}

const heap = () => python._module.HEAPU8.length;

/** Begin where an earlier visit had started Python. */
async function wake({ memory, ...rest }, indexURL, files) {
  await Promise.all(files[1].values()); // a file that is damaged is no fault of the memory
  try {
    python = await loadPyodide({ indexURL, _loadSnapshot: memory });
    await install(...files);
    link(python._module, rest);
    python.runPython("runner.awake()");
  } catch {
    await forget();
    throw new Error(AGAIN);
  }
}

/** Start Python, with NumPy and the checker. */
async function boot(indexURL, files) {
  python = await loadPyodide({ indexURL, _makeSnapshot: Boolean(store) });
  await install(...files);
  python.runPython("from adam_edu.live import runner\nrunner.asleep()");
  if (store) snapshot = { memory: python.makeMemorySnapshot(), ...linked(python._module) };
  python.runPython("runner.awake()");
}

async function start({ list, info, home, most }) {
  bound(most);
  const contents = loadAll(list);
  const wasm = contents.get(WASM).then((content) => {
    compileEarly(content);
    return content;
  });
  for (const { name, kind } of list) if (kind === "script") await contents.get(plain(name));
  held.set(WASM, await wasm);
  held.set(LIBRARY, await contents.get(LIBRARY));
  serve(info);
  importScripts(`${home}pyodide.js`);
  const indexURL = new URL(home, self.location.href).href;
  const memory = await remembered();
  await (memory ? wake(memory, indexURL, [list, contents]) : boot(indexURL, [list, contents]));
  held.clear();
  lock();
  return { type: "ready", heap: heap() };
}

/** Load what chapters need besides; begin a notebook. */
async function more({ list, dots }) {
  await install(list, loadAll(list));
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

/** What is better done before the reader asks again than while they wait. */
function whileReading(name) {
  python.globals.get("runner").prepare(name);
  if (snapshot) setTimeout(remember, QUIET, snapshot);
  snapshot = null;
}

const TASKS = { start, more, check, cell };

self.onmessage = async ({ data }) => {
  try {
    postMessage(await TASKS[data.type](data));
  } catch (error) {
    postMessage({ type: "failed", text: String(error?.message ?? error) });
    return;
  }
  if (data.type === "check") whileReading(data.name);
};
