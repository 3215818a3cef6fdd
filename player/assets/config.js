/* How hls.js is set for a live stream of ours, and why. What is not here is at its default. */

export const HLS_CONFIG = {
  // A file, because the pages' policy allows no worker that is made of a string (a blob).
  workerPath: new URL("../vendor/hls.js/hls.worker.js", import.meta.url).href,

  // Whether codecs can be played is asked of MediaSource anyway. MediaCapabilities is asked about
  // smoothness as well, and the first part has to wait for its answer.
  useMediaCapabilities: false,

  // Nothing is put between what is live. What would do that has its own idea of where to go on.
  enableInterstitialPlayback: false,

  // Lists its parts or not, a playlist of ours is played as close to live as it allows.
  lowLatencyMode: true,

  // Who is late is brought back by pace.js, whatever made it so: hls.js itself leaves the rate
  // alone (which it does at 1) and does not move its aim away for good with each stall.
  maxLiveSyncPlaybackRate: 1,
  liveSyncOnStallIncrease: 0,

  // Enough to go back a little with j; the default keeps everything, which a phone has no room for.
  backBufferLength: 60,

  // The video's length is honest, too: a live stream has none.
  liveDurationInfinity: true,

  // Of several qualities, none that has more pixels than the player.
  capLevelToPlayerSize: true,

  // How fast the idea of the connection follows what is measured, in seconds of loading: parts load
  // in a fraction of their length, so at the defaults (3 and 9) it takes minutes to go up again.
  abrEwmaFastLive: 0.5,
  abrEwmaSlowLive: 1,

  // No first segment that is fetched for measuring only: the first picture comes first.
  testBandwidth: false,
  abrEwmaDefaultEstimate: 3_000_000,
};
