/** Messages on their way: shown at once, sent until the server has them, never twice (`clientId`). Pure. */
import type { Message, SendMessage } from "../wire/contract";

export type Steer = NonNullable<SendMessage["steer"]>;

export interface Sending {
  clientId: string;
  room: string;
  topic: number;
  parent: number | null;
  content: string;
  files: readonly { id: string; name: string }[];
  steer: Steer | null;
  at: number;
  /** `waiting`: the server was away; it goes out when it is back. `refused`: only the person can help. */
  state: "sending" | "waiting" | "refused";
  reason: string;
}

export type Outbox = readonly Sending[];

export function added(outbox: Outbox, one: Sending): Outbox {
  return [...outbox, one];
}

export function changed(outbox: Outbox, clientId: string, change: Partial<Pick<Sending, "state" | "reason">>): Outbox {
  return outbox.map((one) => (one.clientId === clientId ? { ...one, ...change } : one));
}

export function removed(outbox: Outbox, clientId: string): Outbox {
  return outbox.filter((one) => one.clientId !== clientId);
}

/** The message has arrived, whichever told first: the answer or the log. */
export function arrived(outbox: Outbox, message: Message): Outbox {
  return message.client_id === null ? outbox : removed(outbox, message.client_id);
}

/** What to send next: one at a time and in order in each topic. */
export function due(outbox: Outbox): readonly Sending[] {
  const seen = new Set<number>();
  return outbox.filter((one) => {
    if (one.state === "refused" || seen.has(one.topic)) return false;
    seen.add(one.topic);
    return one.state === "waiting";
  });
}

export function parse(stored: string | null): Outbox {
  if (stored === null) return [];
  try {
    const found: unknown = JSON.parse(stored);
    if (!Array.isArray(found)) return [];
    return found.map((one: Sending) => ({ ...one, state: one.state === "refused" ? "refused" : "waiting" }));
  } catch {
    return [];
  }
}
