/** Which events are worth interrupting somebody for, as they chose. Pure. */
import type { TextKey } from "../text/en";
import type { Event, Interaction, Message, Run } from "../wire/contract";
import type { Desk } from "./desk";

export interface Notice {
  /** The same thing again replaces its notification. */
  key: string;
  text: TextKey;
  given: Record<string, string>;
  body: string;
  room: string;
  topic: number;
}

const BODY = 160; // characters

/** `minute` is of the day in the person's own time. */
export function noticeOf(
  desk: Desk,
  event: Event,
  minute: number,
  isMine: (message: Message) => boolean,
): Notice | null {
  const { preferences: chosen, me } = desk;
  if (isQuiet(chosen.quiet_from, chosen.quiet_until, minute)) return null;
  switch (event.kind) {
    case "interaction.opened": {
      const asked = event.data as unknown as Interaction;
      if (!chosen.notify_needs || asked.status !== "pending") return null;
      const text = asked.kind === "approval" ? "ask.wantsApproval" : asked.kind === "plan" ? "ask.plan" : "ask.asks";
      return {
        key: `i${asked.id}`,
        text,
        given: { agent: asked.agent ?? "pal" },
        body: cut(asked.title),
        ...placeOf(asked),
      };
    }
    case "message.created": {
      const message = event.data as unknown as Message;
      if (!chosen.notify_mentions || isMine(message) || !message.mentions.includes(me.name)) return null;
      const given = { name: message.sender.display_name || message.sender.name };
      return { key: `m${message.id}`, text: "notify.mention", given, body: cut(message.content), ...placeOf(message) };
    }
    case "run.finished": {
      const run = event.data as unknown as Run;
      const wasAsked = desk.logs[run.topic]?.messages.some((one) => one.id === run.message && isMine(one));
      if (!chosen.notify_runs || !wasAsked || run.status === "cancelled") return null;
      const text = run.status === "succeeded" ? "notify.ended" : "notify.failed";
      return { key: `r${run.id}`, text, given: { agent: run.agent }, body: cut(run.error ?? ""), ...placeOf(run) };
    }
    default:
      return null;
  }
}

/** Quiet hours may go over midnight. */
export function isQuiet(from: number | null, until: number | null, minute: number): boolean {
  if (from === null || until === null || from === until) return false;
  return from < until ? minute >= from && minute < until : minute >= from || minute < until;
}

function placeOf(thing: { room: string; topic: number }): { room: string; topic: number } {
  return { room: thing.room, topic: thing.topic };
}

function cut(text: string): string {
  return text.length > BODY ? `${text.slice(0, BODY)}…` : text;
}
