/**
 * Holds the client's one state and everything that changes it: the stream, what was loaded, what is on its way.
 *
 * Who listens is told at most once per frame, however many events come.
 */

import { Connection, type Link, type Wire } from "../wire/connection";
import type {
  Delivery,
  Event,
  Interaction,
  Message,
  Receipt,
  Run,
  RunEvent,
  Snapshot,
  Terminal,
} from "../wire/contract";
import { Refused, request } from "../wire/request";
import {
  apply,
  begin,
  type Desk,
  isMine,
  LIVE,
  type Log,
  withAnswered,
  withInteraction,
  withMessages,
  withPage,
  withTopic,
} from "./desk";
import * as outbox from "./outbox";
import { applyEvents, EMPTY, type RunView, withEarlier } from "./run-view";

export interface State {
  desk: Desk;
  link: Link;
  sending: outbox.Outbox;
  /** What was answered to messages sent here: what happens now with each, in words. */
  receipts: Readonly<Record<number, readonly Receipt[]>>;
  runs: Readonly<Record<number, RunView>>;
  /** The newest events that came, oldest first. */
  heard: readonly Event[];
}

const PAGE = 60; // messages loaded at a time
const TAIL = 400; // run events read first; earlier ones on demand
const EARLIER = 200; // run events of a page before those that are known
const LOGS_KEPT = 30; // topics that are at hand without asking the server
const RENEWED = 3; // topics taken anew at once after a long absence; others when they are opened
const LOG_KEPT = 120; // messages of one of them that nobody looks at
const RUNS_KEPT = 12; // runs nobody looks at whose events are at hand
const TOO_LONG = 15 * 60_000; // milliseconds away after which everything is taken anew
const HIDDEN_PAUSE = 200; // milliseconds between updates of a tab nobody sees
export const HEARD_KEPT = 300; // events
const KEPT = "pal.sending";
const PRESENCE_EVERY = 45_000; // milliseconds

export class Store {
  private state: State;
  private readonly listeners = new Set<() => void>();
  private readonly connection: Connection;
  private readonly shown = new Map<number, number>(); // run → how many views show it
  private readonly hearing = new Set<Event[]>(); // what came while an answer was on its way
  private readonly held = new Map<number, number>(); // topic → how many views show it
  private readonly opening = new Map<number, Promise<void>>(); // topic → its first page, on its way
  private lately: readonly number[] = []; // topics that were opened, the newest last
  private seen: readonly number[] = []; // runs that were shown, the newest last
  private isTold = true;
  private awaySince = 0;
  private isRenewing = false;
  private lastSign = 0;

  constructor(
    snapshot: Snapshot,
    private readonly onRevoked: () => void,
    open: (path: string) => Wire = openWire,
  ) {
    this.state = {
      desk: begin(snapshot),
      link: { state: "connecting" },
      sending: outbox.parse(localStorage.getItem(KEPT)),
      receipts: {},
      runs: {},
      heard: [],
    };
    this.connection = new Connection(
      open,
      {
        event: (event) => this.hear(event),
        run: (run, events) => this.hearRun(run, events),
        runEnded: () => {},
        link: (link) => this.linked(link),
        revoked: () => this.onRevoked(),
      },
      () => this.state.desk.position,
      () => [...this.shown.keys()].map((run) => ({ run, after: this.knownOf(run) })),
    );
  }

  start(): () => void {
    const check = () => {
      if (document.visibilityState === "visible") this.connection.check();
    };
    const sign = () => this.showPresence();
    this.connection.start();
    sign();
    const every = setInterval(() => document.visibilityState === "visible" && sign(), PRESENCE_EVERY);
    document.addEventListener("visibilitychange", check);
    window.addEventListener("online", check);
    window.addEventListener("pageshow", check);
    window.addEventListener("pointerdown", sign);
    return () => {
      clearInterval(every);
      document.removeEventListener("visibilitychange", check);
      window.removeEventListener("online", check);
      window.removeEventListener("pageshow", check);
      window.removeEventListener("pointerdown", sign);
      this.connection.stop();
    };
  }

  get = (): State => this.state;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Resolves when the state is so; what an action made comes by the stream in a moment. */
  until(isSo: (state: State) => boolean): Promise<void> {
    return new Promise((resolve) => {
      if (isSo(this.state)) return resolve();
      const end = this.subscribe(() => {
        if (!isSo(this.state)) return;
        end();
        resolve();
      });
    });
  }

