/* Shows a state: one attribute that the style sheet goes by, and its words in the live region.
 *
 * The words were written on the server, into a template for each state; nothing is worded here but
 * how long ago something was.
 */

import { ago, codecNames } from "./words.js";

const region = document.getElementById("message");
const badge = document.getElementById("badge");
const title = document.title;
let shownMore = "";

/** Show `name`; `status` is what the server said last. What is shown already is left alone, since a
 *  screen reader would say it again. */
export function show(name, status) {
  const more = addition(name, status);
  if (document.body.dataset.state === name && shownMore === more) return;
  document.body.dataset.state = name;
  shownMore = more;
  const words = document.getElementById(`words-${name}`);
  region.replaceChildren(words.content.cloneNode(true));
  if (more) region.append(Object.assign(document.createElement("p"), { textContent: more }));
  if (badge) badge.textContent = words.dataset.badge;
  document.title = name === "live" ? `● ${title}` : title;
}

/** What only this stream, now, adds to a state's words. */
function addition(name, { last_live: lastLive, codecs }) {
  if (name === "offline" && lastLive) return `Last live ${ago(lastLive)}.`;
  if (name === "unplayable" && codecs) return `It is sent as ${codecNames(codecs)}.`;
  return "";
}
