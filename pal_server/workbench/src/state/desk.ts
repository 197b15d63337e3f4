/**
 * Everything the client knows, and how an event of the log changes it: pure functions, old state in, new state out.
 *
 * old state + events = fresh state: whoever takes the snapshot later sees the same. Events come in order of their
 * positions; one that is known already changes nothing, so a stream may be resumed from anywhere.
 */
import type {
  Agent,
  Computer,
  Delivery,
  Draft,
  Event,
  Glance,
  Interaction,
  Me,
  Message,
  Preferences,
  Project,
  Room,
  Run,
  Saved,
  SavedPrompt,
  SentDelivery,
  Snapshot,
  Terminal,
  Topic,
  User,
} from "../wire/contract";

/** Messages of one topic that were loaded, oldest first. */
export interface Log {
  messages: readonly Message[];
  /** There are earlier ones on the server. */
  hasOlder: boolean;
}

/** A message as its event has it. */
type Said = Message & { deliveries: SentDelivery[] };

export interface Desk {
  position: number;
  me: Me;
  users: Readonly<Record<string, User>>;
  present: Readonly<Record<string, true>>;
  projects: Readonly<Record<string, Project>>;
  rooms: Readonly<Record<string, Room>>;
  topics: Readonly<Record<number, Glance>>;
  agents: Readonly<Record<string, Agent>>;
  computers: Readonly<Record<string, Computer>>;
  runs: Readonly<Record<number, Run>>;
  interactions: Readonly<Record<number, Interaction>>;
  deliveries: Readonly<Record<number, Delivery>>;
  drafts: Readonly<Record<number, Draft>>;
  saved: Readonly<Record<number, Saved>>;
  prompts: Readonly<Record<string, SavedPrompt>>;
  /** Those that live. */
  terminals: Readonly<Record<string, Terminal>>;
  preferences: Preferences;
  logs: Readonly<Record<number, Log>>;
  /** Newest last: events of kinds this build does not know. Shown plainly in History. */
  unknown: readonly Event[];
  /** Something came into sight that events before did not tell of: take a new snapshot. */
  isBehind: boolean;
}

const UNREAD_MAX = 100; // the server counts no further
const UNKNOWN_KEPT = 50;
const WORDS = 200; // characters of a message that a list shows
export const LIVE: ReadonlySet<string> = new Set(["starting", "running", "waiting", "paused"]);
export const BAD: ReadonlySet<string> = new Set(["interrupted", "dead", "failed"]);
const OPEN: ReadonlySet<string> = new Set(["pending", "claimed"]);
// Told to those who keep other things than this client does; lists of them are asked for when they are shown.
const ELSEWHERE = new Set([
  "member",
  "account",
  "rule",
  "file",
  "choice",
  "debate",
  "token",
  "finding",
  "quota",
  "share",
  "bot",
  "decision",
  "doc",
  "task",
]);

export function begin(snapshot: Snapshot): Desk {
  return {
    position: snapshot.position,
    me: snapshot.me,
    users: by(snapshot.users, (user) => user.username),
    present: Object.fromEntries(snapshot.present.map((name) => [name, true])),
    projects: by(snapshot.projects, (project) => project.id),
    rooms: by(snapshot.rooms, (room) => room.id),
    topics: by(snapshot.topics, (glance) => glance.topic.id),
    agents: by(snapshot.agents, (agent) => agent.key),
    computers: by(snapshot.computers, (computer) => computer.id),
    runs: by(snapshot.runs, (run) => run.id),
    interactions: by(snapshot.interactions, (one) => one.id),
    deliveries: by(snapshot.deliveries, (one) => one.id),
    drafts: by(snapshot.drafts, (draft) => draft.topic),
    saved: by(snapshot.saved, (one) => one.id),
    prompts: by(snapshot.saved_prompts, (one) => one.name),
    terminals: by(snapshot.terminals, (one) => one.id),
    preferences: snapshot.preferences,
    logs: {},
    unknown: [],
    isBehind: false,
  };
}

