/* Keeps the home page true without a reload: reads the same address again and takes over its list.
 *
 * The server's page is the only source, so there is no second way to draw a card. A list that has
 * not changed is left alone, and with it whatever has the focus or is being read.
 */

import { ago } from "./words.js";

const EVERY_MS = 3000;
const PATIENCE_MS = 5000;

const news = document.getElementById("news");
let shown = document.getElementById("streams").innerHTML;

async function refresh() {
  if (document.hidden) return;
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(location.pathname, { cache: "no-cache", signal });
    if (answer.ok) take(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    // The next one will tell; what is shown was true a moment ago.
  }
}

function take(page) {
  const list = page.getElementById("streams");
  if (list.innerHTML === shown) return;
  shown = list.innerHTML;
  const focused = document.activeElement.getAttribute("href");
  document.getElementById("streams").replaceWith(document.adoptNode(list));
  if (focused) list.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
  const count = Number(list.dataset.count);
  news.textContent = count === 1 ? "1 stream is live." : `${count || "No"} streams are live.`;
  speakTimes();
}

function speakTimes() {
  for (const time of document.querySelectorAll("#streams time")) {
    time.textContent = `started ${ago(time.dateTime)}`;
  }
}

document.addEventListener("visibilitychange", refresh);
setInterval(refresh, EVERY_MS);
setInterval(speakTimes, 60_000);
speakTimes();
