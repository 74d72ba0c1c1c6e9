// Python as it was when it had started, kept in the browser: a later visit begins there. Nothing of
// the reader's is in it, since it is taken before anything of theirs has run.
"use strict";

const SHELF = "adam-edu memory";
const PIECE = 4096; // bytes; pieces of zeros are not kept
const store = self.caches; // not there on a page without https

const hex = (bytes) => [...new Uint8Array(bytes)].map((one) => one.toString(16).padStart(2, "0")).join("");
const digest = async (bytes) => hex(await crypto.subtle.digest("SHA-256", bytes));

/** Where the memory of a runtime's folder lies: another build of the runtime has another. */
const address = (home) => new URL(`${home}memory`, self.location.href).href;

/** Leave the zeros out: how long the whole is, how many pieces there are, which, and the pieces. */
function dense(whole) {
  const words = new Uint32Array(whole.buffer, whole.byteOffset, whole.length / 4);
  const step = PIECE / 4;
  const places = [];
  for (let at = 0; at < words.length; at += step) {
    if (words.subarray(at, at + step).some(Boolean)) places.push(at * 4);
  }
  const head = 8 + 4 * places.length;
  const packed = new Uint8Array(head + PIECE * places.length);
  new Uint32Array(packed.buffer, 0, head / 4).set([whole.length, places.length, ...places]);
  places.forEach((place, i) => packed.set(whole.subarray(place, place + PIECE), head + i * PIECE));
  return packed;
}

/** Return the whole again. */
function whole(packed) {
  const [length, count] = new Uint32Array(packed.buffer, 0, 2);
  const places = new Uint32Array(packed.buffer, 8, count);
  const found = new Uint8Array(length);
  const head = 8 + 4 * count;
  places.forEach((place, i) => {
    const from = head + i * PIECE;
    found.set(packed.subarray(from, from + Math.min(PIECE, length - place)), place);
  });
  return found;
}

/** Return what is kept of a started Python, or null; what is damaged is forgotten. */
async function remembered(home) {
  try {
    const answer = await (await store.open(SHELF)).match(address(home));
    if (!answer) return null;
    const packed = new Uint8Array(await answer.arrayBuffer());
    if ((await digest(packed)) === answer.headers.get("X-SHA-256")) return whole(packed);
  } catch {
    return null; // a browser that keeps nothing
  }
  await forget(home);
  return null;
}

/** Keep it, in place of those of this book's other builds; a full storage keeps none. */
async function remember(home, snapshot) {
  try {
    const packed = dense(snapshot);
    const shelf = await store.open(SHELF);
    const book = new URL("../../", address(home)).href;
    for (const { url } of await shelf.keys()) if (url.startsWith(book)) await shelf.delete(url);
    const headers = { "X-SHA-256": await digest(packed) };
    await shelf.put(address(home), new Response(packed, { headers }));
  } catch {
    // The next visit starts Python as this one did.
  }
}

/** Python did not start from it. */
async function forget(home) {
  await (await store.open(SHELF)).delete(address(home)).catch(() => {});
}
