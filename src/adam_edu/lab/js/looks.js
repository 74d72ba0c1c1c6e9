// How the optimizers of a figure look, and what they are called.
import { inked } from "./draw.js";
import { RULES, DEFAULTS, LABELS } from "./rules.js";
import { show } from "./scales.js";

export const label = (name, group) => LABELS[`${group}.${name}`] ?? LABELS[name] ?? name;

// An optimizer looks as in the book's other figures; a second one of its rule as none of them.
export function stylesOf({ state: { rules }, dark }) {
  let further = 0;
  return rules.map(({ name }, i) => {
    const first = rules.findIndex((rule) => rule.name === name) === i;
    return inked(first ? RULES[name].style : DEFAULTS.further[further++ % DEFAULTS.further.length], dark);
  });
}

// The settings in which an optimizer differs from others of the same rule.
export function differing({ rules }, place) {
  const { name, hyper } = rules[place];
  const same = rules.filter((rule) => rule.name === name);
  return Object.keys(hyper).filter((key) => same.some((rule) => rule.hyper[key] !== hyper[key]));
}

// What each optimizer is called: two of one rule by the symbols and values in which they differ.
export const namesOf = (state) => state.rules.map(({ name, hyper }, i) => [name, ...differing(state, i).map((key) =>
  `${label(key).split(" ").at(-1)} ${show(hyper[key], 4)}`)].join(", "));
