import type { Event } from "./contract";

/** Events after a position up to another, from the log's stream, which is read until it has caught up. */
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
  // What one may not see leaves gaps, so the last position may never come: a moment of silence ends it too.
  while (reader && (events.at(-1)?.position ?? after) < upTo) {
    const read = await Promise.race([reader.read(), silence()]);
    if (read === null || read.done) break;
    const frames = (rest + read.value).split("\n\n");
    rest = frames.pop() ?? "";
    for (const frame of frames) {
      const data = frame.split("\n").find((line) => line.startsWith("data: "));
      if (data) events.push(JSON.parse(data.slice(6)) as Event);
    }
  }
  stop.abort();
  return events.filter((event) => event.position <= upTo);
}

function silence(): Promise<null> {
  return new Promise((resolve) => setTimeout(() => resolve(null), 1_500));
}
