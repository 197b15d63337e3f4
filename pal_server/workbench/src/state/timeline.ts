/** The order in which a topic shows what it holds: messages, runs in the place where they began, and what waits to be sent. */
import type { Message, Run } from "../wire/contract";
import type { Sending } from "./outbox";

export type Item =
  | { key: string; type: "message"; message: Message; isJoined: boolean; at: number }
  | { key: string; type: "run"; run: Run; words: Message | null; isJoined: boolean; at: number }
  | { key: string; type: "sending"; sending: Sending; isJoined: boolean; at: number }
  | { key: string; type: "day"; at: number }
  | { key: string; type: "unread"; at: number };

const JOINED_FOR = 5 * 60_000; // milliseconds within which messages of one speaker belong together

export function timelineOf(given: {
  messages: readonly Message[];
  runs: readonly Run[];
  sending: readonly Sending[];
  /** Up to which message the reader had read when the topic was opened; null when there is nothing to mark. */
  readUpTo: number | null;
  isMine: (message: Message) => boolean;
}): Item[] {
  const { messages, sending } = given;
  const words = lastWordsOfRuns(messages, given.runs);
  const inRuns = new Set([...words.values()].map((message) => message.id));
  const oldest = messages[0]?.created_at ?? 0;
  const runs = given.runs.filter((run) => run.created_at >= oldest && run.status !== "dry_run");
  const items: Item[] = [
    ...messages
      .filter((message) => !inRuns.has(message.id) && message.deleted_at === null)
      .map(
        (message): Item => ({
          key: `m${message.id}`,
          type: "message",
          message,
          isJoined: false,
          at: message.created_at,
        }),
      ),
    ...runs.map(
      (run): Item => ({
        key: `r${run.id}`,
        type: "run",
        run,
        words: words.get(run.id) ?? null,
        isJoined: false,
        at: run.created_at,
      }),
    ),
  ];
  // A message and the run it set off may have one time; what was said comes first.
  items.sort((one, other) => one.at - other.at || rank(one) - rank(other) || idOf(one) - idOf(other));
  items.push(
    ...sending.map(
      (one): Item => ({ key: `s${one.clientId}`, type: "sending", sending: one, isJoined: false, at: one.at }),
    ),
  );
  return withMarks(joined(items), given.readUpTo, given.isMine);
}

/** A run's own card shows the last thing it said; what it said before stands where it was said. */
function lastWordsOfRuns(messages: readonly Message[], runs: readonly Run[]): Map<number, Message> {
  const known = new Set(runs.map((run) => run.id));
  const last = new Map<number, Message>();
  for (const message of messages) {
    const isOwn = message.run !== null && known.has(message.run) && message.sender.kind === "agent";
    if (isOwn && message.run !== null && message.deleted_at === null) last.set(message.run, message);
  }
  return last;
}

function joined(items: Item[]): Item[] {
  return items.map((item, index) => {
    const before = items[index - 1];
    if (!before || !("isJoined" in item) || !("isJoined" in before)) return item;
    const isSame = speaker(before) === speaker(item) && speaker(item) !== "" && item.at - before.at < JOINED_FOR;
    return isSame ? { ...item, isJoined: true } : item;
  });
}

function withMarks(items: Item[], readUpTo: number | null, isMine: (message: Message) => boolean): Item[] {
  const marked: Item[] = [];
  let day = "";
  let isMarked = readUpTo === null;
  for (const item of items) {
    const today = new Date(item.at).toDateString();
    if (today !== day) {
      marked.push({ key: `d${today}`, type: "day", at: item.at });
      day = today;
    }
    const message = item.type === "message" ? item.message : item.type === "run" ? item.words : null;
    if (!isMarked && readUpTo !== null && message && message.id > readUpTo && !isMine(message)) {
      marked.push({ key: "unread", type: "unread", at: item.at });
      isMarked = true;
    }
    marked.push(item);
  }
  return marked;
}

function speaker(item: Item): string {
  switch (item.type) {
    case "message":
      return item.message.kind === "text" ? `${item.message.sender.kind}:${item.message.sender.name}` : "";
    case "run":
      return `agent:${item.run.agent}`;
    case "sending":
      return "sending";
    default:
      return "";
  }
}

function rank(item: Item): number {
  return item.type === "message" && item.message.sender.kind !== "agent" && item.message.kind === "text" ? 0 : 1;
}

function idOf(item: Item): number {
  return item.type === "message" ? item.message.id : item.type === "run" ? item.run.id : 0;
}
