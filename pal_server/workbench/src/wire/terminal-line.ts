/**
 * One terminal over its WebSocket: what it prints from a position on, and what is typed into it.
 *
 * It comes back by itself and goes on where it was, so nothing is shown twice; when what was between is gone the server
 * says hello from another position, and the screen begins anew. What is typed before it is there, or while it is away,
 * waits and is passed on in order: all of it, or none, because half a command is another command. What waited too long
 * would be carried out when nobody expects it. The server says how much it has taken, so what was on its way when a
 * connection broke is said again, and typed once.
 */
import type { Terminal } from "./contract";

export interface Socket {
  send(data: string | Uint8Array): void;
  close(): void;
  onmessage: ((data: string | Uint8Array) => void) | null;
  onclose: ((code: number) => void) | null;
}

export interface Shows {
  /** The screen as it is from here on; empty it when `isNew`. */
  hello(given: { terminal: Terminal; mayType: boolean; cols: number; rows: number; isNew: boolean }): void;
  output(bytes: Uint8Array): void;
  size(cols: number, rows: number): void;
  state(state: string, reason: string): void;
  closed(reason: string, exit: number | null): void;
  /** Away until then, in milliseconds of the clock; null: connected. */
  away(retryAt: number | null): void;
  /** How much of what was typed waits, in characters. */
  waits(characters: number): void;
  /** What waited was dropped: too long, too much, or not for us to type. */
  dropped(): void;
}

interface Frame {
  type?: string;
  terminal?: Terminal;
  may_type?: boolean;
  cols?: number;
  rows?: number;
  from?: number;
  state?: string;
  reason?: string | null;
  typed?: number | null;
  bytes?: number;
  exit?: number | null;
}

const PAUSES = [300, 1_000, 2_000, 4_000, 8_000]; // milliseconds before each next attempt
const REFUSED = 1008; // the server says that we may not look
const MOST = 1 << 18; // bytes of one frame that is typed; a long paste goes in parts
const KEPT = 1 << 20; // characters that wait for a connection
const KEPT_FOR = 60_000; // milliseconds they wait

export class TerminalLine {
  private socket: Socket | null = null;
  private retry: ReturnType<typeof setTimeout> | null = null;
  private attempts = 0;
  private position: number | null = null; // of the next byte
  private isOver = false;
  private isGreeted = false;
  private waiting = ""; // typed while it is not there
  private waitsSince = 0;
  private readonly typist = randomName();
  private sent: Uint8Array<ArrayBuffer> = new Uint8Array(); // typed, and not known to be taken
  private sentSince = 0;
  private taken = 0; // bytes before `sent`

  constructor(
    private readonly id: string,
    private readonly open: (path: string) => Socket,
    private readonly shows: Shows,
  ) {}

  start(): void {
    this.attempt();
  }

  stop(): void {
    this.isOver = true;
    if (this.retry !== null) clearTimeout(this.retry);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  /** Now, or as soon as it is there. */
  type(text: string): void {
    if (this.isOver) return;
    if (this.socket === null || !this.isGreeted) {
      if (this.waiting === "") this.waitsSince = Date.now();
      this.waiting += text;
      this.shows.waits(this.waiting.length);
      return;
    }
    this.send(new TextEncoder().encode(text));
  }

  resize(cols: number, rows: number): void {
    if (this.isGreeted) this.socket?.send(JSON.stringify({ type: "resize", cols, rows }));
  }

  private send(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.sent.length === 0) this.sentSince = Date.now();
    const all = new Uint8Array(this.sent.length + bytes.length);
    all.set(this.sent);
    all.set(bytes, this.sent.length);
    this.sent = all;
    for (let at = 0; at < bytes.length; at += MOST) this.socket?.send(bytes.subarray(at, at + MOST));
  }

  /** The server has taken so many bytes of ours, since the first. */
  private heard(typed: number): void {
    if (typed <= this.taken) return;
    this.sent = this.sent.slice(typed - this.taken);
    this.taken = typed;
  }

