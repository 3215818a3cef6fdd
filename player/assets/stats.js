/* The statistics: what is really played, read once a second while they are shown.
 *
 * "Behind the camera" is the wall clock now less that of the picture on the screen, which the
 * playlist's PROGRAM-DATE-TIME gives. It is true as far as the viewer's clock is, and is left out
 * where that clock is plainly wrong. */

import { bitrate, codecNames } from "./words.js";

const EVERY_MS = 1000;
const LONGEST_LATENCY_S = 3600;

export class Statistics {
  #video;
  #player;
  #panel = document.getElementById("stats");
  #transport = document.getElementById("transport");
  #button = document.querySelector("#bar [data-command=stats]");
  #timer = 0;

  constructor(video, player) {
    this.#video = video;
    this.#player = player;
    this.#transport.value = new URLSearchParams(location.search).get("format") ?? "";
    this.#transport.addEventListener("change", () => {
      location.search = this.#transport.value ? `?format=${this.#transport.value}` : "";
    });
  }

  toggle() {
    this.#panel.hidden = !this.#panel.hidden;
    this.#button.setAttribute("aria-expanded", String(!this.#panel.hidden));
    clearInterval(this.#timer);
    if (this.#panel.hidden) return;
    this.#show();
    this.#timer = setInterval(() => this.#show(), EVERY_MS);
  }

  #show() {
    for (const [key, text] of Object.entries(readings(this.#video, this.#player))) {
      this.#panel.querySelector(`[data-stat=${key}]`).textContent = text ?? "–";
    }
  }
}

/** Everything that is shown, in words; null for what cannot be known. */
export function readings(video, player, now = Date.now()) {
  const { bitrate: bits, codecs } = player.level;
  const { videoWidth: width, videoHeight: height } = video;
  const dropped = video.getVideoPlaybackQuality?.();
  return {
    latency: latency(player.playingDate, now),
    resolution: width ? `${width} × ${height}` : null,
    bitrate: bits && bitrate(bits),
    buffer: `${ahead(video).toFixed(1)} s`,
    dropped: dropped ? `${dropped.droppedVideoFrames} of ${dropped.totalVideoFrames}` : null,
    codec: codecs && `${codecNames(codecs)} (${codecs})`,
  };
}

function latency(playingDate, now) {
  if (!playingDate) return null;
  const seconds = (now - playingDate.getTime()) / 1000;
  return seconds > 0 && seconds < LONGEST_LATENCY_S ? `${seconds.toFixed(1)} s` : null;
}

function ahead({ buffered, currentTime }) {
  for (let range = 0; range < buffered.length; range += 1) {
    if (buffered.start(range) <= currentTime && currentTime <= buffered.end(range)) {
      return buffered.end(range) - currentTime;
    }
  }
  return 0;
}
