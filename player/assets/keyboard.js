/* Which key is which command; the help on the page lists the same ones.
 *
 * A key belongs first to what has the focus: a slider moves by arrows, a button is pressed by the
 * space bar. Keys that scroll a page (space, arrows, End) are taken only on the stage and where
 * nothing has the focus, so that the rest of the page scrolls as everywhere.
 */

const KEYS = {
  " ": ["play"], k: ["play"], m: ["mute"], ArrowUp: ["louder"], ArrowDown: ["quieter"],
  ArrowLeft: ["seek", -5], ArrowRight: ["seek", 5], j: ["seek", -10], l: ["seek", 10],
  End: ["live"], f: ["fullscreen"], i: ["pip"], s: ["stats"], "?": ["help"],
};

const SCROLLING = [" ", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "End"];

/** The command of a key press, as [name, ...arguments]; null where the key is not ours to take. */
export function commandOf({ key, ctrlKey, altKey, metaKey }, focus) {
  if (ctrlKey || altKey || metaKey) return null;
  const name = key.length === 1 ? key.toLowerCase() : key;
  if (focus === "field") return null;
  if (focus === "slider" && name.startsWith("Arrow")) return null;
  if (focus === "button" && name === " ") return null;
  if (focus === "elsewhere" && SCROLLING.includes(name)) return null;
  return KEYS[name] ?? null;
}

export function bindKeys(stage, commands) {
  document.addEventListener("keydown", (event) => {
    const command = commandOf(event, focusOf(event.target, stage));
    if (!command || (document.querySelector("dialog[open]") && command[0] !== "help")) return;
    event.preventDefault();
    const [name, ...rest] = command;
    commands[name](...rest);
  });
}

function focusOf(target, stage) {
  if (target.matches("input[type=range]")) return "slider";
  if (target.matches("select, input, textarea")) return "field";
  if (target.matches("button, a")) return stage.contains(target) ? "button" : "elsewhere";
  return "page";
}