  retryNow(): void {
    this.connection.now();
  }

  // ---- messages

  /** The newest messages of a topic, once; later ones come by the stream. */
  openTopic(topic: number): Promise<void> {
    this.lately = [...this.lately.filter((one) => one !== topic), topic];
    if (this.state.desk.logs[topic]) return Promise.resolve();
    const known = this.opening.get(topic);
    if (known) return known;
    const opening = this.loadNewest(topic).finally(() => this.opening.delete(topic));
    this.opening.set(topic, opening);
    return opening;
  }

  /** A topic is in sight until the answer is called; what nobody looked at for long is forgotten, the server has it. */
  holdTopic(topic: number): () => void {
    this.held.set(topic, (this.held.get(topic) ?? 0) + 1);
    return () => {
      const left = (this.held.get(topic) ?? 1) - 1;
      if (left > 0) this.held.set(topic, left);
      else {
        this.held.delete(topic);
        this.forgetLogs();
      }
    };
  }

  private forgetLogs(): void {
    const { desk } = this.state;
    const kept = new Set(this.lately.slice(-LOGS_KEPT));
    const logs: Record<number, Log> = {};
    let isChanged = false;
    for (const [name, log] of Object.entries(desk.logs)) {
      const topic = Number(name);
      const isHeld = this.held.has(topic);
      const isLong = !isHeld && log.messages.length > 2 * LOG_KEPT;
      isChanged ||= isLong || !(isHeld || kept.has(topic));
      if (isHeld || kept.has(topic)) {
        logs[topic] = isLong ? { messages: log.messages.slice(-LOG_KEPT), hasOlder: true } : log;
      }
    }
    this.lately = this.lately.slice(-LOGS_KEPT);
    if (isChanged) this.set({ desk: { ...desk, logs } });
  }

  private async loadNewest(topic: number): Promise<void> {
    const [[page, runs, deliveries], meanwhile] = await this.whileHearing(
      Promise.all([
        request("GET /api/messages", { query: { topic, before: 2 ** 52, limit: PAGE } }),
        request("GET /api/runs", { query: { topic, limit: PAGE } }),
        request("GET /api/deliveries", { query: { topic, limit: PAGE } }),
      ]),
    );
    const { messages } = page;
    const loaded = { messages, hasOlder: messages.length >= PAGE, ...runs, ...deliveries };
    this.set({ desk: withPage(this.state.desk, topic, loaded, meanwhile) });
  }

  async loadOlder(topic: number): Promise<void> {
    const log = this.state.desk.logs[topic];
    const first = log?.messages[0];
    if (!log?.hasOlder || !first) return;
    const [[page, runs], meanwhile] = await this.whileHearing(
      Promise.all([
        request("GET /api/messages", { query: { topic, before: first.id, limit: PAGE } }),
        request("GET /api/runs", { query: { topic, until: first.created_at, limit: PAGE } }),
      ]),
    );
    const { messages } = page;
    const loaded = { messages, hasOlder: messages.length >= PAGE, ...runs, deliveries: [] };
    this.set({ desk: withPage(this.state.desk, topic, loaded, meanwhile) });
  }

  /** Show a message at once and send it as often as it takes; the server keeps one of it. */
  send(said: Omit<outbox.Sending, "clientId" | "at" | "state" | "reason">): void {
    const one: outbox.Sending = { ...said, clientId: newId(), at: Date.now(), state: "waiting", reason: "" };
    this.setSending(outbox.added(this.state.sending, one));
    this.flush();
  }

  resend(clientId: string): void {
    this.setSending(outbox.changed(this.state.sending, clientId, { state: "waiting", reason: "" }));
    this.flush();
  }

  unsend(clientId: string): void {
    this.setSending(outbox.removed(this.state.sending, clientId));
  }

  /** What was loaded elsewhere, or an answer to an action before its event comes. Runs are those nobody knew of. */
  take(things: { runs?: readonly Run[]; deliveries?: readonly Delivery[] }): void {
    const runs = Object.fromEntries((things.runs ?? []).map((run) => [run.id, run]));
    const desk = { ...this.state.desk, runs: { ...runs, ...this.state.desk.runs } };
    this.set({ desk: (things.deliveries ?? []).reduce(withAnswered, desk) });
  }

