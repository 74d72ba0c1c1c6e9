// What the browser keeps of a reader's work: a text and whether it was right, for each exercise.

const KEY = "adam-edu:";
const FORMAT = 1;
/** How many characters a text may have that is taken in. */
export const LONGEST = 20_000;
const KINDS = ["text", "solved"];

/** Return what is kept, or null. */
export function kept(kind, exercise) {
  try {
    return localStorage.getItem(`${KEY}${kind}:${exercise}`);
  } catch {
    return null;
  }
}

/** Keep a text, or forget it with null; return whether the browser could. */
export function keep(kind, exercise, text) {
  try {
    if (text === null) localStorage.removeItem(`${KEY}${kind}:${exercise}`);
    else localStorage.setItem(`${KEY}${kind}:${exercise}`, text);
    return true;
  } catch {
    return false;
  }
}

/** Return all of it as the text of a file. */
export function exported(exercises) {
  const found = {};
  for (const [page, names] of Object.entries(exercises)) {
    for (const exercise of names.map((name) => `${page}/${name}`)) {
      const text = kept("text", exercise);
      const solved = kept("solved", exercise) !== null;
      if (text !== null || solved) found[exercise] = { text, solved };
    }
  }
  return `${JSON.stringify({ "adam-edu": FORMAT, exercises: found }, null, 2)}\n`;
}

/** Return what a file of that form says; throw an Error with a sentence if it is of another. */
export function read(file, exercises) {
  let data;
  try {
    data = JSON.parse(file);
  } catch {
    throw new Error("This file is not one that was exported here: it is not JSON.");
  }
  if (data?.["adam-edu"] !== FORMAT || typeof data.exercises !== "object" || !data.exercises) {
    throw new Error("This file is not one that was exported here.");
  }
  const known = new Set(
    Object.entries(exercises).flatMap(([page, names]) => names.map((name) => `${page}/${name}`)),
  );
  const entries = Object.entries(data.exercises);
  for (const [exercise, { text, solved } = {}] of entries) {
    if (!known.has(exercise)) throw new Error(`There is no exercise ${exercise} in this book.`);
    const fits = text === null || (typeof text === "string" && text.length <= LONGEST);
    if (!fits || typeof solved !== "boolean") {
      throw new Error(`What the file says of ${exercise} is not a text of at most ${LONGEST} characters.`);
    }
  }
  return entries;
}

/** Keep all of what was read; return whether the browser could. */
export function imported(entries) {
  return entries.every(([exercise, { text, solved }]) =>
    [keep("text", exercise, text), keep("solved", exercise, solved ? "1" : null)].every(Boolean));
}

/** Forget everything. */
export function wipe() {
  const keys = Object.keys(localStorage).filter((key) => KINDS.some((kind) => key.startsWith(`${KEY}${kind}:`)));
  for (const key of keys) localStorage.removeItem(key);
  return keys.length;
}