  now(): void {
    if (this.socket === null && !this.isOver) this.attempt();
  }

  private attempt(): void {
    if (this.retry !== null) clearTimeout(this.retry);
    this.isGreeted = false;
    const from = this.position === null ? "" : `&from=${this.position}`;
    const socket = this.open(`/api/terminals/${encodeURIComponent(this.id)}/ws?typist=${this.typist}${from}`);
    this.socket = socket;
    socket.onmessage = (data) => {
      if (this.socket === socket) this.take(data);
    };
    socket.onclose = (code) => {
      if (this.socket === socket) this.lost(code);
    };
  }

  private take(data: string | Uint8Array): void {
    if (typeof data !== "string") {
      if (this.position !== null) this.position += data.length;
      this.shows.output(data);
      return;
    }
    const frame = parse(data);
    switch (frame.type) {
      case "hello":
        this.greet(frame);
        break;
      case "size":
        this.shows.size(frame.cols ?? 80, frame.rows ?? 24);
        break;
      case "typed":
        this.heard(frame.bytes ?? 0);
        break;
      case "state":
        this.shows.state(frame.state ?? "", frame.reason ?? "");
        break;
      case "closed":
        this.isOver = true;
        this.shows.closed(frame.reason ?? "", frame.exit ?? null);
    }
  }

  private greet(frame: Frame): void {
    if (!frame.terminal) return;
    const from = frame.from ?? 0;
    const isNew = this.position !== from;
    this.position = from;
    const isFirst = !this.isGreeted; // of this connection; later ones say that something between is gone
    this.isGreeted = true;
    this.attempts = 0;
    this.shows.away(null);
    const { terminal, may_type: mayType = false, cols = terminal.cols, rows = terminal.rows } = frame;
    this.shows.hello({ terminal, mayType, cols, rows, isNew });
    if (isFirst) this.passOn(mayType, frame.typed ?? null);
  }

  /** What was not taken and what waits; `typed` is what the server knows of us, null when nothing. */
  private passOn(mayType: boolean, typed: number | null): void {
    if (typed !== null) this.heard(typed);
    const [again, text] = [this.sent, this.waiting];
    if (typed === null) this.taken = 0;
    [this.sent, this.waiting] = [new Uint8Array(), ""];
    if (text !== "") this.shows.waits(0);
    if (again.length === 0 && text === "") return;
    const since = again.length > 0 ? this.sentSince : this.waitsSince;
    const isKnown = typed !== null || again.length === 0; // else nobody knows what became of it
    if (!mayType || !isKnown || again.length + text.length > KEPT || Date.now() - since > KEPT_FOR) {
      this.shows.dropped();
      return;
    }
    if (again.length > 0) this.send(again);
    if (text !== "") this.type(text);
  }

  private lost(code: number): void {
    this.socket = null;
    this.isGreeted = false;
    if (this.isOver) return;
    if (code === REFUSED) {
      this.isOver = true;
      this.shows.closed("", null);
      return;
    }
    const pause = PAUSES[Math.min(this.attempts, PAUSES.length - 1)] ?? 0;
    this.attempts += 1;
    this.shows.away(Date.now() + pause);
    this.retry = setTimeout(() => this.attempt(), pause);
  }
}

/** What is no frame we know says nothing. */
function parse(text: string): Frame {
  try {
    const frame: unknown = JSON.parse(text);
    return typeof frame === "object" && frame !== null ? (frame as Frame) : {};
  } catch {
    return {};
  }
}

function randomName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function openSocket(path: string): Socket {
  const address = new URL(path, location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(address);
  socket.binaryType = "arraybuffer";
  const made: Socket = {
    send: (data) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(data as string);
    },
    close: () => socket.close(),
    onmessage: null,
    onclose: null,
  };
  socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) =>
    made.onmessage?.(typeof data === "string" ? data : new Uint8Array(data));
  socket.onclose = ({ code }) => made.onclose?.(code);
  return made;
}
