/** An event of the log in one line. An unknown kind is shown as it is, never dropped. Pure. */
import type { TextKey } from "../text/text";
import type { Event } from "../wire/contract";

/** What happened, as a text and what stands in it; `text` is null where there is none for it. */
export interface Telling {
  text: TextKey | null;
  given: Readonly<Record<string, string | number>>;
  agent: string | null;
  who: string | null;
  topic: number | null;
  run: number | null;
}

const TEXTS: Readonly<Record<string, TextKey>> = {
  "message.created": "happened.said",
  "message.edited": "happened.edited",
  "message.deleted": "happened.deleted",
  "run.started": "happened.runBegan",
  "run.changed": "happened.runIs",
  "run.finished": "happened.runIs",
  "interaction.opened": "happened.asked",
  "interaction.answered": "happened.answered",
  "topic.created": "happened.topicMade",
  "room.created": "happened.roomMade",
  "member.joined": "happened.joined",
  "member.left": "happened.left",
};
const LENGTH = 300; // characters of a line

export function telling(event: Event): Telling {
  const { kind, data } = event;
  const [noun] = kind.split(".");
  const sender = data.sender as { kind?: unknown; name?: unknown } | undefined;
  const isAgent = sender?.kind === "agent" || data.kind === "agent";
  const name = textOf(sender?.name) ?? textOf(data.principal) ?? textOf(data.name);
  const agent = textOf(data.agent) ?? (isAgent ? name : null) ?? (noun === "agent" ? textOf(data.key) : null);
  const who = sender ? textOf(sender.name) : (textOf(data.by) ?? textOf(data.answered_by) ?? textOf(data.username));
  const what = textOf(data.title) ?? textOf(data.content) ?? name ?? "";
  return {
    text: TEXTS[kind] ?? null,
    given: {
      id: typeof data.id === "number" ? data.id : "",
      agent: agent ?? "pal",
      who: who ?? name ?? agent ?? "pal",
      what: cut(what),
      status: textOf(data.status) ?? "",
    },
    agent,
    who,
    topic: numberOf(noun === "topic" ? data.id : data.topic),
    run: noun === "run" ? numberOf(data.id) : numberOf(data.run),
  };
}

/** Where there is no text: what the event has, in its own words. */
export function subjectOf(event: Event): string {
  const data = event.data;
  const parts = [data.title, data.content, data.name, data.key, data.agent, data.user, data.status]
    .filter((part): part is string => typeof part === "string" && part !== "")
    .slice(0, 3);
  const sender = data.sender as { name?: unknown } | undefined;
  if (typeof sender?.name === "string") parts.unshift(`${sender.name}:`);
  const id = typeof data.id === "number" ? `${event.kind.split(".")[0]} ${data.id}` : "";
  return cut([id, ...parts].filter(Boolean).join(" ")) || cut(JSON.stringify(data));
}

const cut = (text: string): string => text.slice(0, LENGTH);
const textOf = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);
const numberOf = (value: unknown): number | null => (typeof value === "number" ? value : null);
