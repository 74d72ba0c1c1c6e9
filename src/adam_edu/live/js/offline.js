// The second visit needs no network: from the first start of Python on, the browser keeps what this
// book's pages load (see service-worker.js).

const ROOT = new URL("../../../", import.meta.url).href;

/** Keep the page as it is loaded, and the files that its worker has loaded. */
export async function keepOffline(files) {
  try {
    await navigator.serviceWorker.register(`${ROOT}service-worker.js`);
    const { active } = await navigator.serviceWorker.ready;
    const loaded = performance.getEntriesByType("resource").map(({ name }) => name);
    const wanted = [location.href.replace(/[?#].*$/, ""), ...loaded, ...files];
    active.postMessage([...new Set(wanted)].filter((address) => address.startsWith(ROOT)));
  } catch {
    // Not over https, a private window, or refused: it works as before, with a network.
  }
}
