/* Notices that a part comes too slowly while it is coming, and tells hls.js how fast it is.
 *
 * hls.js chooses qualities by an average over seconds of loading, and in an emergency when the
 * buffer is about to run dry. A second behind live both are too late: before the next quality can
 * be shown, its playlist has to be loaded, and its segment from the keyframe on. So a part that
 * will plainly not be here in its own length is enough: the average is begun anew with what was
 * measured of it, and what is loaded next is of a quality that fits.
 */

const EVERY_MS = 50;
const SURE_AFTER = 0.3; // of the part's length
const TOO_LONG = 0.85; // likewise: it has to come in less

/** The bits per second at which a part of `length` seconds comes, where that is too slow. */
export function tooSlow({ length, passed, untilFirst, loaded, total }) {
  if (passed < SURE_AFTER * length || !loaded || !total) return null;
  if (passed * (total / loaded) < TOO_LONG * length) return null;
  return (8 * loaded) / Math.max(passed - untilFirst, 0.001);
}

export class Downshift {
  #hls;
  #timer = 0;

  constructor(hls, Events) {
    this.#hls = hls;
    hls.on(Events.FRAG_LOADING, (_, { frag, part }) => this.#watch(frag, part));
    hls.on(Events.DESTROYING, () => clearInterval(this.#timer));
  }

  #watch(frag, part) {
    if (frag.type !== "main") return;
    clearInterval(this.#timer);
    const { minAutoLevel, autoLevelEnabled } = this.#hls;
    if (!part || !autoLevelEnabled || frag.level <= minAutoLevel) return;
    this.#timer = setInterval(() => this.#look(part), EVERY_MS);
  }

  #look(part) {
    const { loading, loaded, total, aborted } = part.stats;
    if (loading.end || aborted) {
      clearInterval(this.#timer);
      return;
    }
    const passed = (performance.now() - loading.start) / 1000;
    const untilFirst = loading.first ? (loading.first - loading.start) / 1000 : passed;
    const rate = tooSlow({ length: part.duration, passed, untilFirst, loaded, total });
    if (rate === null) return;
    clearInterval(this.#timer);
    this.#hls.bandwidthEstimate = rate;
  }
}
