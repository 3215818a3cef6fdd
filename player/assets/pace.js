/* How far behind live to play, and how fast, so that a viewer is neither late nor out of breath.
 *
 * All lengths are in seconds. A part of a low-latency stream comes once in its length, so that the
 * buffer goes up and down by one part all the time; what counts is where its low points are:
 *
 *     behind live   |<------------------ aim ------------------>|
 *     buffer high   |xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx|       a part has just come
 *     buffer low    |xxxxxxxxxxxxxxxxxxxxx|<---- part --->|       ... and the next is due
 *
 * The playlist's own PART-HOLD-BACK, three parts, suits players that know nothing of the server.
 * Ours begins closer, and pays for it with an aim that moves: away by a part whenever the picture
 * had to wait, and back again when nothing has happened for a while, which is longer each time.
 *
 * A little late is caught up by playing faster; a little early, with a buffer that has run nearly
 * dry, by playing slower. Whoever is far behind is so by choice, having paused or gone back, and is
 * left in peace; or without it, after a sleep or an outage, and then jumps.
 *
 * Pure: facts and time in, decisions out.
 */

const AIM_PARTS = 2.2; // decision 0016 has the table from which this was chosen
const AIM_PARTS_OF_SEVERAL = 3; // decision 0018: to notice that a quality is too much, and leave it
const LATE_S = 0.15; // from here on one hurries, or dawdles,
const ON_TIME_S = 0.03; // ... until here: the aim moves a little with every part that comes
const FASTEST = 1.5;
const SLOWEST = 0.8;
const HASTE = 0.3; // by how much the rate goes up for each second of delay
const STEP = 0.05; // of rates: a rate that changes all the time is heard
const FAR_S = 3;

const CALM_S = 10; // after the first stall; doubled by each that follows
const LONGEST_CALM_S = 160;
const MOST_PARTS_AWAY = 4;

export const UNWORRIED = { away: 0, calm: CALM_S, until: 0 };

/** The aim of a stream whose parts are `part` seconds long, and which has so many `qualities`; null
 *  leaves it to the playlist. */
export function aimOf({ part, qualities }, worry) {
  const parts = qualities > 1 ? AIM_PARTS_OF_SEVERAL : AIM_PARTS;
  return part ? part * (parts + worry.away) : null;
}

/** After a stall: one part more, for a longer time than before. */
export function worried(worry, now) {
  const away = Math.min(worry.away + 1, MOST_PARTS_AWAY);
  return { away, calm: Math.min(worry.calm * 2, LONGEST_CALM_S), until: now + worry.calm };
}

/** As time goes by without a stall: one part less, and in the end no memory of it. */
export function calmed(worry, now) {
  if (now < worry.until || worry === UNWORRIED) return worry;
  if (worry.away > 0) return { ...worry, away: worry.away - 1, until: now + worry.calm };
  return UNWORRIED;
}

/** Choose {rate, jump}, from where one is (`behind` live, `aim`, `buffer` ahead, the `rate` until
 *  now), how media comes (in a `part`, or else in a segment: `unit`), and what the viewer means. */
export function pace({ behind, aim, buffer, rate, part, unit, meansLive }) {
  const late = behind - aim;
  if (late > Math.max(FAR_S, 1.5 * unit)) return { rate: 1, jump: meansLive };
  // `behind` also grows when nothing comes: only what is in the buffer can be hurried through.
  const hurries = late > (rate > 1 ? ON_TIME_S : LATE_S) && buffer > aim - unit / 2;
  const dawdles = part && -late > (rate < 1 ? ON_TIME_S : LATE_S) && buffer < aim / 2;
  return { rate: hurries || dawdles ? rounded(late) : 1, jump: false };
}

function rounded(late) {
  const rate = Math.round((1 + late * HASTE) / STEP) * STEP;
  const away = late > 0 ? Math.max(rate, 1 + STEP) : Math.min(rate, 1 - STEP);
  return Number(Math.min(FASTEST, Math.max(SLOWEST, away)).toFixed(2));
}
