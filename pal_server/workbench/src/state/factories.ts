/** Things as the server sends them, for tests: whole, with what a test names replaced. */
import type {
  Delivery,
  Event,
  Glance,
  Interaction,
  Message,
  Run,
  RunEvent,
  Snapshot,
  Task,
  Topic,
} from "../wire/contract";

export const ME = { kind: "user", name: "ada", display_name: "Ada", role: "member" } as Snapshot["me"];

export function message(given: Partial<Message> & { id: number }): Message {
  return {
    room: "room_1",
    room_name: "general",
    topic: 1,
    seq: given.id,
    parent: null,
    kind: "text",
    sender: { kind: "user", name: "lin", display_name: "Lin", origin: "" },
    content: `message ${given.id}`,
    mentions: [],
    files: [],
    card: null,
    run: null,
    client_id: null,
    created_at: given.id * 1000,
    edited_at: null,
    deleted_at: null,
    ...given,
  };
}

export function mine(given: Partial<Message> & { id: number }): Message {
  return message({ sender: { kind: "user", name: ME.name, display_name: "Ada", origin: "" }, ...given });
}

export function topic(given: Partial<Topic> = {}): Topic {
  return {
    id: 1,
    room: "room_1",
    title: "A topic",
    is_placeholder: false,
    is_default: false,
    created_at: 0,
    last_message_at: null,
    archived_at: null,
    ...given,
  };
}

export function glance(given: Partial<Glance> = {}): Glance {
  return { topic: topic(), last: null, run: null, agents: [], read: 0, unread: 0, ...given };
}

export function run(given: Partial<Run> & { id: number }): Run {
  return {
    delivery: given.id,
    agent: "kai",
    computer: "machine_1",
    room: "room_1",
    topic: 1,
    message: null,
    session: "session_1",
    status: "running",
    started_at: given.id * 1000,
    created_at: given.id * 1000,
    ended_at: null,
    last_seq: 0,
    wanted: null,
    usage: null,
    ...given,
  } as Run;
}

export function delivery(given: Partial<Delivery> & { id: number }): Delivery {
  return {
    message: given.id,
    room: "room_1",
    topic: 1,
    agent: "kai",
    status: "pending",
    reason: "mention",
    read_step: null,
    steered_into: null,
    ahead: 0,
    run: null,
    error: null,
    created_at: 0,
    updated_at: 0,
    ...given,
  } as Delivery;
}

export function interaction(given: Partial<Interaction> & { id: number }): Interaction {
  return {
    run: 1,
    topic: 1,
    room: "room_1",
    agent: "rue",
    kind: "approval",
    status: "pending",
    title: "rm -r build",
    created_at: given.id * 1000,
    deny_at: null,
    ...given,
  } as Interaction;
}

export function task(given: Partial<Task> & { id: string }): Task {
  return {
    code: "T-1",
    project: "shop",
    topic: 1,
    room: "room_1",
    title: "A task",
    body: "",
    acceptance: [],
    verification: "",
    verification_required: false,
    paths: [],
    references: [],
    owner: null,
    agent: null,
    type: "task",
    order: 1,
    depends_on: [],
    blocked_by: [],
    is_ready: true,
    status: "backlog",
    waiting_reason: null,
    waiting_note: "",
    last_outcome: null,
    result: null,
    verified_at: null,
    created_at: 0,
    updated_at: 0,
    archived_at: null,
    ...given,
  };
}

export function runEvent(
  seq: number,
  kind: string,
  text: string | null = null,
  data: Record<string, unknown> = {},
): RunEvent {
  return { run: 1, seq, kind, at: seq * 1000, text, lane: "main", data };
}

export function event(position: number, kind: string, data: unknown, room: string | null = "room_1"): Event {
  return { position, kind, room, at: position * 1000, data: data as Record<string, unknown> };
}

export function snapshot(given: Partial<Snapshot> = {}): Snapshot {
  return {
    position: 0,
    now: 0,
    me: ME,
    users: [],
    present: [],
    rooms: [],
    topics: [glance()],
    agents: [],
    computers: [],
    runs: [],
    interactions: [],
    deliveries: [],
    drafts: [],
    saved: [],
    saved_prompts: [],
    projects: [],
    terminals: [],
    preferences: {
      theme: "system",
      font_size: 15,
      language: "system",
      enter_sends: false,
      single_keys: true,
      notify_needs: true,
      notify_mentions: true,
      notify_runs: true,
      quiet_from: null,
      quiet_until: null,
    },
    ...given,
  };
}
