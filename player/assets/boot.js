/* The first script of a watch page, with hls.js and nothing else: it gets the picture moving.
 *
 * It keeps the facts (state.js), asks the server (status.js), drives the player and shows the
 * outcome (message.js). The controls come after the first frame, so that they never delay it.
 */

import { HlsPlayer } from "./hls-player.js";
import { show } from "./message.js";
import { NativePlayer } from "./native-player.js";
import { playsWithinMp4, sourceOf } from "./source.js";
import { BEGINNING, nameOf, pollDelay, step } from "./state.js";
import { StatusReader } from "./status.js";

const STALL_MS = 300; // a seek waits for less than this, and is not worth a word
const IMPATIENCE_MS = 12_000; // after which a picture that should move is loaded anew

const page = document.body.dataset;
const video = document.querySelector("video");
const wantsTs = new URLSearchParams(location.search).get("format") === "ts";

let facts = BEGINNING;
let status = { codecs: null, last_live: page.lastLive ?? null };
let stallTimer = 0;
let impatience = 0;
let firstFrameSeen = false;
let controls = null;

const player = new (HlsPlayer.isSupported() ? HlsPlayer : NativePlayer)(video, onTrouble);
const reader = new StatusReader(`/${encodeURIComponent(page.stream)}/status.json`, {
  delay: () => pollDelay(nameOf(facts)),
  tell: onStatus,
});

const actions = {
  ask: () => reader.ask(),
  stop() {
    delete page.picture;
    player.stop();
  },
  load() {
    const address = sourceOf(status, { wantsTs, plays: playsWithinMp4 });
    player.load(address, { isTs: address === status.ts_playlist });
    video.play().catch(onRefusedPlay);
  },
};

function tell(event) {
  const before = facts.video;
  const next = step(facts, event);
  facts = next.facts;
  if (facts.video !== before || next.actions.includes("load")) watchPatience();
  show(nameOf(facts), status);
  next.actions.forEach((action) => actions[action]());
}

function watchPatience() {
  clearTimeout(impatience);
  if (facts.video !== "loading" && facts.video !== "stalled") return;
  impatience = setTimeout(() => { tell({ type: "impatience" }); watchPatience(); }, IMPATIENCE_MS);
}

function onStatus(answer) {
  if (!answer) {
    tell({ type: "unheard" });
    return;
  }
  status = answer;
  tell({ type: "status", server: answer.state, playable: Boolean(answer.playlist) });
  controls?.onStatus(answer);
}

function onTrouble(trouble) {
  tell({ type: "video", video: trouble });
}

function onRefusedPlay(error) {
  // Some phones refuse even a silent start when they save power: the play button is the way then.
  if (error.name === "NotAllowedError") tell({ type: "video", video: "paused" });
}

async function onFirstFrame() {
  page.picture = "";
  if (firstFrameSeen) return;
  firstFrameSeen = true;
  const { takeControls } = await import("./controls.js");
  controls = takeControls(video, player);
  controls.onStatus(status);
}

function onVideo(name) {
  clearTimeout(stallTimer);
  if (facts.video !== "idle" && facts.video !== "unplayable") tell({ type: "video", video: name });
}

video.addEventListener("loadeddata", onFirstFrame);
video.addEventListener("playing", () => onVideo("playing"));
video.addEventListener("pause", () => { if (!video.ended) onVideo("paused"); });
video.addEventListener("ended", () => onVideo("finished"));
video.addEventListener("waiting", () => {
  clearTimeout(stallTimer);
  stallTimer = setTimeout(() => onVideo("stalled"), STALL_MS);
});

// The page was written a moment ago and says what the server would: the picture need not wait for
// the first answer. A tab that is opened behind others waits until it is seen, as ever.
if (page.status && !document.hidden) onStatus(JSON.parse(page.status));
reader.ask();
