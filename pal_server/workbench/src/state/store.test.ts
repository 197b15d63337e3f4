import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Wire } from "../wire/connection";
import type { Event } from "../wire/contract";
import { event, glance, ME, message, run, snapshot, topic } from "./factories";
import { Store } from "./store";

interface Asked {
  path: string;
  answer(body: unknown): Promise<void>;
}

/** A store whose server answers when the test says so. */
function scene() {
  const asked: Asked[] = [];
  const wire: Wire = { send: () => {}, close: () => {}, onopen: null, onmessage: null, onclose: null };
  vi.stubGlobal("fetch", (path: string) => {
    return new Promise((resolve) => {
      const answer = async (body: unknown) => {
        resolve({ ok: true, json: async () => body });
        await vi.advanceTimersByTimeAsync(0);
      };
      asked.push({ path, answer });
    });
  });
  const store = new Store(
    snapshot({ position: 4 }),
    () => {},
    () => wire,
  );
  store.start();
  wire.onopen?.();
  const say = (said: Event) => wire.onmessage?.({ data: JSON.stringify(said) });
  const answer = (path: string, body: unknown) => asked.find((one) => one.path.startsWith(path))?.answer(body);
  return { store, say, answer };
}

const said = (position: number, id: number, at = 1): Event =>
  event(position, "message.created", { ...message({ id, topic: at }), deliveries: [] });

describe("the store", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => {} });
    vi.stubGlobal("requestAnimationFrame", (tell: () => void) => setTimeout(tell, 0));
    vi.stubGlobal("document", {
      visibilityState: "visible",
      addEventListener: () => {},
      removeEventListener: () => {},
    });
    vi.stubGlobal("window", { addEventListener: () => {}, removeEventListener: () => {} });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("loses nothing that comes between the reading of a page and its arrival", async () => {
    const { store, say, answer } = scene();
    const opened = store.openTopic(1);

    say(said(5, 2));
    say(event(6, "run.finished", run({ id: 9, status: "succeeded" })));
    await answer("/api/messages", { messages: [message({ id: 1 })] });
    await answer("/api/runs", { runs: [run({ id: 9, status: "running" })] });
    await answer("/api/deliveries", { deliveries: [] });
    await opened;

    expect(store.get().desk.logs[1]?.messages.map((one) => one.id)).toEqual([1, 2]);
    expect(store.get().desk.runs[9]?.status).toBe("succeeded");
  });

  it("takes a new snapshot although the stream is ahead of it when it comes", async () => {
    const { store, say, answer } = scene();
    say(said(5, 1, 77)); // of a topic nobody told of: it is behind

    say(said(7, 2));
    const fresh = snapshot({ position: 6, me: ME, topics: [glance(), glance({ topic: topic({ id: 77 }) })] });
    await answer("/api/snapshot", { snapshot: fresh });

    const { desk } = store.get();
    expect([desk.topics[77]?.topic.id, desk.topics[1]?.last?.message]).toEqual([77, 2]);
    expect([desk.position, desk.isBehind]).toEqual([7, false]);
  });
});
