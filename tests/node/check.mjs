// Reads HLS playlists with hls-parser in strict mode and says what it finds wrong with them.
//
// In: files named on the command line, or JSON lines on standard input, each
//     {"name": "...", "text": "#EXTM3U..."}
// Out: one JSON line for each playlist, in the same order:
//     {"name": "...", "kind": "media" | "master" | null, "findings": ["..."]}
//
// hls-parser is the eye that did not come from us: it knows rules of single playlists
// (target duration, part lengths, hints, order of tags), and nothing of what comes between two
// reloads, which is what tests/validator is for.

import { readFileSync } from "node:fs";
import hls from "hls-parser";

// Silent: what it would write to the console is thrown in strict mode, and caught here.
hls.setOptions({ strictMode: true, silent: true });

function read(paths) {
  if (paths.length > 0) {
    return paths.map((path) => ({ name: path, text: readFileSync(path, "utf8") }));
  }
  const lines = readFileSync(0, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
}

function check({ name, text }) {
  try {
    const playlist = hls.parse(text);
    return { name, kind: playlist.isMasterPlaylist ? "master" : "media", findings: [] };
  } catch (error) {
    return { name, kind: null, findings: [error.message] };
  }
}

for (const playlist of read(process.argv.slice(2))) {
  console.log(JSON.stringify(check(playlist)));
}
