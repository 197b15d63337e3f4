/** Topics and rooms as lists show them. Pure. */
import type { Glance, Room } from "../wire/contract";
import type { Need } from "./attention";
import { type Desk, LIVE } from "./desk";

export type TopicFilter = "open" | "resolved" | "all";

/** Newest activity first, resolved ones last. */
export function topicsOf(desk: Desk, room: string, filter: TopicFilter): Glance[] {
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

/** The one state of a topic that matters most. */
export function statusOf(desk: Desk, glance: Glance, needs: readonly Need[]): string {
  if (glance.topic.archived_at !== null) return "resolved";
  const need = needs.find((one) => one.topic === glance.topic.id);
  if (need?.type === "ask") return "waiting";
  if (need?.type === "interrupted") return "interrupted";
  if (glance.run && LIVE.has(glance.run.status)) return glance.run.status;
  const waits = Object.values(desk.deliveries).some(
    (one) => one.topic === glance.topic.id && (one.status === "pending" || one.status === "claimed"),
  );
  if (waits) return "queued";
  if (glance.run?.status === "failed" || glance.run?.status === "interrupted") return glance.run.status;
  if (glance.run?.status === "succeeded" && glance.unread > 0) return "succeeded";
  return "idle";
}

/** Rooms by name, with what is unread in them. */
export function roomsOf(desk: Desk): { room: Room; unread: number }[] {
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
export function roomNamed(desk: Desk, name: string): Room | undefined {
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
