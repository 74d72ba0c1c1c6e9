// A text for an exercise in the fragment of an address: deflated, in base64url. Whoever made it is
// unknown: it is bounded, shows all that it holds, and only a reader's click runs it.

import { LONGEST } from "./store.js";

// Controls, and what no reader sees or what turns the order of letters: a text is read before it runs.
const HIDDEN = /[^\P{C}\n\t]/u;
const DAMAGED = "The text of this link cannot be read: the link is damaged, or was cut short.";
const TOO_LONG = `A link holds a text of at most ${LONGEST} characters.`;
const UNSEEN = "A link holds no text with characters that cannot be seen.";

function fits(text) {
  if (text.length > LONGEST) throw new Error(TOO_LONG);
  if (HIDDEN.test(text)) throw new Error(UNSEEN);
  return text;
}

const through = (bytes, stream) => new Blob([bytes]).stream().pipeThrough(stream);

/** Return the address of an exercise on this page with a text in it; throw an Error with a sentence. */
export async function linkTo(exercise, text) {
  const packed = through(fits(text), new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
  const code = btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  return `${location.href.replace(/#.*/, "")}#${new URLSearchParams({ write: exercise, text: code })}`;
}

/** Return the text of a link; throw an Error with a sentence if there is none. */
export async function textOf(code) {
  let text = "";
  try {
    const bytes = Uint8Array.from(atob(code.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
    const reader = through(bytes, new DecompressionStream("deflate-raw")).getReader();
    const decoder = new TextDecoder("utf-8", { fatal: true });
    for (let part = await reader.read(); ; part = await reader.read()) {
      text += decoder.decode(part.value, { stream: !part.done });
      if (part.done) break;
      if (text.length > LONGEST) { // it may unpack to a thousand times what came
        reader.cancel();
        break;
      }
    }
  } catch {
    throw new Error(DAMAGED);
  }
  return fits(text);
}
