/* The live pill: says whether one is live, and brings one back.
 *
 * "Live" is where hls.js would begin now, not the newest byte: nobody can play closer than that. */

import { clock } from "./words.js";

const NOTICED_S = 3; // less is caught up by playing a little faster, and not worth a word

export class LivePill {
  #video;
  #player;
  #pill = document.getElementById("live");
  #behind = this.#pill.querySelector(".pill-behind");
  #words = this.#pill.querySelector(".pill-words");
  #shown = null;

  constructor(video, player) {
    this.#video = video;
    this.#player = player;
    video.addEventListener("timeupdate", () => this.#show());
    setInterval(() => this.#show(), 500); // a paused video falls behind without an event
    this.#show();
  }

  go() {
    const position = this.#player.livePosition;
    if (position !== null) this.#video.currentTime = position;
    this.#player.meansLive = true;
    this.#video.play();
  }

  /** Move by `seconds`, but not before what is kept nor past live. */
  seek(seconds) {
    const { seekable, currentTime } = this.#video;
    const last = this.#player.livePosition;
    if (!seekable.length || last === null) return;
    const wanted = Math.min(currentTime + seconds, Math.max(last, currentTime));
    if (seconds < 0) this.#player.meansLive = false;
    // The window moves on under who lingers at its beginning: going back never leads forward.
    this.#video.currentTime = Math.max(Math.min(seekable.start(0), currentTime), wanted);
  }

  #show() {
    const position = this.#player.livePosition ?? this.#video.currentTime;
    const behind = Math.round(position - this.#video.currentTime);
    const shown = behind >= NOTICED_S ? clock(behind) : "";
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#pill.toggleAttribute("data-behind", shown !== "");
    this.#behind.textContent = shown && `-${shown}`;
    this.#words.textContent = shown ? "Go live" : "Live";
    this.#pill.setAttribute("aria-label", shown ? `${behind} seconds behind. Go live` : "Live");
  }
}
