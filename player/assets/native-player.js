/* One stream played by the browser's own HLS: for browsers in which hls.js cannot work (iPhones
 * before iOS 17.1). Asked second, because others answer "maybe" here and then play it badly.
 *
 * It tells nothing of qualities or bitrates, so those parts of the page stay hidden.
 */

export class NativePlayer {
  levels = [];
  chosenLevel = -1;
  audioTracks = [];
  chosenAudio = -1;
  level = { bitrate: null, codecs: null };
  meansLive = true; // the browser keeps its own distance

  #video;
  #report;

  constructor(video, report) {
    this.#video = video;
    this.#report = report;
    video.addEventListener("error", () => this.#onError());
  }

  load(address) {
    this.#video.src = address;
  }

  stop() {
    this.#video.removeAttribute("src");
    this.#video.load();
  }

  #onError() {
    const unknown = this.#video.error?.code === MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED;
    this.#report(unknown ? "unplayable" : "finished");
  }

  get livePosition() {
    const { seekable } = this.#video;
    return seekable.length ? seekable.end(seekable.length - 1) : null;
  }

  get playingDate() {
    const start = this.#video.getStartDate?.().getTime();
    return start ? new Date(start + this.#video.currentTime * 1000) : null;
  }
}
