// The page's one Python: a worker that is started when it is first asked, and started anew after it
// had to be ended.

import { keepOffline } from "./offline.js";

const SILENCE = 60_000; // ms without a word of a starting worker
const LONGEST = 60_000; // ms for one check; the checker itself ends a call after seconds
const LONGEST_CELL = 900_000; // ms for one cell: some train for a minute, and there is Stop
const AGAIN = "Python has to be started again."; // a worker's word for it
const MEMORY = 768 * 2 ** 20; // bytes, at most; a chapter's figures take some hundred

const here = (name) => new URL(name, import.meta.url).href;

class Engine {
  #worker = null;
  #ready = null; // a promise, from the start on
  #up = false;
  #waiting = null; // who waits for the worker's answer: { resolve, reject, timer }
  #running = false;
  #tellers = new Set();
  #list = null;
  #chapter = null; // a promise, once what cells need is loaded

  /** Whether Python is there, or on its way. */
  get started() {
    return this.#ready !== null;
  }

  /** What changes when the names of all cells are gone. */
  get chapter() {
    return this.#chapter;
  }

  /** Whether a text is being run. */
  get busy() {
    return this.#running;
  }

  /** Start Python unless it is started, and call a function with each report on that. */
  start(teller) {
    if (teller && !this.#up) this.#tellers.add(teller);
    this.#ready ??= this.#begin();
    return this.#ready;
  }

  async #begin() {
    try {
      this.#list ??= await (await fetch(here("list.json"))).json();
      await this.#boot().catch((error) => {
        if (error.message !== AGAIN) throw error;
        this.#worker.terminate(); // what it remembered of an earlier visit was of no use
        return this.#boot();
      });
      this.#up = true;
      const { list } = this.#list;
      keepOffline([here("worker.js"), here("snapshot.js"), ...list.map(({ name }) => here(name))]);
    } catch (error) {
      this.#end();
      throw error;
    } finally {
      this.#tellers.clear();
    }
  }

  async #boot() {
    this.#worker = new Worker(here("worker.js"));
    const { list, info, home } = this.#list;
    await this.#ask({ type: "start", most: MEMORY, list, info, home }, SILENCE,
      "Python has not started within a minute. Load the page again, or use Colab.");
  }

  /** Send the worker a message, and return its answer; end it if it takes too long. */
  #ask(message, limit, late) {
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      const watch = () => setTimeout(() => { this.#end(); reject(new Error(late)); }, limit);
      let timer = watch();
      this.#waiting = { reject, done: () => clearTimeout(timer) };
      worker.onmessage = ({ data }) => {
        clearTimeout(timer);
        if (data.type === "progress") {
          timer = watch();
          for (const tell of this.#tellers) tell(data);
        } else if (data.type === "failed") reject(new Error(data.text));
        else resolve(data);
      };
      worker.onerror = (event) => {
        event.preventDefault();
        clearTimeout(timer);
        reject(new Error(event.message || "The file worker.js cannot be loaded."));
      };
      worker.postMessage(message);
    });
  }

  /** Check a text, one at a time: return what the runner says of it. */
  check(wish, teller) {
    return this.#alone(async () => {
      await this.start(teller);
      return this.#ask({ type: "check", ...wish }, LONGEST, "It ran for a minute, and was stopped.");
    });
  }

  /** Run cells in their order: done(number, outputs) is told of each, and begun() of the first. */
  run(cells, teller, done, begun) {
    return this.#alone(async () => {
      await this.start(teller);
      await (this.#chapter ??= this.#more(teller));
      begun(0);
      for (const { number, source } of cells) {
        done(number, await this.#ask({ type: "cell", number, source }, LONGEST_CELL,
          "It ran for a quarter of an hour, and was stopped."));
      }
    });
  }

  async #more(teller) {
    if (teller) this.#tellers.add(teller);
    const dots = Math.min(2, Math.max(1, globalThis.devicePixelRatio ?? 2));
    try {
      await this.#ask({ type: "more", list: this.#list.more, dots }, 2 * SILENCE,
        "Matplotlib has not started in time. Load the page again, or use Colab.");
      keepOffline(this.#list.more.map(({ name }) => here(name)));
    } catch (error) {
      this.#end();
      throw error;
    } finally {
      this.#tellers.clear();
    }
  }

  async #alone(work) {
    this.#running = true;
    try {
      return await work();
    } finally {
      this.#running = false;
    }
  }

  #end() {
    this.#waiting?.done();
    this.#worker?.terminate();
    this.#worker = this.#ready = this.#chapter = null;
    this.#up = false;
    this.#tellers.clear();
  }

  /** End whatever runs, at once; a new Python starts in the background if there was one. */
  stop() {
    const waiting = this.#waiting;
    this.#end();
    waiting?.reject(new Error("Stopped."));
    this.start().catch(() => {}); // whoever asks next is told what is wrong
  }
}

export const engine = new Engine();