/** The state after the event. An event that is known already gives back the same object. */
export function apply(desk: Desk, event: Event): Desk {
  if (event.position <= desk.position) return desk;
  return { ...change(desk, event), position: event.position };
}

function change(desk: Desk, event: Event): Desk {
  const [noun, verb] = event.kind.split(".") as [string, string];
  const data: unknown = event.data;
  switch (noun) {
    case "message":
      if (verb === "created") return created(desk, data as Said);
      if (verb === "read") return desk;
      return edited(desk, data as Message);
    case "delivery":
      return withDelivery(desk, data as Delivery);
    case "run":
      return withRun(desk, data as Run);
    case "interaction":
      return { ...desk, interactions: put(desk.interactions, (data as Interaction).id, data as Interaction) };
    case "topic":
      if (verb === "read") return readUpTo(desk, data as { topic: number; message: number; unread: number });
      return withTopic(desk, data as Topic);
    case "room":
      if (verb === "ended") return { ...desk, rooms: without(desk.rooms, (data as Room).id), isBehind: true };
      return { ...desk, rooms: put(desk.rooms, (data as Room).id, data as Room) };
    case "project":
      return { ...desk, projects: put(desk.projects, (data as Project).id, data as Project) };
    case "agent": {
      const agent = data as Agent;
      const agents = verb === "deleted" ? without(desk.agents, agent.key) : put(desk.agents, agent.key, agent);
      return { ...desk, agents };
    }
    case "computer":
      return { ...desk, computers: put(desk.computers, (data as Computer).id, data as Computer) };
    case "user":
      return { ...desk, users: put(desk.users, (data as User).username, data as User) };
    case "presence": {
      const { user } = data as { user: string };
      return { ...desk, present: verb === "began" ? put(desk.present, user, true) : without(desk.present, user) };
    }
    case "draft": {
      const draft = data as Draft;
      return {
        ...desk,
        drafts: draft.content ? put(desk.drafts, draft.topic, draft) : without(desk.drafts, draft.topic),
      };
    }
    case "saved": {
      const one = data as Saved;
      return { ...desk, saved: verb === "removed" ? without(desk.saved, one.id) : put(desk.saved, one.id, one) };
    }
    case "terminal": {
      const one = data as Terminal;
      const { terminals } = desk;
      return { ...desk, terminals: verb === "ended" ? without(terminals, one.id) : put(terminals, one.id, one) };
    }
    case "saved_prompt": {
      const one = data as SavedPrompt;
      const prompts = desk.prompts;
      return { ...desk, prompts: verb === "removed" ? without(prompts, one.name) : put(prompts, one.name, one) };
    }
    case "preferences":
      return { ...desk, preferences: data as Preferences };
    default:
      if (noun === "member" && event.room !== null && !desk.rooms[event.room]) return { ...desk, isBehind: true };
      if (ELSEWHERE.has(noun)) return desk;
      return { ...desk, unknown: [...desk.unknown, event].slice(-UNKNOWN_KEPT) };
  }
}

function created(desk: Desk, message: Said): Desk {
  const { deliveries, ...plain } = message;
  let after = withMessages(desk, plain.topic, [plain]);
  for (const delivery of deliveries) after = withDelivery(after, begun(plain, delivery));
  const glance = after.topics[plain.topic];
  if (!glance) return { ...after, isBehind: true };
  const isNew = plain.id > glance.read && !isMine(desk.me, plain);
  const changed: Glance = {
    ...glance,
    topic: { ...glance.topic, last_message_at: plain.created_at },
    last: lastWords(plain),
    unread: isNew ? Math.min(glance.unread + 1, UNREAD_MAX) : glance.unread,
  };
  return { ...after, topics: put(after.topics, plain.topic, changed) };
}

