/** What waits for a person, in the order of what the waiting costs. Pure. */
import type { Delivery, Glance, Interaction } from "../wire/contract";
import type { Desk } from "./desk";

export type Need = { key: string; at: number; room: string; topic: number; agent: string } & (
  | { type: "ask"; interaction: Interaction }
  | { type: "interrupted" | "dead"; delivery: Delivery }
  | { type: "failed" | "finished"; glance: Glance }
);

/** The parts of what is known that tell who waits. */
export type Asking = Pick<Desk, "interactions" | "deliveries" | "topics">;

const FORGOTTEN = 14 * 86_400_000; // milliseconds after which nobody expects an answer to what ended

/**
 * A deadline comes before everything, an agent that stands still before work that ended, what people alone wait for
 * between them; then who waits for longest.
 */
export function needsOf(desk: Asking, now: number): Need[] {
  const needs: Need[] = [];
  for (const one of Object.values(desk.interactions)) {
    if (one.status !== "pending") continue;
    const { room, topic } = one;
    needs.push({
      key: `i${one.id}`,
      type: "ask",
      interaction: one,
      at: one.created_at,
      room,
      topic,
      agent: one.agent ?? "",
    });
  }
  for (const delivery of Object.values(desk.deliveries)) {
    const { status, room, topic, agent, updated_at: at } = delivery;
    if ((status !== "interrupted" && status !== "dead") || now - at > FORGOTTEN) continue;
    needs.push({ key: `d${delivery.id}`, type: status, delivery, at, room, topic, agent });
  }
  const told = new Set(needs.map((need) => need.topic));
  for (const glance of Object.values(desk.topics)) {
    const { run, last, unread, topic } = glance;
    if (!run || !last || unread === 0 || told.has(topic.id) || topic.archived_at !== null) continue;
    const type = run.status === "failed" ? "failed" : run.status === "succeeded" ? "finished" : null;
    if (type === null || now - last.at > FORGOTTEN) continue;
    needs.push({ key: `t${topic.id}`, type, glance, at: last.at, room: topic.room, topic: topic.id, agent: run.agent });
  }
  return needs.sort((one, other) => cost(one) - cost(other) || one.at - other.at);
}

/** Those that somebody has to answer, as they are counted in amber. What ended is news. */
export function countNeeds(needs: readonly Need[]): number {
  return needs.filter((need) => need.type !== "finished" && need.type !== "failed").length;
}

function cost(need: Need): number {
  switch (need.type) {
    case "ask":
      if (need.interaction.deny_at !== null) return 0;
      if (need.interaction.run === null) return 5;
      return need.interaction.kind === "question" ? 2 : 1;
    case "interrupted":
      return 3;
    case "dead":
      return 4;
    case "failed":
      return 6;
    case "finished":
      return 7;
  }
}
