/* Full screen and picture in picture, by whichever name this browser has for them.
 *
 * An iPhone gives the full screen to a video alone, by a call of its own; elsewhere the whole stage
 * goes there, and our controls with it. */

export class Screen {
  #stage;
  #video;

  constructor(stage, video) {
    this.#stage = stage;
    this.#video = video;
    this.#button("fullscreen").hidden = !document.fullscreenEnabled && !video.webkitEnterFullscreen;
    this.#button("pip").hidden = !document.pictureInPictureEnabled;
    document.addEventListener("fullscreenchange", () => this.#show());
  }

  async toggleFull() {
    if (document.fullscreenElement) await document.exitFullscreen();
    else if (document.fullscreenEnabled) await this.#stage.requestFullscreen();
    else this.#video.webkitEnterFullscreen?.();
  }

  async togglePip() {
    if (document.pictureInPictureElement) await document.exitPictureInPicture();
    else if (document.pictureInPictureEnabled) await this.#video.requestPictureInPicture();
  }

  #button(command) {
    return this.#stage.querySelector(`[data-command=${command}]`);
  }

  #show() {
    const full = Boolean(document.fullscreenElement);
    const button = this.#button("fullscreen");
    button.querySelector("use").setAttribute("href", full ? "#i-shrink" : "#i-fullscreen");
    button.setAttribute("aria-label", full ? "Leave full screen" : "Full screen");
  }
}
