/** What stands before the cursor and could be completed: `@na` calls somebody or names a file, `/na` is a command. Pure. */

export interface Trigger {
  sign: "@" | "/" | "#";
  /** What was typed after the sign. */
  word: string;
  /** Where the sign stands. */
  start: number;
}

// A path may stand after an @, so slashes count there; after a slash they are a path of its own, which nobody completes.
const BEFORE_CURSOR = /(?:^|\s)(?:([@#＠])([\p{L}\p{N}_./-]{0,120})|(\/)([\p{L}\p{N}_.-]{0,64}))$/u;

export function triggerAt(text: string, cursor: number): Trigger | null {
  const found = BEFORE_CURSOR.exec(text.slice(0, cursor));
  if (!found) return null;
  const word = found[2] ?? found[4] ?? "";
  const given = found[1] ?? "/";
  const sign = given === "＠" ? "@" : (given as Trigger["sign"]);
  return { sign, word, start: cursor - word.length - 1 };
}

/** The text with `inserted` in place of what was typed, and where the cursor goes. */
export function complete(
  text: string,
  cursor: number,
  trigger: Trigger,
  inserted: string,
): { text: string; cursor: number } {
  const spaced = /\s$/.test(inserted) ? inserted : `${inserted} `;
  const rest = text.slice(cursor).replace(/^ /, "");
  return { text: text.slice(0, trigger.start) + spaced + rest, cursor: trigger.start + spaced.length };
}

/** Those that begin as was typed, then those that hold it. */
export function matching<T>(things: readonly T[], word: string, name: (thing: T) => string, most = 8): T[] {
  const wanted = word.toLowerCase();
  const begin = things.filter((thing) => name(thing).toLowerCase().startsWith(wanted));
  const hold = things.filter((thing) => !begin.includes(thing) && name(thing).toLowerCase().includes(wanted));
  return [...begin, ...hold].slice(0, most);
}

/** A topic as a link that reads well anywhere the message is shown; signs of Markdown in its title are text. */
export function topicLink(title: string, address: string): string {
  return `[#${title.replace(/[\\[\]`*_<>]/g, "\\$&")}](${address})`;
}

/** A path as code, which calls nobody, whatever is in it. */
export function pathWords(path: string): string {
  const fence = path.includes("`") ? "``" : "`";
  return `${fence}${path}${fence}`;
}
