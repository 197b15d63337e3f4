/** What stands before the cursor and could be completed: `@na` calls somebody, `/na` is a command. Pure. */

export interface Trigger {
  sign: "@" | "/" | "#";
  /** What was typed after the sign. */
  word: string;
  /** Where the sign stands. */
  start: number;
}

const BEFORE_CURSOR = /(?:^|\s)([@/#＠])([\w.-]{0,64})$/;

export function triggerAt(text: string, cursor: number): Trigger | null {
  const found = BEFORE_CURSOR.exec(text.slice(0, cursor));
  if (!found) return null;
  const word = found[2] ?? "";
  const sign = found[1] === "＠" ? "@" : (found[1] as Trigger["sign"]);
  return { sign, word, start: cursor - word.length - 1 };
}

/** The text with the completion in place of what was typed, and where the cursor goes. */
export function complete(
  text: string,
  cursor: number,
  trigger: Trigger,
  value: string,
): { text: string; cursor: number } {
  const inserted = `${trigger.sign}${value} `;
  const rest = text.slice(cursor).replace(/^ /, "");
  return { text: text.slice(0, trigger.start) + inserted + rest, cursor: trigger.start + inserted.length };
}

/** Those that begin as was typed, then those that hold it. */
export function matching<T>(things: readonly T[], word: string, name: (thing: T) => string, most = 8): T[] {
  const wanted = word.toLowerCase();
  const begin = things.filter((thing) => name(thing).toLowerCase().startsWith(wanted));
  const hold = things.filter((thing) => !begin.includes(thing) && name(thing).toLowerCase().includes(wanted));
  return [...begin, ...hold].slice(0, most);
}