  /** A topic that is older than those the client began with. Refused when there is none for this person. */
  async loadTopic(id: number): Promise<void> {
    const { topic } = await request("GET /api/topics/{id}", { params: { id } });
    if (!this.state.desk.topics[id]) this.set({ desk: withTopic(this.state.desk, topic) });
  }

  async loadRun(id: number): Promise<void> {
    const { run } = await request("GET /api/runs/{id}", { params: { id } });
    this.take({ runs: [run] });
  }

  /** An interaction that ended before this client began. */
  async loadInteraction(id: number): Promise<void> {
    const { interaction } = await request("GET /api/interactions/{id}", { params: { id } });
    this.takeInteraction(interaction);
  }

  takeInteraction(one: Interaction): void {
    this.set({ desk: withInteraction(this.state.desk, one) });
  }

  /** A terminal that was opened here, before its event comes. */
  takeTerminal(one: Terminal): void {
    this.set({ desk: { ...this.state.desk, terminals: { ...this.state.desk.terminals, [one.id]: one } } });
  }

  /** Everything up to this message was seen; again and again is free. */
  markRead(topic: number, message: number): void {
    const glance = this.state.desk.topics[topic];
    if (!glance || glance.read === message) return;
    const unread = message < glance.read ? glance.unread : 0;
    const topics = { ...this.state.desk.topics, [topic]: { ...glance, read: message, unread } };
    this.set({ desk: { ...this.state.desk, topics } });
    request("POST /api/topics/{id}/read", { params: { id: topic }, body: { message } }).catch(ignorePassing);
  }

  // ---- runs

  /** Follow a run for as long as something shows it; the answer ends that. */
  show(run: Run): () => void {
    const count = this.shown.get(run.id) ?? 0;
    this.shown.set(run.id, count + 1);
    if (count === 0) {
      const isNew = !this.state.runs[run.id];
      this.connection.watch(run.id, isNew ? Math.max(0, run.last_seq - TAIL) : this.knownOf(run.id));
    }
    return () => {
      const left = (this.shown.get(run.id) ?? 1) - 1;
      if (left > 0) this.shown.set(run.id, left);
      else {
        this.shown.delete(run.id);
        this.connection.unwatch(run.id);
        this.forgetRuns(run.id);
      }
    };
  }

  private forgetRuns(left: number): void {
    this.seen = [...this.seen.filter((one) => one !== left), left].slice(-RUNS_KEPT);
    const kept = Object.entries(this.state.runs).filter(
      ([run]) => this.shown.has(Number(run)) || this.seen.includes(Number(run)),
    );
    if (kept.length < Object.keys(this.state.runs).length) this.set({ runs: Object.fromEntries(kept) });
  }

  /** A page of events before those that are known of a run. */
  async loadEarlier(run: number): Promise<void> {
    const before = this.state.runs[run]?.raw[0]?.seq ?? 1;
    if (before <= 1) return;
    const page = await request("GET /api/runs/{id}/events", { params: { id: run }, query: { before, limit: EARLIER } });
    const known = this.state.runs[run];
    if (known) this.set({ runs: { ...this.state.runs, [run]: withEarlier(known, page.events) } });
  }

  private hear(event: Event): void {
    const desk = apply(this.state.desk, event);
    if (desk === this.state.desk) return;
    for (const heard of this.hearing) heard.push(event);
    this.set({ desk, heard: [...this.state.heard, event].slice(-HEARD_KEPT) });
    if (event.kind === "message.created") {
      const message = event.data as unknown as Message;
      if (isMine(desk.me, message)) this.setSending(outbox.arrived(this.state.sending, message));
    }
    if (desk.isBehind) void this.renew();
  }

  /** An answer, and the events that came while it was on its way. */
  private async whileHearing<T>(answer: Promise<T>): Promise<[T, readonly Event[]]> {
    const heard: Event[] = [];
    this.hearing.add(heard);
    try {
      return [await answer, heard];
    } finally {
      this.hearing.delete(heard);
    }
  }

  private hearRun(run: number, events: readonly RunEvent[]): void {
    const before = this.state.runs[run] ?? EMPTY;
    const view = applyEvents(before, events);
    if (view !== before) this.set({ runs: { ...this.state.runs, [run]: view } });
  }

  private knownOf(run: number): number {
    const view = this.state.runs[run];
    if (view) return view.seq;
    return Math.max(0, (this.state.desk.runs[run]?.last_seq ?? 0) - TAIL);
  }

