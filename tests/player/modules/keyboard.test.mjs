import assert from "node:assert/strict";
import { test } from "node:test";

import { commandOf } from "../../../player/assets/keyboard.js";

const press = (key, focus = "page", more = {}) => commandOf({ key, ...more }, focus);

test("every key does what the help says", () => {
  const said = {
    " ": ["play"], k: ["play"], K: ["play"], m: ["mute"], f: ["fullscreen"], i: ["pip"],
    s: ["stats"], "?": ["help"], End: ["live"], ArrowUp: ["louder"], ArrowDown: ["quieter"],
    ArrowLeft: ["seek", -5], ArrowRight: ["seek", 5], j: ["seek", -10], l: ["seek", 10],
  };
  for (const [key, command] of Object.entries(said)) assert.deepEqual(press(key), command, key);
});

test("other keys are not ours", () => {
  for (const key of ["x", "Tab", "Escape", "Enter", "Home"]) assert.equal(press(key), null, key);
});

test("the browser keeps its own combinations", () => {
  for (const held of ["ctrlKey", "altKey", "metaKey"]) {
    assert.equal(press("f", "page", { [held]: true }), null);
  }
});

test("a key belongs first to what has the focus", () => {
  assert.equal(press(" ", "button"), null);
  assert.deepEqual(press("m", "button"), ["mute"]);
  assert.equal(press("ArrowLeft", "slider"), null);
  assert.deepEqual(press(" ", "slider"), ["play"]);
  assert.equal(press("f", "field"), null);
});

test("beside the stage, keys that scroll a page scroll it", () => {
  for (const key of [" ", "ArrowUp", "ArrowDown", "End"]) {
    assert.equal(press(key, "elsewhere"), null, key);
  }
  assert.deepEqual(press("k", "elsewhere"), ["play"]);
});
