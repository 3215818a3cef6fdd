/* One stream played by hls.js: what the page may ask of it, and how it gets over errors.
 *
 * A new instance of hls.js is made for each load, so that nothing of a session that ended reaches
 * into the next one. `report` is told "unplayable" when this browser does not know the codecs, and
 * "finished" when only a new load can help.
 */

import Hls from "../vendor/hls.js/hls.min.mjs";
import { HLS_CONFIG } from "./config.js";
import { Downshift } from "./downshift.js";
import { Kinds } from "./kinds.js";
import { Pacer } from "./pacer.js";
import { remedy } from "./recovery.js";

export class HlsPlayer {
  static isSupported() {
    return Hls.isSupported();
  }

  #video;
  #report;
  #hls = null;
  #pacer;
  #attempt = 0;
  #timer = 0;

  constructor(video, report) {
    this.#video = video;
    this.#report = report;
    this.#pacer = new Pacer(video);
    video.addEventListener("playing", () => { this.#attempt = 0; });
  }

  load(address, { isTs }) {
    this.stop();
    // Fragmented MP4 goes to the browser nearly as it comes: less work than to start a worker.
    const latencyController = this.#pacer.controller(Hls.DefaultConfig.latencyController);
    this.#hls = new Hls({ ...HLS_CONFIG, enableWorker: isTs, latencyController });
    new Downshift(this.#hls, Hls.Events);
    if (!isTs) new Kinds(this.#hls, Hls.Events, (start) => this.#onOtherKinds(start));
    this.#hls.on(Hls.Events.ERROR, (_, error) => error.fatal && this.#onFatal(error));
    this.#hls.loadSource(address);
    this.#hls.attachMedia(this.#video);
    this.#pacer.follow(this.#hls);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#pacer.follow(null);
    this.#hls?.destroy();
    this.#hls = null;
  }

  #onFatal(error) {
    const { action, afterMs } = remedy(error, this.#attempt++);
    if (action === "give-up") {
      this.stop();
      this.#report("unplayable");
      return;
    }
    this.#plan(afterMs, () => {
      console.warn(`hls.js gave up (${error.details}): ${action}`);
      this.#remedies[action]();
    });
  }

  /** What was buffered of the tracks before is passed over; in place of what the error, if there
   *  was one, would be answered with. */
  #onOtherKinds(start) {
    const plays = !this.#video.paused;
    this.#plan(0, () => {
      const position = Math.max(start, this.#video.currentTime);
      this.#hls.detachMedia();
      this.#hls.attachMedia(this.#video);
      this.#hls.startLoad(position);
      if (plays) this.#video.play().catch(() => {});
    });
  }

  #plan(afterMs, act) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, afterMs);
  }

  #remedies = {
    restart: () => this.#hls.startLoad(),
    recover: () => { this.#hls.recoverMediaError(); this.#video.play().catch(() => {}); },
    reload: () => this.#report("finished"),
  };

  /** Where one is who has missed nothing, on the video's clock; null where there is no such place,
   *  because nothing is loaded or the session is over. */
  get livePosition() {
    return this.#hls?.latestLevelDetails?.live ? this.#hls.liveSyncPosition : null;
  }

  /** The viewer goes back, or comes back: what he means to watch from now on. */
  set meansLive(live) {
    this.#pacer.meansLive = live;
  }

  /** The wall clock of what is on the screen, by the playlist's PROGRAM-DATE-TIME. */
  get playingDate() {
    return this.#hls?.playingDate ?? null;
  }

  /** The qualities as {height, bitrate}, in the order of their numbers. */
  get levels() {
    return this.#hls?.levels ?? [];
  }

  /** The quality asked for; -1 leaves the choice to hls.js. */
  get chosenLevel() {
    return this.#hls?.autoLevelEnabled === false ? this.#hls.manualLevel : -1;
  }

  set chosenLevel(number) {
    if (this.#hls) this.#hls.nextLevel = number;
  }

  /** The sounds to choose from as {name}, in the order of their numbers; none if there is one. */
  get audioTracks() {
    return this.#hls?.audioTracks ?? [];
  }

  get chosenAudio() {
    return this.#hls?.audioTrack ?? -1;
  }

  set chosenAudio(number) {
    if (this.#hls) this.#hls.audioTrack = number;
  }

  /** What is being played: {bitrate, codecs}, as far as the playlist says. */
  get level() {
    const level = this.levels[this.#hls?.currentLevel ?? -1];
    return {
      bitrate: level?.bitrate ?? null,
      codecs: [level?.videoCodec, level?.audioCodec].filter(Boolean).join(", ") || null,
    };
  }
}
