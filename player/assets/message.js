/* Shows a state: one attribute that the style sheet goes by, and its words in the live region.
 *
 * The words were written on the server, into a template for each state; nothing is worded here but
 * how long ago something was.
 */

import { ago } from "./words.js";

const region = document.getElementById("message");
const badge = document.getElementById("badge");
const title = document.title;

/** Show `name`; `lastLive` is a date in ISO form or null, `codecs` what the playlist says. */
export function show(name, { lastLive, codecs }) {
  const page = document.body.dataset;
  if (page.state === name && region.dataset.lastLive === String(lastLive)) return;
  page.state = name;
  region.dataset.lastLive = String(lastLive);
  const words = document.getElementById(`words-${name}`);
  region.replaceChildren(words.content.cloneNode(true));
  if (badge) badge.textContent = words.dataset.badge;
  if (name === "offline" && lastLive) say(`Last live ${ago(lastLive)}.`);
  if (name === "unplayable" && codecs) say(`It is sent as ${codecs}.`);
  document.title = name === "live" ? `● ${title}` : title;
}

function say(sentence) {
  const line = document.createElement("p");
  line.textContent = sentence;
  region.append(line);
}
