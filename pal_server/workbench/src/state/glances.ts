/** Topics and rooms as lists show them. Pure. */
import type { Glance, Room } from "../wire/contract";
import type { Need } from "./attention";
import { type Desk, LIVE } from "./desk";

export type TopicFilter = "open" | "resolved" | "all";

/** Newest activity first, resolved ones last. */
export function topicsOf(desk: Pick<Desk, "topics">, room: string, filter: TopicFilter): Glance[] {
  return Object.values(desk.topics)
    .filter((glance) => glance.topic.room === room)
    .filter(({ topic }) => filter === "all" || (topic.archived_at === null) === (filter === "open"))
    .sort(
      (one, other) =>
        Number(one.topic.archived_at !== null) - Number(other.topic.archived_at !== null) ||
        activity(other) - activity(one),
    );
}

export function activity({ topic, last }: Glance): number {
  return last?.at ?? topic.last_message_at ?? topic.created_at;
}

/** What is told of topics elsewhere, looked up by topic: a list asks it for each of its rows. */
export interface Standing {
  need: ReadonlyMap<number, Need>;
  queued: ReadonlySet<number>;
}

/** `needs` in their order: of several in one topic the first is the one that counts. */
export function standingOf(desk: Pick<Desk, "deliveries">, needs: readonly Need[]): Standing {
  const need = new Map<number, Need>();
  for (const one of needs) if (!need.has(one.topic)) need.set(one.topic, one);
  const queued = new Set<number>();
  for (const one of Object.values(desk.deliveries)) {
    if (one.status === "pending" || one.status === "claimed") queued.add(one.topic);
  }
  return { need, queued };
}

/** The one state of a topic that matters most. */
export function statusOf(glance: Glance, { need, queued }: Standing): string {
  const { topic, run, unread } = glance;
  if (topic.archived_at !== null) return "resolved";
  const wanted = need.get(topic.id);
  if (wanted?.type === "ask") return "waiting";
  if (wanted?.type === "interrupted") return "interrupted";
  if (run && LIVE.has(run.status)) return run.status;
  if (queued.has(topic.id)) return "queued";
  if (run?.status === "failed" || run?.status === "interrupted") return run.status;
  if (run?.status === "succeeded" && unread > 0) return "succeeded";
  return "idle";
}

/** Rooms by name, with what is unread in them. */
export function roomsOf(desk: Pick<Desk, "rooms" | "topics">): { room: Room; unread: number }[] {
  const unread = new Map<string, number>();
  for (const glance of Object.values(desk.topics)) {
    if (glance.unread > 0) unread.set(glance.topic.room, (unread.get(glance.topic.room) ?? 0) + glance.unread);
  }
  return Object.values(desk.rooms)
    .filter((room) => room.archived_at === null)
    .sort((one, other) => one.name.localeCompare(other.name))
    .map((room) => ({ room, unread: unread.get(room.id) ?? 0 }));
}

/** A topic's list may be asked for before its room is known by id: addresses carry names. */
export function roomNamed(desk: Pick<Desk, "rooms">, name: string): Room | undefined {
  return Object.values(desk.rooms).find((room) => room.name === name || room.id === name);
}

/** Whether every word that was typed is somewhere in the text. */
export function lookIn(text: string, words: string): boolean {
  const within = text.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean)
    .every((word) => within.includes(word));
}
