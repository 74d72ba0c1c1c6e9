// Python as it was when it had started, with NumPy and the checker, kept in the browser: a later visit
// begins there. Nothing of the reader's is in it, since it is taken before anything of theirs has run.
"use strict";

const SHELF = "adam-edu memory";
const PIECE = 4096; // bytes; pieces of zeros are not kept
const store = self.caches; // not there on a page without https
// Another build of the book lies in another folder, and remembers for itself.
const PLACE = new URL("memory", self.location.href).href;

const hex = (bytes) => [...new Uint8Array(bytes)].map((one) => one.toString(16).padStart(2, "0")).join("");
const digest = async (bytes) => hex(await crypto.subtle.digest("SHA-256", bytes));

/**
 * Compiled libraries are no part of a memory: in which order they were loaded, and what Emscripten
 * wrote of each at which address. The table is the one of all functions that a pointer can name.
 */
function linked({ LDSO, wasmTable }) {
  const libraries = Object.entries(LDSO.loadedLibsByHandle).map(([handle, { name, global }]) => {
    return { handle: Number(handle), name, global };
  });
  return { libraries: libraries.filter(({ handle }) => handle), functions: wasmTable.length };
}

/** What Emscripten wrote of a library: where its data lie, and its functions in the table. */
function described({ HEAPU32 }, handle) {
  const [memory, size, functions] = HEAPU32.subarray((handle + 12) / 4);
  return { memory, size, functions };
}

/** Load the libraries again, each to where it was: pointers to it in the memory are right then. */
function link(module, { libraries, functions }) {
  const known = libraries.map((one) => ({ ...one, ...described(module, one.handle) }));
  known.sort((a, b) => a.functions - b.functions);
  for (const { handle, name, global, memory, size, functions: first } of known) {
    const data = module.HEAPU8.slice(memory, memory + size); // which loading sets to the beginning
    module.wasmTable.grow(Math.max(0, first - module.wasmTable.length));
    const flags = { global, nodelete: true, loadAsync: false, fs: module.FS };
    module.loadDynamicLibrary(name, flags, global ? null : {}, handle);
    module.HEAPU8.set(data, memory);
  }
  if (module.wasmTable.length !== functions) throw new Error("The libraries are others.");
}

/** Leave the zeros out: four lengths, where the pieces belong, the pieces, and the libraries. */
function dense({ memory, ...rest }) {
  const words = new Uint32Array(memory.buffer, memory.byteOffset, memory.length / 4);
  const step = PIECE / 4;
  const places = [];
  for (let at = 0; at < words.length; at += step) {
    if (words.subarray(at, at + step).some(Boolean)) places.push(at * 4);
  }
  const told = new TextEncoder().encode(JSON.stringify(rest));
  const head = 12 + 4 * places.length;
  const end = head + PIECE * places.length;
  const packed = new Uint8Array(end + told.length);
  new Uint32Array(packed.buffer, 0, head / 4).set([memory.length, places.length, told.length, ...places]);
  places.forEach((place, i) => packed.set(memory.subarray(place, place + PIECE), head + i * PIECE));
  packed.set(told, end);
  return packed;
}

/** Return the whole again. */
function whole(packed) {
  const [length, count, told] = new Uint32Array(packed.buffer, 0, 3);
  const places = new Uint32Array(packed.buffer, 12, count);
  const memory = new Uint8Array(length);
  const head = 12 + 4 * count;
  places.forEach((place, i) => {
    const from = head + i * PIECE;
    memory.set(packed.subarray(from, from + Math.min(PIECE, length - place)), place);
  });
  const text = packed.subarray(packed.length - told);
  return { memory, ...JSON.parse(new TextDecoder().decode(text)) };
}

/** Return what is kept of a started Python, or null; what is damaged is forgotten. */
async function remembered() {
  try {
    const answer = await (await store.open(SHELF)).match(PLACE);
    if (!answer) return null;
    const packed = new Uint8Array(await answer.arrayBuffer());
    if ((await digest(packed)) === answer.headers.get("X-SHA-256")) return whole(packed);
  } catch {
    return null; // a browser that keeps nothing
  }
  await forget();
  return null;
}

/** Keep it, in place of those of this book's other builds; a full storage keeps none. */
async function remember(snapshot) {
  try {
    const packed = dense(snapshot);
    const shelf = await store.open(SHELF);
    const book = new URL("../", PLACE).href;
    for (const { url } of await shelf.keys()) if (url.startsWith(book)) await shelf.delete(url);
    const headers = { "X-SHA-256": await digest(packed) };
    await shelf.put(PLACE, new Response(packed, { headers }));
  } catch {
    // The next visit starts Python as this one did.
  }
}

/** Python did not start from it. */
async function forget() {
  await (await store.open(SHELF)).delete(PLACE).catch(() => {});
}
