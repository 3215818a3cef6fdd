/* Notices where a stream's picture or sound come or go, by the headers that are fed to the browser.
 *
 * A browser's buffer is made for the tracks of the first header that it is given. hls.js feeds it
 * another header behind a discontinuity, which is right for another camera; but one with a track
 * more or less is an error there, and the next attempt the same error. So the video has to be given
 * buffers of its own for the new tracks, from their first moment on.
 */

const KINDS = ["audio", "video", "audiovideo"]; // what hls.js calls a buffer

export class Kinds {
  #tell;
  #kinds = null;
  #start = 0;

  /** `tell` is called with the position on the video's clock at which other kinds begin. */
  constructor(hls, Events, tell) {
    this.#tell = tell;
    hls.on(Events.FRAG_LOADING, (_, { frag, part }) => {
      if (frag.type === "main") this.#start = (part ?? frag).start;
    });
    hls.on(Events.MEDIA_DETACHED, () => { this.#kinds = null; });
    hls.on(Events.FRAG_PARSING_INIT_SEGMENT, (_, { id, tracks }) => {
      if (id === "main") this.#meet(KINDS.filter((kind) => kind in tracks).join());
    });
  }

  #meet(kinds) {
    const had = this.#kinds;
    this.#kinds = kinds;
    if (had !== null && had !== kinds) this.#tell(this.#start);
  }
}
