/** How tall a row of a conversation is thought to be until it is measured, in pixels. Pure, and cheap: it is asked for each row. */
import type { Item } from "./timeline";

const OTHERS = { run: 180, sending: 70, day: 36, unread: 28 } as const satisfies Record<string, number>;
const HEAD = 40; // name, time and the space around them
const JOINED = 14; // the space alone
const LINE = 24;
const BREAK = 0.7; // of a line: a new one, or the gap of a paragraph
const MOST = 6_000; // characters that are shown of a long message

/** The better it is, the fewer rows are made that nobody sees. `columns`: characters that fit in a line. */
export function heightOf(item: Item, columns: number): number {
  if (item.type !== "message") return OTHERS[item.type];
  const { content } = item.message;
  const shown = Math.min(content.length, MOST);
  let breaks = 0;
  for (let at = content.indexOf("\n"); at >= 0 && at < shown; at = content.indexOf("\n", at + 1)) breaks += 1;
  return Math.round((item.isJoined ? JOINED : HEAD) + LINE * (Math.ceil(shown / columns) + BREAK * breaks));
}