  private linked(link: Link): void {
    this.set({ link });
    if (link.state === "away" && this.awaySince === 0) this.awaySince = Date.now();
    if (link.state !== "connected") return;
    const wasAway = this.awaySince > 0 ? Date.now() - this.awaySince : 0;
    this.awaySince = 0;
    if (wasAway > TOO_LONG) void this.renew();
    this.flush();
  }

  /** A new snapshot, and the open topics anew: what came meanwhile is too much or was out of sight. */
  private async renew(): Promise<void> {
    if (this.isRenewing) return;
    this.isRenewing = true;
    try {
      const [{ snapshot }, meanwhile] = await this.whileHearing(request("GET /api/snapshot"));
      const before = this.state.desk;
      const fresh = meanwhile.reduce(apply, begin(snapshot));
      if (fresh.position < before.position) {
        this.set({ desk: { ...before, isBehind: false } });
        return;
      }
      const kept = { ...before.runs, ...fresh.runs };
      for (const run of Object.values(kept)) if (LIVE.has(run.status) && !fresh.runs[run.id]) delete kept[run.id];
      const interactions = { ...before.interactions, ...fresh.interactions };
      this.set({ desk: { ...fresh, runs: kept, interactions, logs: {} } });
      this.opening.clear();
      const wanted = [...new Set([...this.held.keys(), ...this.lately.slice(-RENEWED)])];
      await Promise.all(wanted.filter((topic) => before.logs[topic]).map((topic) => this.openTopic(topic)));
    } catch (error) {
      ignorePassing(error);
      this.set({ desk: { ...this.state.desk, isBehind: false } });
    } finally {
      this.isRenewing = false;
    }
    if (this.state.desk.isBehind) void this.renew();
  }

  private flush(): void {
    for (const one of outbox.due(this.state.sending)) void this.post(one);
  }

  private async post(one: outbox.Sending): Promise<void> {
    this.setSending(outbox.changed(this.state.sending, one.clientId, { state: "sending" }));
    try {
      const sent = await request("POST /api/messages", {
        body: {
          room: one.room,
          topic: one.topic,
          parent: one.parent,
          content: one.content,
          files: one.files.map((file) => file.id),
          steer: one.steer,
          client_id: one.clientId,
        },
      });
      this.set({
        desk: withMessages(this.state.desk, one.topic, [sent.message]),
        receipts: { ...this.state.receipts, [sent.message.id]: sent.receipts },
      });
      this.setSending(outbox.removed(this.state.sending, one.clientId));
    } catch (error) {
      const isPassing = error instanceof Refused && error.isPassing;
      const reason = error instanceof Error ? error.message : String(error);
      const state = isPassing ? "waiting" : "refused";
      this.setSending(outbox.changed(this.state.sending, one.clientId, { state, reason }));
      if (isPassing) {
        // While the stream stands only this request failed; without it the return of the stream sends it.
        if (this.state.link.state === "connected") setTimeout(() => this.flush(), 2_000);
        return;
      }
    }
    this.flush();
  }

  private setSending(sending: outbox.Outbox): void {
    if (sending === this.state.sending) return;
    this.set({ sending });
    localStorage.setItem(KEPT, JSON.stringify(sending));
  }

  private showPresence(): void {
    if (Date.now() - this.lastSign < PRESENCE_EVERY - 1_000) return;
    this.lastSign = Date.now();
    request("POST /api/presence").catch(ignorePassing);
  }

  private set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    if (!this.isTold) return;
    this.isTold = false;
    const tell = () => {
      this.isTold = true;
      for (const listener of this.listeners) listener();
    };
    if (document.visibilityState === "visible") requestAnimationFrame(tell);
    else setTimeout(tell, HIDDEN_PAUSE);
  }
}

/** The server is away or refuses something nobody waits for: the link shows the one, the log of the browser the other. */
export function ignorePassing(error: unknown): void {
  if (!(error instanceof Refused && error.isPassing)) console.warn(error);
}

export function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function openWire(path: string): Wire {
  const address = new URL(path, location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(address);
  const wire: Wire = {
    send: (text) => socket.send(text),
    close: () => socket.close(),
    onopen: null,
    onmessage: null,
    onclose: null,
  };
  socket.onopen = () => wire.onopen?.();
  socket.onmessage = (message: MessageEvent<string>) => wire.onmessage?.(message);
  socket.onclose = (close) => wire.onclose?.(close);
  return wire;
}
