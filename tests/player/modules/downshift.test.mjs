import assert from "node:assert/strict";
import test from "node:test";

import { tooSlow } from "../../../player/assets/downshift.js";

const PART = { length: 0.5, untilFirst: 0.02, total: 80_000 };

test("a part that will be here in time is let be", () => {
  assert.equal(tooSlow({ ...PART, passed: 0.2, loaded: 60_000 }), null);
});

test("a part that will take as long as it lasts says what the connection gives", () => {
  const rate = tooSlow({ ...PART, passed: 0.22, loaded: 20_000 });
  assert.equal(Math.round(rate), 800_000);
});

test("at first nothing is known, and of a part that has not begun nothing ever", () => {
  assert.equal(tooSlow({ ...PART, passed: 0.1, loaded: 1_000 }), null);
  assert.equal(tooSlow({ ...PART, passed: 0.6, loaded: 0 }), null);
  assert.equal(tooSlow({ ...PART, passed: 0.6, loaded: 10_000, total: 0 }), null);
});
