/* Figures in a viewer's words: how long, how much, which codec. Pure, but for `now`. */

const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60]];

/** "3 hours ago", in the viewer's own language. */
export function ago(date, now = Date.now()) {
  const seconds = Math.max(0, (now - new Date(date)) / 1000);
  const format = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  const [unit, size] = UNITS.find(([, each]) => seconds >= each) ?? ["minute", 60];
  return format.format(-Math.floor(seconds / size), unit);
}

/** "1:02:03": how long something has been going on. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

const CODECS = [
  [/^avc[13]/, "H.264"], [/^h(vc|ev)1/, "HEVC"], [/^av01/, "AV1"], [/^vp09/, "VP9"],
  [/^mp4a\.(40\.34|69|6[bB])/, "MP3"], [/^mp4a/, "AAC"], [/^opus/i, "Opus"],
  [/^flac/i, "FLAC"], [/^ac-3/, "AC-3"], [/^ec-3/, "E-AC-3"],
];

/** "H.264, AAC" for "avc1.64001f,mp4a.40.2"; a codec without a name keeps its own. */
export function codecNames(codecs) {
  const name = (codec) => CODECS.find(([form]) => form.test(codec))?.[1] ?? codec;
  return codecs.split(",").map((codec) => name(codec.trim())).join(", ");
}

/** "4.2 Mbit/s" */
export function bitrate(bits) {
  return bits >= 1e6 ? `${(bits / 1e6).toFixed(1)} Mbit/s` : `${Math.round(bits / 1e3)} kbit/s`;
}
