/* Reads status.json again and again, and knows when not to.
 *
 * `no-cache` lets the browser ask with the ETag it has, so that an unchanged state costs a 304. A
 * hidden tab does not ask at all, and asks at once when it is seen again. One failure is an
 * accident; the second in a row, or a browser that says it is offline, means that nobody is there.
 */

const PATIENCE_MS = 5000;

// A server that was begun anew may not know the name yet; it does know that it is not live.
const UNKNOWN = { state: "offline", playlist: null, last_live: null, codecs: null };

export class StatusReader {
  #address;
  #delay;
  #tell;
  #timer = 0;
  #failures = 0;
  #asking = false;

  /** `delay` says after how many milliseconds to ask again; `tell` takes a status, or null. */
  constructor(address, { delay, tell }) {
    this.#address = address;
    this.#delay = delay;
    this.#tell = tell;
    document.addEventListener("visibilitychange", () => this.ask());
    window.addEventListener("online", () => this.ask());
    window.addEventListener("offline", () => this.ask());
  }

  /** Ask now, and from then on in the given rhythm. */
  async ask() {
    if (this.#asking || document.hidden) return;
    clearTimeout(this.#timer);
    this.#asking = true;
    const status = await this.#read();
    this.#asking = false;
    this.#failures = status ? 0 : this.#failures + 1;
    this.#timer = setTimeout(() => this.ask(), this.#delay());
    if (status || this.#failures > 1 || !navigator.onLine) this.#tell(status);
  }

  async #read() {
    try {
      const answer = await fetch(this.#address, {
        cache: "no-cache",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (answer.status === 404) return UNKNOWN;
      return answer.ok ? await answer.json() : null;
    } catch {
      return null;
    }
  }
}