/** A delivery of a message that came just now: it says what only it knows, the rest is as with every new one. */
function begun(message: Message, given: SentDelivery): Delivery {
  return {
    message: message.id,
    room: message.room,
    topic: message.topic,
    attempts: 0,
    max_attempts: 0,
    hop: 0,
    run: null,
    computer: null,
    lease_until: null,
    not_before: message.created_at,
    error: null,
    steered_into: null,
    read_step: null,
    ahead: 0,
    created_at: message.created_at,
    updated_at: message.created_at,
    ...given,
  };
}

function edited(desk: Desk, message: Message): Desk {
  const log = desk.logs[message.topic];
  const glance = desk.topics[message.topic];
  let after = desk;
  if (log?.messages.some((one) => one.id === message.id)) after = withMessages(after, message.topic, [message]);
  if (glance?.last?.message !== message.id) return after;
  if (message.deleted_at === null) {
    return { ...after, topics: put(after.topics, message.topic, { ...glance, last: lastWords(message) }) };
  }
  // What was said before it is known only where the topic was loaded.
  const before = after.logs[message.topic]?.messages.findLast((one) => one.deleted_at === null);
  if (!before) return { ...after, isBehind: true };
  return { ...after, topics: put(after.topics, message.topic, { ...glance, last: lastWords(before) }) };
}

export function withTopic(desk: Desk, topic: Topic): Desk {
  const known = desk.topics[topic.id];
  const glance: Glance = known
    ? { ...known, topic: { ...topic, last_message_at: known.topic.last_message_at } }
    : { topic, last: null, run: null, agents: [], read: 0, unread: 0 };
  return { ...desk, topics: put(desk.topics, topic.id, glance) };
}

function readUpTo(desk: Desk, read: { topic: number; message: number; unread: number }): Desk {
  const glance = desk.topics[read.topic];
  if (!glance) return desk;
  return { ...desk, topics: put(desk.topics, read.topic, { ...glance, read: read.message, unread: read.unread }) };
}

function withRun(desk: Desk, run: Run): Desk {
  const after = { ...desk, runs: put(desk.runs, run.id, run) };
  const glance = desk.topics[run.topic];
  if (!glance || (glance.run && glance.run.id > run.id)) return after;
  const agents = glance.agents.includes(run.agent) ? glance.agents : [...glance.agents, run.agent].sort();
  const changed = { ...glance, agents, run: { id: run.id, agent: run.agent, status: run.status } };
  return { ...after, topics: put(after.topics, run.topic, changed) };
}

/** What is open or ended badly is kept; the rest is history, which a message's own page tells. */
function withDelivery(desk: Desk, given: Delivery): Desk {
  const { id, status } = given;
  if (OPEN.has(status) || BAD.has(status) || given.read_step !== null) {
    return { ...desk, deliveries: put(desk.deliveries, id, given) };
  }
  return desk.deliveries[id] ? { ...desk, deliveries: without(desk.deliveries, id) } : desk;
}

/** What was asked for of one topic. */
export interface Page {
  messages: readonly Message[];
  hasOlder: boolean;
  runs: readonly Run[];
  deliveries: readonly Delivery[];
}

/**
 * A page that was asked for, and what the stream told while the answer was on its way. The answer may be older than
 * these events, whenever it comes: where they speak of a thing, they are right.
 */
export function withPage(desk: Desk, topic: number, page: Page, meanwhile: readonly Event[]): Desk {
  const told = new Set(meanwhile.flatMap(thingsOf));
  const runs = { ...desk.runs };
  for (const run of page.runs) if (!told.has(`run ${run.id}`)) runs[run.id] = run;
  const deliveries = { ...desk.deliveries };
  for (const one of page.deliveries) if (!told.has(`delivery ${one.id}`)) deliveries[one.id] = one;
  const known = new Set(page.messages.map((message) => message.id));
  const said = meanwhile
    .filter((event) => event.kind === "message.created" || known.has((event.data as { id: number }).id))
    .map((event) => wordsOf(event))
    .filter((message) => message?.topic === topic);
  const after = withMessages({ ...desk, runs, deliveries }, topic, page.messages, { hasOlder: page.hasOlder });
  return said.reduce((desk, message) => (message ? withMessages(desk, topic, [message]) : desk), after);
}

