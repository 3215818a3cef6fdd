/* Which of a stream's two playlists to play: fragmented MP4 unless MPEG-TS is the better choice.
 *
 * It is where somebody asks for it (`?format=ts`), and where the browser does not know the codecs
 * within MP4: Chromium takes MP3 as a stream of its own, which hls.js makes of TS, and in no MP4.
 */

/** `plays` says whether the browser takes the codecs within MP4. */
export function sourceOf({ playlist, ts_playlist: ts, codecs }, { wantsTs, plays }) {
  if (!ts) return playlist;
  return wantsTs || (codecs && !plays(codecs)) ? ts : playlist;
}

export function playsWithinMp4(codecs) {
  const Source = globalThis.ManagedMediaSource ?? globalThis.MediaSource;
  return Source?.isTypeSupported(`video/mp4; codecs="${codecs}"`) ?? true;
}
