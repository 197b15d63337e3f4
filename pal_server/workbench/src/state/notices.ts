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
  /** What a click opens there: the card, the words, or the run. */
  shows: { message?: number; run?: number };
  /** Only for who said this message, where it is not known yet whether that is this person. */
  onlyFor: number | null;
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
        shows: asked.message === null ? {} : { message: asked.message },
        onlyFor: null,
      };
    }
    case "message.created": {
      const message = event.data as unknown as Message;
      if (!chosen.notify_mentions || isMine(message) || !message.mentions.includes(me.name)) return null;
      const given = { name: message.sender.display_name || message.sender.name };
      return {
        key: `m${message.id}`,
        text: "notify.mention",
        given,
        body: cut(message.content),
        ...placeOf(message),
        shows: { message: message.id },
        onlyFor: null,
      };
    }
    case "run.finished": {
      const run = event.data as unknown as Run;
      if (!chosen.notify_runs || run.message === null || run.status === "cancelled") return null;
      const asked = desk.logs[run.topic]?.messages.find((one) => one.id === run.message);
      if (asked && !isMine(asked)) return null;
      return {
        key: `r${run.id}`,
        text: run.status === "succeeded" ? "notify.ended" : "notify.failed",
        given: { agent: run.agent },
        body: cut(run.error ?? ""),
        ...placeOf(run),
        shows: { run: run.id },
        onlyFor: asked ? null : run.message,
      };
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
