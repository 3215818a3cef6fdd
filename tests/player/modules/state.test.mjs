import assert from "node:assert/strict";
import { test } from "node:test";

import { BEGINNING, STATES, nameOf, pollDelay, step } from "../../../player/assets/state.js";

const status = (server, playable = !["offline", "starting"].includes(server)) =>
  ({ type: "status", server, playable });
const video = (name) => ({ type: "video", video: name });
const VIDEOS = ["idle", "loading", "playing", "paused", "stalled", "finished", "unplayable"];
const unheard = { type: "unheard" };
const impatience = { type: "impatience" };

/** Play events from the beginning; return the name after each, and every action in order. */
function play(...events) {
  let facts = BEGINNING;
  const names = [];
  const actions = [];
  for (const event of events) {
    const next = step(facts, event);
    facts = next.facts;
    actions.push(...next.actions);
    names.push(nameOf(facts));
  }
  return { names, actions, facts };
}

test("a stream that starts is loaded once there is a playlist", () => {
  const { names, actions } = play(
    status("offline"), status("starting"), status("live"), status("live"), video("playing"));
  assert.deepEqual(names, ["offline", "starting", "buffering", "buffering", "live"]);
  assert.deepEqual(actions, ["load"]);
});

test("a pause is not a stall", () => {
  const { names } = play(status("live"), video("playing"), video("paused"), video("playing"));
  assert.deepEqual(names.slice(1), ["live", "live", "live"]);
});

test("a stall is shown, and the server is asked what it means", () => {
  const { names, actions } = play(
    status("live"), video("playing"), video("stalled"), video("playing"));
  assert.deepEqual(names.slice(1), ["live", "buffering", "live"]);
  assert.deepEqual(actions, ["load", "ask"]);
});

test("a publisher who comes back is shown without a new load", () => {
  const { names, actions } = play(
    status("live"), video("playing"), status("reconnecting"), video("stalled"),
    status("reconnecting"), status("live"), video("playing"));
  assert.deepEqual(
    names.slice(2), ["reconnecting", "reconnecting", "reconnecting", "buffering", "live"]);
  assert.deepEqual(actions, ["load", "ask"]);
});

test("a page opened while the publisher is away shows what there is", () => {
  assert.deepEqual(play(status("reconnecting")).actions, ["load"]);
});

test("a publisher who left before the first segment leaves nothing to load", () => {
  assert.deepEqual(play(status("reconnecting", false)).actions, []);
});

test("the last words are heard before the end is shown", () => {
  const { names, actions } = play(
    status("live"), video("playing"), status("ended"), status("ended"), video("finished"));
  assert.deepEqual(names.slice(1), ["live", "live", "live", "ended"]);
  assert.deepEqual(actions, ["load", "ask", "stop"]);
});

for (const over of ["offline", "starting", "ended"]) {
  for (const still of ["loading", "paused", "stalled", "unplayable"]) {
    test(`a ${still} video is put away when the server says ${over}`, () => {
      const { names, actions } = play(status("live"), video(still), status(over));
      assert.equal(names.at(-1), over);
      assert.equal(actions.at(-1), "stop");
    });
  }
}

test("what ended is not loaded, though its window can still be fetched", () => {
  assert.deepEqual(play(status("ended"), status("ended")).actions, []);
});

test("a session after the end is loaded anew", () => {
  const { names, actions } = play(
    status("live"), video("playing"), status("ended"), video("finished"),
    status("starting"), status("live"));
  assert.deepEqual(names.slice(-3), ["ended", "starting", "buffering"]);
  assert.deepEqual(actions, ["load", "ask", "stop", "load"]);
});

test("a session whose beginning nobody noticed is loaded when the old one has finished", () => {
  const { actions } = play(status("live"), video("playing"), video("finished"), status("live"));
  assert.deepEqual(actions, ["load", "ask", "load"]);
});

test("a finished video is not loaded again on what was said before it finished", () => {
  assert.deepEqual(
    play(status("live"), video("playing"), video("finished")).actions, ["load", "ask"]);
});

test("a codec that the browser does not know is final for a session, and for no other", () => {
  const { names, actions } = play(
    status("live"), video("unplayable"), status("live"), status("ended"), status("live"));
  assert.deepEqual(names, ["buffering", "unplayable", "unplayable", "ended", "buffering"]);
  assert.deepEqual(actions, ["load", "stop", "load"]);
});

test("a publisher who came back may have another codec", () => {
  const { actions } = play(
    status("live"), video("unplayable"), status("reconnecting"), status("live"));
  assert.deepEqual(actions, ["load", "load"]);
});

test("a silent server is no matter while the picture moves", () => {
  const { names, actions } = play(status("live"), video("playing"), unheard, status("live"));
  assert.deepEqual(names.slice(1), ["live", "live", "live"]);
  assert.deepEqual(actions, ["load"]);
});

test("what stood still while the server was silent is loaded anew when it is back", () => {
  const { names, actions } = play(
    status("live"), video("playing"), unheard, video("stalled"), status("live"), status("live"));
  assert.deepEqual(names.slice(3), ["lost", "buffering", "buffering"]);
  assert.deepEqual(actions, ["load", "ask", "load"]);
});

test("a page that hears nothing from the beginning says so", () => {
  assert.deepEqual(play(unheard, status("offline")).names, ["lost", "offline"]);
});

test("a picture that should move and does not is loaded anew", () => {
  assert.deepEqual(play(status("live"), impatience).actions, ["load", "load"]);
  assert.deepEqual(play(status("live"), video("playing"), impatience).actions, ["load"]);
  assert.deepEqual(
    play(status("live"), video("stalled"), status("reconnecting"), impatience).actions,
    ["load", "ask"]);
});

test("every state can be reached, and none is unknown", () => {
  const seen = new Set();
  for (const server of ["offline", "starting", "live", "reconnecting", "ended"]) {
    for (const each of VIDEOS) {
      for (const heard of [true, false]) seen.add(nameOf({ server, video: each, heard }));
    }
  }
  assert.deepEqual([...seen].sort(), [...STATES].sort());
});

test("an event that is not drawn is an error", () => {
  assert.throws(() => step(BEGINNING, { type: "nonsense" }), /no such event/);
});

test("a start is asked for more often than a live stream", () => {
  assert.ok(pollDelay("starting") < pollDelay("offline"));
  assert.ok(pollDelay("offline") < pollDelay("live"));
  for (const name of STATES) assert.ok(pollDelay(name) <= 2000);
});
