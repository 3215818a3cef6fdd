/* What a watch page shows, decided from two witnesses: the server and the video element.
 *
 * The server (status.json) says whether there is a stream; the video says whether its picture
 * moves. They disagree all the time: a viewer is some seconds behind, so the server says "ended"
 * while the last words still play. The rules:
 *
 *   server offline, starting, ended   what has been fetched plays to its end, shown as live;
 *                                     then the player is emptied and the server's word is shown
 *   server live                       loads what is not loaded; live while the picture moves or
 *                                     is paused, buffering while it does not
 *   server reconnecting               said at once, over a picture that goes on or stands still
 *   server not heard                  lost, as soon as the picture has nothing more to show; what
 *                                     stands still is loaded anew when the server is heard again
 *
 * The video, as far as it matters here (load and stop are ours, everything else happens to it;
 * finished is also a player that broke and needs a new load):
 *
 *   idle --load--> loading --> playing <--> paused, stalled --> finished --load--> loading
 *     ^               |           |              |                 |
 *     |               `------> unplayable        |                 |
 *     `--------------- stop, when the server says that it is over -'
 *
 * Pure: facts and an event in, facts and actions out. Nothing here knows a page, a clock or hls.js.
 */

export const STATES = [
  "offline", "starting", "live", "reconnecting", "ended", "buffering", "unplayable", "lost",
];

const OVER = ["offline", "starting", "ended"];
const SHOWING = ["playing", "paused"];

export const BEGINNING = { server: "offline", heard: true, video: "idle" };

/** Take an event:
 *
 *    {type: "status", server, playable}   the server's word, and whether there is a playlist
 *    {type: "unheard"}                    the server does not answer
 *    {type: "video", video}               the video went over to another state by itself
 *    {type: "impatience"}                 the picture should move, and has not for long
 *
 *  Actions are "load" (anew), "stop" (empty the player), "ask" (read the status now). */
export function step(facts, event) {
  switch (event.type) {
    case "status":
      return settle(onStatus({ ...facts, server: event.server, heard: true }, event, facts));
    case "unheard":
      return settle({ facts: { ...facts, heard: false }, actions: [] });
    case "video":
      return settle(onVideo({ ...facts, video: event.video }));
    case "impatience":
      return onImpatience(facts);
    default:
      throw new Error(`no such event: ${event.type}`);
  }
}

/** Name what the page shows. */
export function nameOf({ server, heard, video }) {
  if (!heard && !SHOWING.includes(video)) return "lost";
  if (OVER.includes(server)) return video === "playing" ? "live" : server;
  if (video === "unplayable") return "unplayable";
  if (server === "reconnecting") return "reconnecting";
  return SHOWING.includes(video) ? "live" : "buffering";
}

function onStatus(facts, { playable }, before) {
  const { server, video } = facts;
  if (!playable || OVER.includes(server)) return { facts, actions: [] };
  // A video that finished while the server still says "live" belongs to a session that is over,
  // and this answer is younger than its end: it speaks of the next one.
  const wanted = video === "idle" || video === "finished";
  const otherCodec = video === "unplayable" && server === "live" && before.server !== "live";
  const serverIsBack = video === "stalled" && !before.heard;
  return wanted || otherCodec || serverIsBack ? load(facts) : { facts, actions: [] };
}

function onVideo(facts) {
  const worried = facts.video === "stalled" || facts.video === "finished";
  return { facts, actions: worried ? ["ask"] : [] };
}

function onImpatience(facts) {
  const stuck = facts.video === "stalled" || facts.video === "loading";
  return stuck && facts.server === "live" ? load(facts) : { facts, actions: [] };
}

function settle({ facts, actions }) {
  const done = OVER.includes(facts.server) && facts.video !== "playing" && facts.video !== "idle";
  return done
    ? { facts: { ...facts, video: "idle" }, actions: [...actions, "stop"] }
    : { facts, actions };
}

function load(facts) {
  return { facts: { ...facts, video: "loading" }, actions: ["load"] };
}

/** How long until the status is read again, in milliseconds.
 *
 *  The edge keeps an answer for a second, so asking more often than that costs the origin nothing.
 *  While live, two seconds still see a publisher's absence of three; a start is worth a hurry. */
export function pollDelay(name) {
  if (name === "live") return 2000;
  return name === "starting" ? 500 : 1000;
}
