import assert from "node:assert/strict";
import { test } from "node:test";

import { readings } from "../../../player/assets/stats.js";
import { ago, bitrate, clock, codecNames } from "../../../player/assets/words.js";

const NOON = Date.parse("2026-01-02T12:00:00Z");
const before = (seconds) => new Date(NOON - seconds * 1000).toISOString();

test("the past is told in its largest unit", () => {
  const words = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  assert.equal(ago(before(3 * 3600 + 59), NOON), words.format(-3, "hour"));
  assert.equal(ago(before(90), NOON), words.format(-1, "minute"));
  assert.equal(ago(before(86_400 * 2), NOON), words.format(-2, "day"));
  assert.equal(ago(before(5), NOON), words.format(-0, "minute"));
  assert.equal(ago(before(-60), NOON), words.format(-0, "minute"), "a server's clock may be ahead");
});

test("a clock has hours only when it needs them", () => {
  const words = ["0:00", "0:09", "1:05", "1:00:00", "10:10:10", "0:00"];
  assert.deepEqual([0, 9, 65, 3600, 36_610, -3].map(clock), words);
});

test("codecs are called by the names that streamers know", () => {
  assert.equal(codecNames("avc1.64001f,mp4a.40.2"), "H.264, AAC");
  assert.equal(codecNames("hvc1.1.6.L93.B0, opus"), "HEVC, Opus");
  assert.equal(codecNames("av01.0.05M.08,mp4a.40.34"), "AV1, MP3");
  assert.equal(codecNames("fLaC,ac-3,ec-3"), "FLAC, AC-3, E-AC-3");
  assert.equal(codecNames("avc1.64001f,mp4a.6b"), "H.264, MP3");
  assert.equal(codecNames("strange.1"), "strange.1");
});

test("bitrates have the unit that fits", () => {
  assert.equal(bitrate(4_210_000), "4.2 Mbit/s");
  assert.equal(bitrate(96_400), "96 kbit/s");
});

const VIDEO = {
  videoWidth: 1280, videoHeight: 720, currentTime: 10,
  buffered: { length: 2, start: (n) => [0, 9][n], end: (n) => [5, 13.5][n] },
  getVideoPlaybackQuality: () => ({ droppedVideoFrames: 3, totalVideoFrames: 500 }),
};

test("latency is the wall clock less that of the picture", () => {
  const level = { bitrate: 3e6, codecs: "avc1.64001f" };
  const player = { level, playingDate: new Date(NOON - 6240) };
  assert.deepEqual(readings(VIDEO, player, NOON), {
    latency: "6.2 s", resolution: "1280 × 720", bitrate: "3.0 Mbit/s", buffer: "3.5 s",
    dropped: "3 of 500", codec: "H.264 (avc1.64001f)",
  });
});

test("what cannot be known is left out", () => {
  const silent = { videoWidth: 0, currentTime: 0, buffered: { length: 0 } };
  const player = { level: { bitrate: null, codecs: null }, playingDate: null };
  assert.deepEqual(readings(silent, player, NOON), {
    latency: null, resolution: null, bitrate: null, buffer: "0.0 s", dropped: null, codec: null,
  });
});

test("a viewer's clock that is plainly wrong gives no latency", () => {
  const level = { bitrate: null, codecs: null };
  for (const wrong of [-5_000, 7_200_000]) {
    const player = { level, playingDate: new Date(NOON - wrong) };
    assert.equal(readings(VIDEO, player, NOON).latency, null);
  }
});
