/* The controls: fetched after the first frame, so that they never delay it.
 *
 * The markup came with the page, hidden. Every button names a command; the commands stand in one
 * table here, and keys (keyboard.js) name the same ones. What the browser cannot do stays hidden.
 */

import { showAbout } from "./about.js";
import { bindKeys } from "./keyboard.js";
import { LivePill } from "./live.js";
import { Screen } from "./screen.js";
import { Statistics } from "./stats.js";

const IDLE_MS = 3000;
const VOLUME_STEP = 0.1;

const stage = document.getElementById("stage");
const bar = document.getElementById("bar");
const sound = document.getElementById("sound");
const volume = document.getElementById("volume");
const help = document.getElementById("help");
const quality = document.getElementById("quality");
const audio = document.getElementById("audio");

/** Show the controls and make them work; `onStatus` of what it returns takes each new status. */
export function takeControls(video, player) {
  const live = new LivePill(video, player);
  const statistics = new Statistics(video, player);
  const screen = new Screen(stage, video);
  const commands = {
    play: () => (video.paused ? video.play() : video.pause()),
    mute: () => { video.muted = !video.muted; if (!video.volume) video.volume = 1; },
    sound: () => { video.muted = false; video.play(); },
    louder: () => setVolume(video, video.volume + VOLUME_STEP),
    quieter: () => setVolume(video, video.volume - VOLUME_STEP),
    seek: (seconds) => live.seek(seconds),
    live: () => live.go(),
    stats: () => statistics.toggle(),
    pip: () => screen.togglePip(),
    fullscreen: () => screen.toggleFull(),
    help: () => (help.open ? help.close() : help.showModal()),
  };
  bindButtons(commands);
  bindKeys(stage, commands);
  bindSound(video);
  bindPlay(video);
  bindQuality(video, player);
  bindAudio(video, player);
  bindPointer(video, commands);
  bindShare();
  bar.hidden = false;
  return { onStatus: showAbout };
}

function bindButtons(commands) {
  for (const button of document.querySelectorAll("[data-command]")) {
    button.addEventListener("click", () => commands[button.dataset.command]());
  }
  for (const button of document.querySelectorAll(".keys-button")) button.hidden = false;
}

/** Give the button of a command another meaning: its picture and its name. */
function relabel(command, picture, label) {
  const button = bar.querySelector(`[data-command=${command}]`);
  button.querySelector("use").setAttribute("href", `#i-${picture}`);
  button.setAttribute("aria-label", label);
  button.title = button.title.replace(/^[^(]*/, `${label} `);
}

function bindPlay(video) {
  const show = () => relabel("play", ...(video.paused ? ["play", "Play"] : ["pause", "Pause"]));
  video.addEventListener("play", show);
  video.addEventListener("pause", show);
  video.addEventListener("emptied", show);
  show();
}

function setVolume(video, level) {
  video.volume = Math.min(1, Math.max(0, Math.round(level * 100) / 100));
  video.muted = video.volume === 0;
}

function bindSound(video) {
  const show = () => {
    const silent = video.muted || video.volume === 0;
    relabel("mute", ...(silent ? ["silence", "Unmute"] : ["sound", "Mute"]));
    volume.value = silent ? 0 : Math.round(video.volume * 100);
    volume.style.setProperty("--level", `${volume.value}%`);
    if (!silent) sound.hidden = true;
  };
  volume.addEventListener("input", () => setVolume(video, volume.valueAsNumber / 100));
  video.addEventListener("volumechange", show);
  sound.hidden = !video.muted;
  show();
}

function bindQuality(video, player) {
  const name = ({ height, bitrate }) => (height ? `${height}p` : `${Math.round(bitrate / 1000)}k`);
  bindMenu(quality, video, {
    choices: () => [
      ["Auto", -1],
      ...player.levels.map((level, number) => [name(level), number]).reverse(),
    ],
    least: 3,
    chosen: () => player.chosenLevel,
    choose: (number) => { player.chosenLevel = number; },
  });
}

function bindAudio(video, player) {
  bindMenu(audio, video, {
    choices: () => player.audioTracks.map(({ name }, number) => [name, number]),
    least: 2,
    chosen: () => player.chosenAudio,
    choose: (number) => { player.chosenAudio = number; },
  });
}

/** Fill a menu with [name, number] choices; with fewer than `least` it is not shown. */
function bindMenu(menu, video, { choices, least, chosen, choose }) {
  const select = menu.querySelector("select");
  const fill = () => {
    const all = choices();
    select.replaceChildren(...all.map(([name, number]) => new Option(name, number)));
    select.value = chosen();
    menu.hidden = all.length < least;
  };
  select.addEventListener("change", () => choose(Number(select.value)));
  video.addEventListener("loadeddata", fill); // of each load: the next session may have others
  fill();
}

function bindPointer(video, commands) {
  let timer = 0;
  const rest = () => {
    const needed = video.paused || bar.querySelector(":focus-visible") || bar.matches(":hover");
    stage.toggleAttribute("data-idle", !needed);
  };
  const wake = () => {
    stage.removeAttribute("data-idle");
    clearTimeout(timer);
    timer = setTimeout(rest, IDLE_MS);
  };
  video.addEventListener("click", (event) => {
    // A finger's first tap shows the controls, and the second hides them; a mouse plays or pauses.
    if (event.pointerType !== "touch") commands.play();
    else if (stage.hasAttribute("data-idle")) wake();
    else stage.setAttribute("data-idle", "");
  });
  video.addEventListener("dblclick", () => commands.fullscreen());
  stage.addEventListener("pointermove", (event) => { if (event.pointerType !== "touch") wake(); });
  for (const event of ["focusin", "keydown"]) stage.addEventListener(event, wake);
  bar.addEventListener("pointerdown", wake);
  video.addEventListener("pause", wake);
  video.addEventListener("playing", wake);
  wake();
}

function bindShare() {
  const share = document.getElementById("share");
  if (!share || !navigator.clipboard) return;
  const label = share.querySelector("span");
  const words = label.textContent;
  share.hidden = false;
  share.addEventListener("click", async () => {
    await navigator.clipboard.writeText(location.origin + location.pathname);
    label.textContent = "Copied";
    setTimeout(() => { label.textContent = words; }, 2000);
  });
}
