import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Connection, type Hears, type Link, type Wire } from "./connection";
import type { Event } from "./contract";

class FakeWire implements Wire {
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: ((close: { code: number }) => void) | null = null;
  readonly sent: { type: string; run?: number; after?: number }[] = [];
  isClosed = false;

  constructor(readonly path: string) {}

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.isClosed = true;
  }

  say(frame: unknown): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
}

function scene(watched: { run: number; after: number }[] = []) {
  const wires: FakeWire[] = [];
  const links: Link["state"][] = [];
  const heard: Event[] = [];
  let position = 0;
  let isRevoked = false;
  const hears: Hears = {
    event: (event) => {
      heard.push(event);
      position = event.position;
    },
    run: () => {},
    runEnded: () => {},
    link: (link) => links.push(link.state),
    revoked: () => {
      isRevoked = true;
    },
  };
  const open = (path: string) => {
    const wire = new FakeWire(path);
    wires.push(wire);
    return wire;
  };
  const connection = new Connection(
    open,
    hears,
    () => position,
    () => watched,
  );
  const last = () => wires.at(-1) as FakeWire;
  return { connection, wires, links, heard, last, wasRevoked: () => isRevoked };
}

describe("the connection", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("comes back from its position, with what is watched", () => {
    const { connection, wires, last } = scene([{ run: 7, after: 40 }]);
    connection.start();
    last().onopen?.();
    last().say({ position: 12, kind: "message.created", room: null, at: 0, data: {} });

    last().onclose?.({ code: 1006 });
    vi.advanceTimersByTime(1_000);
    last().onopen?.();

    expect(wires.map((wire) => wire.path)).toEqual(["/api/ws?after=0", "/api/ws?after=12"]);
    expect(last().sent).toEqual([{ type: "watch", run: 7, after: 40 }]);
  });

  it("waits longer each time, and not at all when somebody asks", () => {
    const { connection, wires, links, last } = scene();
    connection.start();
    for (let times = 0; times < 6; times += 1) {
      last().onclose?.({ code: 1006 });
      vi.advanceTimersByTime(20_000);
    }
    const tried = wires.length;
    last().onclose?.({ code: 1006 });
    vi.advanceTimersByTime(5_000);
    expect(wires.length).toBe(tried);

    connection.now();

    expect(wires.length).toBe(tried + 1);
    expect(links.at(-1)).toBe("connecting");
  });

  it("drops a socket that is silent after a sleep", () => {
    const { connection, wires, last } = scene();
    connection.start();
    last().onopen?.();
    const asleep = last();

    connection.check();
    vi.advanceTimersByTime(3_500);
    vi.advanceTimersByTime(1_000);

    expect(asleep.sent).toEqual([{ type: "ping" }]);
    expect(asleep.isClosed).toBe(true);
    expect(wires.length).toBe(2);
  });

  it("asks a quiet server from time to time and stays when it answers", () => {
    const { connection, wires, last } = scene();
    connection.start();
    last().onopen?.();

    for (let times = 0; times < 5; times += 1) {
      vi.advanceTimersByTime(20_001);
      last().say({ type: "pong" });
      vi.advanceTimersByTime(6_001);
    }

    expect(wires.length).toBe(1);
  });

  it("hears nothing of a socket it has left", () => {
    const { connection, heard, last } = scene();
    connection.start();
    const old = last();
    old.onopen?.();
    old.onclose?.({ code: 1006 });
    vi.advanceTimersByTime(1_000);

    old.say({ position: 5, kind: "message.created", room: null, at: 0, data: {} });

    expect(heard).toEqual([]);
  });

  it("does not come back once it is shut out or stopped", () => {
    const { connection, wires, last, wasRevoked } = scene();
    connection.start();
    last().onclose?.({ code: 1008 });
    vi.advanceTimersByTime(60_000);
    expect([wires.length, wasRevoked()]).toEqual([1, true]);

    connection.stop();
    vi.advanceTimersByTime(60_000);
    expect(wires.length).toBe(1);
  });
});