/** The message an event has, without what only its event says. */
function wordsOf(event: Event): Message | null {
  const [noun, verb] = event.kind.split(".");
  if (noun !== "message" || verb === "read") return null;
  const { deliveries: _, ...plain } = event.data as unknown as Said;
  return plain;
}

/** The runs and deliveries an event tells of. */
function thingsOf(event: Event): string[] {
  const [noun] = event.kind.split(".");
  if (noun === "run" || noun === "delivery") return [`${noun} ${(event.data as { id: number }).id}`];
  if (event.kind !== "message.created") return [];
  return (event.data as unknown as Said).deliveries.map((one) => `delivery ${one.id}`);
}

const STEPS: Readonly<Record<Interaction["status"], number>> = {
  pending: 0,
  answered: 1,
  applied: 2,
  cancelled: 2,
  expired: 2,
};

/** An interaction that was asked for or answered here. It never goes back: the stream may have been quicker. */
export function withInteraction(desk: Desk, one: Interaction): Desk {
  const known = desk.interactions[one.id];
  if (known && STEPS[known.status] > STEPS[one.status]) return desk;
  return { ...desk, interactions: put(desk.interactions, one.id, one) };
}

/** A delivery as an action answered it, unless the stream told something newer already. */
export function withAnswered(desk: Desk, one: Delivery): Desk {
  const known = desk.deliveries[one.id];
  if (known && known.updated_at > one.updated_at) return desk;
  return { ...desk, deliveries: put(desk.deliveries, one.id, one) };
}

/** Messages that were loaded or came, merged by id and in order. */
export function withMessages(
  desk: Desk,
  topic: number,
  messages: readonly Message[],
  page?: { hasOlder: boolean },
): Desk {
  const log = desk.logs[topic];
  if (!log && !page) return desk;
  const merged = merge(log?.messages ?? [], messages);
  return {
    ...desk,
    logs: put(desk.logs, topic, { messages: merged, hasOlder: page?.hasOlder ?? log?.hasOlder ?? false }),
  };
}

/** Two lists of messages in order of their ids, as one; of two with one id the one that was changed last counts. */
export function merge(ours: readonly Message[], theirs: readonly Message[]): readonly Message[] {
  const [last] = ours.slice(-1);
  const [first] = theirs;
  if (!first) return ours;
  if (!last || last.id < first.id) return [...ours, ...theirs];
  const all = new Map(ours.map((message) => [message.id, message]));
  for (const message of theirs) {
    const known = all.get(message.id);
    if (!known || changedAt(message) >= changedAt(known)) all.set(message.id, message);
  }
  return [...all.values()].sort((one, other) => one.id - other.id);
}

export function isMine(me: Me, message: Message): boolean {
  return message.sender.kind === "user" && message.sender.name === me.name;
}

function changedAt(message: Message): number {
  return message.deleted_at ?? message.edited_at ?? 0;
}

function lastWords(message: Message): Glance["last"] {
  const { kind, name, display_name } = message.sender;
  const sender = { kind, name, display_name, origin: "" };
  return { message: message.id, sender, text: message.content.slice(0, WORDS), at: message.created_at };
}

function by<T, K extends string | number>(things: readonly T[], key: (thing: T) => K): Record<K, T> {
  return Object.fromEntries(things.map((thing) => [key(thing), thing])) as Record<K, T>;
}

function put<T>(
  things: Readonly<Record<string | number, T>>,
  key: string | number,
  thing: T,
): Record<string | number, T> {
  return { ...things, [key]: thing };
}

function without<T>(things: Readonly<Record<string | number, T>>, key: string | number): Record<string | number, T> {
  const { [key]: _, ...rest } = things;
  return rest;
}
