// A figure: its elements, and their connection with its state, the page's theme and its model.
import { average } from "./average.js";
import { bias } from "./bias.js";
import { button } from "./controls.js";
import { race, schedule, tuner } from "./descents.js";
import { el } from "./elements.js";
import { grid } from "./grid.js";
import { inside } from "./inside.js";
import { fromLink, toLink } from "./link.js";
import { pair } from "./pair.js";
import { record } from "./record.js";
import { STYLES } from "./rules.js";
import { clean } from "./state.js";
import { weight } from "./weight.js";

const VIEWS = { race, pair, tuner, inside, bias, weight, schedule, average, record, grid };

export class Lab {
  // `index` is the figure's number on a page of the book, for links; a widget has none.
  constructor(host, model, index = null) {
    Object.assign(this, { host, model, index, speed: 60, place: null, reading: null });
    this.initial = clean(model.get("state"));
    this.state = this.initial;
    this.notice = el("p", { class: "notice", role: "status", hidden: true });
    this.root = host.attachShadow({ mode: "open" });
    const styles = new CSSStyleSheet();
    styles.replaceSync(STYLES);
    this.root.adoptedStyleSheets = [styles];
    this.watch();
    this.build();
  }

  // What a figure depends on beside its state: the page's theme, its own width, Python.
  watch() {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const gone = new AbortController();
    const look = () => {
      const { theme } = document.documentElement.dataset; // the book's
      const { jpThemeLight, vscodeThemeKind } = document.body.dataset;
      if (theme) this.dark = theme === "dark";
      else if (jpThemeLight) this.dark = jpThemeLight === "false";
      else this.dark = vscodeThemeKind ? vscodeThemeKind.includes("dark") : dark.matches;
      this.host.toggleAttribute("data-dark", this.dark);
      const style = getComputedStyle(this.host);
      const names = [...STYLES.matchAll(/--(\w+):/g)];
      this.theme = Object.fromEntries(names.map(([, name]) => [name, style.getPropertyValue(`--${name}`).trim()]));
      this.draw();
    };
    const themes = new MutationObserver(look);
    for (const target of [document.documentElement, document.body]) {
      themes.observe(target, { attributeFilter: ["data-theme", "data-jp-theme-light", "data-vscode-theme-kind"] });
    }
    const sizes = new ResizeObserver(() => this.draw());
    sizes.observe(this.host);
    const onState = () => {
      const next = clean(this.model.get("state"));
      if (JSON.stringify(next) === JSON.stringify(this.state)) return;
      this.state = next;
      this.build();
    };
    dark.addEventListener("change", look, { signal: gone.signal });
    this.model.on("change:state", onState);
    look();
    this.stop = () => {
      this.pause();
      gone.abort();
      themes.disconnect();
      sizes.disconnect();
      this.model.off("change:state", onState);
    };
  }

  // Take over a part of a state; `rebuild` where other controls are needed than before.
  change(part, rebuild = false) {
    const atEnd = this.state.t === this.state.steps && !("t" in part);
    const next = { ...this.state, ...part };
    this.state = clean(atEnd ? { ...next, t: next.steps } : next);
    this.notice.hidden = true;
    if (rebuild) this.build();
    else this.draw(Object.keys(part).join() !== "t");
    clearTimeout(this.saving);
    this.saving = setTimeout(() => {
      this.model.set("state", this.state);
      this.model.save_changes();
    }, 120);
  }

  // Show a step.
  go(t) {
    this.pause();
    this.change({ t });
  }

  // Show what a link asks for, if it means this figure; return whether it does.
  follow(hash) {
    const linked = fromLink(hash, this.index, this.initial);
    if (!linked) return false;
    if (linked.state) this.change(linked.state, true);
    else this.refuse(`“${linked.problem}” does not fit it`);
    // When it is as high as it will be.
    requestAnimationFrame(() => this.host.scrollIntoView({ block: "nearest" }));
    return true;
  }

  refuse(why) {
    this.change(this.initial, true);
    this.notice.textContent = `The link in the address cannot be shown: ${why}. This is the figure as the page has it.`;
    this.notice.hidden = false;
  }

  reset() {
    const { hash, pathname, search } = location;
    this.change(this.initial, true);
    if (this.index !== null && new URLSearchParams(hash.slice(1)).has("lab")) {
      history.replaceState(history.state, "", pathname + search);
    }
  }

  build() {
    const focused = this.root.activeElement?.dataset.key;
    this.pause?.();
    this.pause = () => {};
    Object.assign(this, { updates: [], plots: [], ids: 0, place: null, reading: null,
      status: el("div", { class: "hidden", role: "status" }) });
    const { title, stage, groups, table = null, ...does } = VIEWS[this.state.view](this);
    Object.assign(this, does);
    this.root.replaceChildren(
      el("div", { class: `lab ${this.state.view}`, role: "group", "aria-label": title },
        el("div", { class: "stage" }, this.notice, ...stage), this.panel(groups), table, this.status),
      ...(this.host.firstElementChild ? [el("slot")] : []));
    if (focused) this.root.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    this.draw(true);
  }

  // The controls, in groups. Where there is no room beside the figure one group is open at a time.
  panel(groups) {
    if (!groups.some(({ key }) => key === this.open)) this.open = groups[0].key;
    const boxes = groups.map(({ name, kind = "", parts }, i) =>
      el("div", { class: `group ${kind}`, id: `group-${i}`, role: "group", "aria-label": name }, ...parts));
    const tabs = groups.map(({ key, name }, i) => button(`open-${key}`, name, () => {
      this.open = key;
      choose();
      this.draw();
    }, { class: "tab", "aria-controls": `group-${i}` }));
    const choose = () => groups.forEach(({ key }, i) => {
      boxes[i].classList.toggle("open", key === this.open);
      tabs[i].setAttribute("aria-expanded", key === this.open);
    });
    choose();
    return el("div", { class: "panel" },
      groups.length > 1 ? el("div", { class: "tabs" }, ...tabs) : null, ...boxes, this.foot());
  }

  foot() {
    const copy = async () => {
      history.replaceState(history.state, "", toLink(this.state, this.index));
      const words = await navigator.clipboard.writeText(location.href).then(() => "copied", () => "see the address");
      this.say(words);
      link.replaceChildren(words);
      setTimeout(() => link.replaceChildren(...name), 2000);
    };
    const name = ["Link", el("span", { class: "more" }, " to this")];
    const link = button("link", "", copy);
    link.replaceChildren(...name);
    return el("div", { class: "foot" }, button("reset", "Reset", () => this.reset()), this.index === null ? null : link);
  }

  draw(compute = false) {
    this.stale ||= compute;
    if (!this.paint) return;
    this.pending ??= requestAnimationFrame(() => this.redraw());
  }

  // One frame: run the optimizers if something has changed, then paint. What is painted is said
  // to screen readers when the reader pauses.
  redraw() {
    this.pending = null;
    if (this.stale) this.compute();
    this.stale = false;
    this.updates.forEach((update) => update());
    this.paint();
    this.readAt(this.place, this.reading);
    this.said ??= this.summary(); // what the page shows at first is not news
    clearTimeout(this.speaking);
    this.speaking = setTimeout(() => {
      const words = this.summary();
      if (words !== this.said) this.say((this.said = words));
    }, 600);
  }

  say(words) {
    this.status.textContent = words;
  }

  // Read all plots at one place of their axes, or at none; `reading` is the one that says the values.
  readAt(place, reading = null) {
    Object.assign(this, { place, reading: place === null ? null : reading });
    for (const one of this.plots) one.show(place, one === this.reading);
  }
}
