/**
 * One WebSocket per tab: the events of the log from a position on, and those of the runs that are shown.
 *
 * It comes back by itself, sooner when the network or the tab does, and says when it will. A laptop that slept leaves
 * sockets that look open: who heard nothing for a while asks, and drops a socket that does not answer.
 */
import type { Event, RunEvent } from "./contract";

export type Link = { state: "connecting" | "connected" } | { state: "away"; retryAt: number };

export interface Wire {
  send(text: string): void;
  close(): void;
  onopen: (() => void) | null;
  onmessage: ((message: { data: string }) => void) | null;
  onclose: ((close: { code: number }) => void) | null;
}

export interface Hears {
  event(event: Event): void;
  run(run: number, events: readonly RunEvent[]): void;
  runEnded(run: number): void;
  link(link: Link): void;
  /** The credential is no longer good. */
  revoked(): void;
}

interface Frame {
  type?: "pong" | "run" | "run_end" | "run_refused";
  run?: number;
  events?: RunEvent[];
}

const PAUSES = [500, 1_000, 2_000, 4_000, 8_000, 15_000]; // milliseconds before each next attempt
const QUIET = 20_000; // milliseconds without a word after which we ask
const PATIENCE = 6_000; // milliseconds an answer may take
const REVOKED = 1008;

export class Connection {
  private wire: Wire | null = null;
  private attempts = 0;
  private retry: ReturnType<typeof setTimeout> | null = null;
  private beat: ReturnType<typeof setTimeout> | null = null;
  private heardAt = 0;
  private isClosed = false;

  constructor(
    private readonly open: (path: string) => Wire,
    private readonly hears: Hears,
    /** Where to go on; asked at each attempt. */
    private readonly position: () => number,
    /** What is shown, and up to which event it is known; asked at each attempt. */
    private readonly watched: () => readonly { run: number; after: number }[],
  ) {}

  start(): void {
    this.isClosed = false;
    this.attempt();
  }

  /** Try at once, whatever the pause. */
  now(): void {
    if (this.wire === null && !this.isClosed) this.attempt();
  }

  /** The tab or the network is back: a socket that does not answer soon is dropped. */
  check(): void {
    if (this.wire === null) this.now();
    else this.ask(this.wire, PATIENCE / 2);
  }

  watch(run: number, after: number): void {
    this.tell({ type: "watch", run, after });
  }

  unwatch(run: number): void {
    this.tell({ type: "unwatch", run });
  }

  stop(): void {
    this.isClosed = true;
    this.clear();
    const wire = this.wire;
    this.wire = null;
    wire?.close();
  }

  private attempt(): void {
    this.clear();
    this.hears.link({ state: "connecting" });
    const wire = this.open(`/api/ws?after=${this.position()}`);
    this.wire = wire;
    wire.onopen = () => {
      if (this.wire !== wire) return;
      this.attempts = 0;
      this.heard(wire);
      this.hears.link({ state: "connected" });
      for (const { run, after } of this.watched()) this.watch(run, after);
    };
    wire.onmessage = ({ data }) => {
      if (this.wire !== wire) return;
      this.heard(wire);
      this.take(JSON.parse(data));
    };
    wire.onclose = ({ code }) => {
      if (this.wire === wire) this.lost(code);
    };
  }

  private take(frame: Frame & Partial<Event>): void {
    if (frame.position !== undefined) this.hears.event(frame as Event);
    else if (frame.type === "run" && frame.run && frame.events) this.hears.run(frame.run, frame.events);
    else if (frame.type === "run_end" && frame.run) this.hears.runEnded(frame.run);
  }

  private lost(code: number): void {
    this.clear();
    this.wire = null;
    if (this.isClosed) return;
    if (code === REVOKED) {
      this.hears.revoked();
      return;
    }
    const pause = PAUSES[Math.min(this.attempts, PAUSES.length - 1)] ?? 0;
    // Not all tabs of an office at one moment after a restart.
    const wait = pause * (0.75 + Math.random() / 2);
    this.attempts += 1;
    this.hears.link({ state: "away", retryAt: Date.now() + wait });
    this.retry = setTimeout(() => this.attempt(), wait);
  }

  private heard(wire: Wire): void {
    this.heardAt = Date.now();
    if (this.beat === null) this.beat = setTimeout(() => this.listen(wire), QUIET);
  }

  /** One timer for all messages: it looks when it fires how long it has been quiet. */
  private listen(wire: Wire): void {
    this.beat = null;
    const left = this.heardAt + QUIET - Date.now();
    if (left > 0) this.beat = setTimeout(() => this.listen(wire), left);
    else this.ask(wire, PATIENCE);
  }

  private ask(wire: Wire, patience: number): void {
    if (this.beat !== null) clearTimeout(this.beat);
    const before = this.heardAt;
    this.tell({ type: "ping" });
    this.beat = setTimeout(() => {
      this.beat = null;
      if (this.heardAt > before) this.heard(wire);
      else {
        wire.close();
        if (this.wire === wire) this.lost(0); // a dead socket may take minutes to say that it is closed
      }
    }, patience);
  }

  private tell(said: { type: string; run?: number; after?: number }): void {
    try {
      this.wire?.send(JSON.stringify(said));
    } catch {
      // Not open yet, or not any more: what is watched is told again when it is.
    }
  }

  private clear(): void {
    if (this.retry !== null) clearTimeout(this.retry);
    if (this.beat !== null) clearTimeout(this.beat);
    this.retry = this.beat = null;
  }
}
