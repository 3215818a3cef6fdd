import assert from "node:assert/strict";
import test from "node:test";

import { UNWORRIED, aimOf, calmed, pace, worried } from "../../../player/assets/pace.js";

const PART = 0.5;
const AIM = aimOf({ part: PART }, UNWORRIED);
const PLAYING = {
  behind: AIM, aim: AIM, buffer: AIM - 0.1, rate: 1, part: PART, unit: PART, meansLive: true,
};
const CLASSIC = { ...PLAYING, behind: 6, aim: 6, buffer: 5, part: 0, unit: 2 };

test("low latency aims closer than PART-HOLD-BACK, and further than the part that is due", () => {
  assert.ok(AIM < 3 * PART);
  assert.ok(AIM > 1.5 * PART);
});

test("where there are qualities to change between, there is more time to do so", () => {
  assert.equal(aimOf({ part: PART, qualities: 2 }, UNWORRIED), 3 * PART);
  assert.equal(aimOf({ part: PART, qualities: 1 }, UNWORRIED), AIM);
});

test("without parts the aim is the playlist's", () => {
  assert.equal(aimOf({ part: 0 }, UNWORRIED), null);
});

test("on time, nothing is done", () => {
  assert.deepEqual(pace(PLAYING), { rate: 1, jump: false });
  assert.deepEqual(pace(CLASSIC), { rate: 1, jump: false });
});

test("who is late plays faster, and the more so the later", () => {
  const rates = [0.2, 0.8, 1.5, 2.9].map((late) =>
    pace({ ...PLAYING, behind: AIM + late, buffer: AIM + late }).rate);
  assert.deepEqual(rates, [1.05, 1.25, 1.45, 1.5]);
});

test("hurrying goes on until one is on time, and does not begin for nothing", () => {
  const late = { ...PLAYING, behind: AIM + 0.1, buffer: AIM };
  assert.equal(pace({ ...late, rate: 1 }).rate, 1);
  assert.equal(pace({ ...late, rate: 1.2 }).rate, 1.05);
});

test("what nothing refills is not hurried through", () => {
  assert.equal(pace({ ...PLAYING, behind: AIM + 1, buffer: 0.4 }).rate, 1);
  assert.equal(pace({ ...CLASSIC, behind: 8, buffer: 4 }).rate, 1);
});

test("a buffer that ran dry is filled again by playing slower, where parts come", () => {
  const dry = { ...PLAYING, behind: 0.4, buffer: 0.3 };
  assert.equal(pace(dry).rate, 0.8);
  assert.equal(pace({ ...dry, buffer: AIM }).rate, 1);
  assert.equal(pace({ ...CLASSIC, behind: 2, buffer: 1 }).rate, 1);
});

test("who is far behind without meaning to be jumps, and who means it is left in peace", () => {
  assert.deepEqual(pace({ ...PLAYING, behind: 20 }), { rate: 1, jump: true });
  assert.deepEqual(pace({ ...PLAYING, behind: 20, meansLive: false }), { rate: 1, jump: false });
});

test("a segment late is not yet far behind", () => {
  assert.equal(pace({ ...CLASSIC, behind: 6 + 2.9 }).jump, false);
  assert.equal(pace({ ...CLASSIC, behind: 6 + 10, unit: 10 }).jump, false);
  assert.equal(pace({ ...CLASSIC, behind: 6 + 3.1 }).jump, true);
});

test("each stall moves the aim away by a part, for longer each time, but not for ever", () => {
  const once = worried(UNWORRIED, 100);
  const twice = worried(once, 101);
  assert.equal(aimOf({ part: PART }, once), AIM + PART);
  assert.equal(aimOf({ part: PART }, twice), AIM + 2 * PART);
  assert.ok(twice.until - 101 > once.until - 100);
  let many = UNWORRIED;
  for (let stall = 0; stall < 50; stall += 1) many = worried(many, 200 + stall);
  assert.ok(aimOf({ part: PART }, many) <= AIM + 4 * PART);
});

test("after a quiet time the aim comes back, a part at a time", () => {
  const twice = worried(worried(UNWORRIED, 0), 1);
  assert.equal(calmed(twice, 2), twice);
  const less = calmed(twice, twice.until);
  assert.equal(less.away, 1);
  const none = calmed(less, less.until);
  assert.equal(none.away, 0);
  assert.equal(calmed(none, none.until - 1), none, "what happened is remembered for a while");
  assert.equal(calmed(none, none.until), UNWORRIED);
});
