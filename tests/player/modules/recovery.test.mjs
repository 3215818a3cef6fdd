import assert from "node:assert/strict";
import { test } from "node:test";

import { remedy } from "../../../player/assets/recovery.js";

const MEDIA = { type: "mediaError", details: "bufferAppendError" };
const PLAYLIST = { type: "networkError", details: "levelLoadError" };
const MANIFEST = { type: "networkError", details: "manifestLoadError" };

test("a decoder that fails is given a fresh one, and after two of them a new player", () => {
  const actions = [0, 1, 2, 3].map((attempt) => remedy(MEDIA, attempt).action);
  assert.deepEqual(actions, ["recover", "recover", "reload", "reload"]);
});

test("a playlist that cannot be fetched is asked for again", () => {
  assert.equal(remedy(PLAYLIST, 0).action, "restart");
});

test("without a manifest everything begins again", () => {
  assert.equal(remedy(MANIFEST, 0).action, "reload");
});

test("an unknown codec is final", () => {
  const error = { type: "mediaError", details: "manifestIncompatibleCodecsError" };
  assert.deepEqual(remedy(error, 0), { action: "give-up", afterMs: 0 });
});

test("an error without a remedy of its own begins again", () => {
  assert.equal(remedy({ type: "otherError", details: "internalException" }, 0).action, "reload");
});

test("attempts get rarer, but never rarer than each eight seconds", () => {
  const waits = [0, 1, 2, 3, 4, 5, 100].map((attempt) => remedy(PLAYLIST, attempt).afterMs);
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 8000, 8000]);
});
