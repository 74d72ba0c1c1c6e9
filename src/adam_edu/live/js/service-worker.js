// Without a network: what a reader has loaded is there again. A page registers this once its Python
// has started, so that readers who never start it have none of it. FOLDERS is set where the book is
// built: the folders of _static/live/ that its pages load from.
"use strict";

const KEPT = `adam-edu ${registration.scope}`; // another book of the same host has its own
const FOLDER = /\/_static\/live\/([^/]+)\//;
// The name changes with what the file holds, so what is kept under it is right for ever.
const VERSIONED = /\?v=|\/_static\/live\/|\/_images\/[0-9a-f]{40}/;

/** Return what is kept of an address, or undefined; of `search.html?q=...` it is the page. */
async function kept(address, options = {}) {
  try {
    const cache = await caches.open(KEPT);
    return await cache.match(address, { ignoreVary: true, ...options });
  } catch {
    return undefined; // a browser that keeps nothing
  }
}

/** Keep an answer in place of any other version of the file; a full storage keeps what it has. */
async function keep(address, answer) {
  if (answer.status !== 200 || answer.type !== "basic" || answer.redirected) return;
  const name = VERSIONED.test(address) ? address : address.replace(/[?#].*$/, "");
  try {
    const cache = await caches.open(KEPT);
    await cache.put(name, answer);
    for (const old of await cache.keys(name, { ignoreSearch: true, ignoreVary: true })) {
      if (old.url !== name) await cache.delete(old, { ignoreVary: true });
    }
  } catch {
    // The page has its answer all the same.
  }
}

/** Answer from what is kept if that cannot be old, else from the network while there is one. */
async function answered(event) {
  const { request } = event;
  const again = request.cache === "reload"; // what was kept is damaged
  const found = VERSIONED.test(request.url) && !again && (await kept(request.url));
  if (found) return found;
  try {
    const answer = (await event.preloadResponse) ?? (await fetch(request));
    event.waitUntil(keep(request.url, answer.clone()));
    return answer;
  } catch (error) {
    const last = !again && (await kept(request.url, { ignoreSearch: true }));
    if (last) return last;
    throw error;
  }
}

self.onfetch = (event) => {
  const { method, url } = event.request;
  if (method === "GET" && url.startsWith(registration.scope)) event.respondWith(answered(event));
};

/** A page's message is a list of addresses: what it had loaded before it was served from here. */
self.onmessage = (event) => event.waitUntil(Promise.allSettled(event.data.map(async (address) => {
  if (!(await kept(address))) await keep(address, await fetch(address));
})));

/** Begin with the pages that are open, and forget the folders of builds before this one. */
async function begin() {
  await registration.navigationPreload?.enable();
  await clients.claim();
  const cache = await caches.open(KEPT);
  for (const { url } of await cache.keys()) {
    const folder = FOLDER.exec(url)?.[1];
    if (folder && !FOLDERS.includes(folder)) await cache.delete(url, { ignoreVary: true });
  }
}

self.onactivate = (event) => event.waitUntil(begin().catch(() => {}));
