/* What to do about an error that hls.js could not help itself out of.
 *
 * A live page is never dead: whatever happened, a later attempt may find the server back or a new
 * session begun. Only codecs that the browser does not know are final for a session. The first
 * answer to each kind of error is the mildest one, which keeps the picture; where that does not
 * help within moments, the player is built anew.
 *
 * Pure: the caller keeps the count of attempts, and sets it back to 0 when the picture moves.
 */

const CODEC_ERRORS = [
  "manifestIncompatibleCodecsError", "bufferIncompatibleCodecsError", "bufferAddCodecError",
];

const LONGEST_WAIT_MS = 8000;

/** Choose a remedy: "give-up", "restart" (load on), "recover" (a fresh decoder, same position) or
 *  "reload" (a new player), and after how many milliseconds. */
export function remedy({ type, details }, attempt) {
  if (CODEC_ERRORS.includes(details)) return { action: "give-up", afterMs: 0 };
  const afterMs = Math.min(LONGEST_WAIT_MS, 500 * 2 ** attempt);
  if (type === "mediaError" && attempt < 2) return { action: "recover", afterMs: 0 };
  // Without a manifest there is nothing to load on from.
  const canGoOn = type === "networkError" && !details.startsWith("manifest");
  return { action: canGoOn ? "restart" : "reload", afterMs };
}
