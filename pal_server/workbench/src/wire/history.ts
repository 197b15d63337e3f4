import type { Event } from "./contract";
import { Refused } from "./request";

const CAUGHT_UP = ": beat"; // what the stream says when everything is sent that was there

/**
 * Events after a position up to another, from the log's stream, which is read until it has caught up: what one may not
 * see leaves gaps, so the last position may never come. Rejects when the stream ends before.
 */
export async function readHistory(after: number, upTo: number, signal: AbortSignal): Promise<Event[]> {
  if (upTo <= after) return [];
  const stop = new AbortController();
  signal.addEventListener("abort", () => stop.abort());
  const response = await fetch(`/api/events?after=${after}`, {
    signal: stop.signal,
    headers: { Accept: "text/event-stream" },
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const events: Event[] = [];
  let rest = "";
  let isCaughtUp = false;
  while (!isCaughtUp && (events.at(-1)?.position ?? after) < upTo) {
    const read = await reader?.read();
    if (!read || read.done) throw new Refused("unreachable", "The history ended before it was read.", 0);
    const frames = (rest + read.value).split("\n\n");
    rest = frames.pop() ?? "";
    for (const frame of frames) {
      const data = frame.split("\n").find((line) => line.startsWith("data: "));
      if (data) events.push(JSON.parse(data.slice(6)) as Event);
      else isCaughtUp ||= frame.startsWith(CAUGHT_UP);
    }
  }
  stop.abort();
  return events.filter((event) => event.position <= upTo);
}
