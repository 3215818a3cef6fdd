import assert from "node:assert/strict";
import test from "node:test";

import { playsWithinMp4, sourceOf } from "../../../player/assets/source.js";

const STATUS = { playlist: "/a/index.m3u8", ts_playlist: "/a/ts/index.m3u8", codecs: "avc1.64001f" };
const plays = () => true;
const refuses = () => false;

test("MP4 is played where the browser knows the codecs", () => {
  assert.equal(sourceOf(STATUS, { wantsTs: false, plays }), "/a/index.m3u8");
});

test("MPEG-TS is played where somebody asks for it", () => {
  assert.equal(sourceOf(STATUS, { wantsTs: true, plays }), "/a/ts/index.m3u8");
});

test("MPEG-TS is played where the codecs are unknown within MP4", () => {
  assert.equal(sourceOf(STATUS, { wantsTs: false, plays: refuses }), "/a/ts/index.m3u8");
});

test("MP4 it is where there is no MPEG-TS, or nothing is known of the codecs", () => {
  const without = { ...STATUS, ts_playlist: null };
  assert.equal(sourceOf(without, { wantsTs: true, plays: refuses }), "/a/index.m3u8");
  const unknown = { ...STATUS, codecs: null };
  assert.equal(sourceOf(unknown, { wantsTs: false, plays: refuses }), "/a/index.m3u8");
});

test("a browser without MediaSource is not asked about codecs", () => {
  assert.equal(playsWithinMp4("avc1.64001f"), true);
});
