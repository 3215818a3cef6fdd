/* The line below the picture: since when, how large, which codecs. An embed has none. */

import { clock, codecNames } from "./words.js";

const line = document.getElementById("about");
let since = null;
let facts = [];

/** Take a status; the time goes on by itself. */
export function showAbout(status) {
  if (!line) return;
  const { width, height, frame_rate: rate, codecs } = status;
  since = status.since;
  facts = [
    width && height && `${width} × ${height}`,
    rate && `${Math.round(rate * 100) / 100} fps`,
    codecs && codecNames(codecs),
  ].filter(Boolean);
  show();
}

function show() {
  const lasted = since && `for ${clock((Date.now() - new Date(since)) / 1000)}`;
  line.textContent = [lasted, ...facts].filter(Boolean).join(" · ");
}

if (line) setInterval(show, 1000);
