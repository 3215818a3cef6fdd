/* Keeps one video close to live: reads where it is, and does what pace.js decides.
 *
 * hls.js would do a part of this by itself (maxLiveSyncPlaybackRate), but what a stall has added to
 * its target stays, it gives up on who is further behind, and it hurries while nothing comes. */

import { UNWORRIED, aimOf, calmed, pace, worried } from "./pace.js";

const HERE_S = 1; // so close to the aim, one is live again whatever one meant

export class Pacer {
  /** Whether the viewer means to be live; who pauses or goes back does not, until he returns. */
  meansLive = true;

  #video;
  #hls = null;
  #worry = UNWORRIED;

  constructor(video) {
    this.#video = video;
    video.addEventListener("timeupdate", () => this.#tick());
    video.addEventListener("waiting", () => this.#onWaiting());
    video.addEventListener("pause", () => {
      // A browser that puts a hidden tab to sleep does not speak for the viewer.
      if (!video.ended && !document.hidden) this.meansLive = false;
    });
  }

  /** What hls.js is to use in place of its own idea of latency, for the stream of one load. */
  controller(Base) {
    const aim = (details) => this.#aim(details);
    return class extends Base {
      #hls;

      constructor(hls) {
        super(hls);
        this.#hls = hls;
      }

      get targetLatency() {
        return aim(this.#hls.latestLevelDetails) ?? super.targetLatency;
      }

      set targetLatency(seconds) {
        super.targetLatency = seconds;
      }
    };
  }

  /** Take over a new load, or with null end the last one. */
  follow(hls) {
    this.#hls = hls;
    this.meansLive = true;
    this.#worry = UNWORRIED;
    this.#video.playbackRate = 1;
  }

  #aim(details) {
    if (!details) return null;
    const qualities = this.#hls?.levels.length ?? 1;
    return aimOf({ part: details.partTarget, qualities }, this.#worry);
  }

  #onWaiting() {
    const { seeking, played } = this.#video;
    if (this.#hls && !seeking && played.length) this.#worry = worried(this.#worry, now());
  }

  #tick() {
    const details = this.#hls?.latestLevelDetails;
    const aim = this.#hls?.targetLatency;
    if (!details?.live || !aim || this.#video.paused || this.#video.seeking) return;
    this.#worry = calmed(this.#worry, now());
    const behind = this.#hls.latency;
    if (Math.abs(behind - aim) < HERE_S) this.meansLive = true;
    const { partTarget: part, targetduration: segment } = details;
    const { rate, jump } = pace({
      behind,
      aim,
      part,
      unit: part || segment,
      buffer: this.#buffer(),
      rate: this.#video.playbackRate,
      meansLive: this.meansLive,
    });
    if (this.#video.playbackRate !== rate) this.#video.playbackRate = rate;
    if (jump) this.#jump();
  }

  #jump() {
    const live = this.#hls.liveSyncPosition;
    if (live !== null && live > this.#video.currentTime) this.#video.currentTime = live;
  }

  #buffer() {
    const { buffered, currentTime } = this.#video;
    return buffered.length ? buffered.end(buffered.length - 1) - currentTime : 0;
  }
}

function now() {
  return performance.now() / 1000;
}
