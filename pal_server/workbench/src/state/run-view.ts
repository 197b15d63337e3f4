/**
 * What a run shows, built from its events one by one: steps, the text that grows, the plan, what it used.
 *
 * Events come in order of `seq`; one that is known already changes nothing. A run may talk for days, so a view that grows
 * keeps only the newest of everything; what was before is on the server, and can be put in front (`withEarlier`).
 */
import type { RunEvent } from "../wire/contract";

export type StepState = "running" | "ok" | "failed" | "refused";
export type StepKind = "command" | "edit" | "read" | "search" | "fetch" | "think" | "tool" | "say" | "error" | "notice";

export interface FileChange {
  path: string;
  change: string;
  /** Unified diff, when the runtime gave one. */
  diff: string;
  added: number;
  removed: number;
}

export interface Step {
  id: string;
  seq: number;
  lane: string;
  kind: StepKind;
  /** Name of the tool, as the program calls it. */
  name: string;
  title: string;
  state: StepState;
  at: number;
  endedAt: number | null;
  input: string;
  output: string;
  exit: number | null;
  change: FileChange | null;
}

export interface Entry {
  text: string;
  status: "pending" | "in_progress" | "completed";
}

export interface RunView {
  /** Up to which event this is. */
  seq: number;
  steps: readonly Step[];
  /** Texts to people, in order; the last one may still grow. */
  texts: readonly { id: string; seq: number; lane: string; text: string }[];
  reasoning: string;
  todo: readonly Entry[];
  plan: string;
  changes: readonly FileChange[];
  lanes: readonly { id: string; name: string; isOpen: boolean }[];
  tokens: number | null;
  cost: number | null;
  context: { used: number; size: number } | null;
  model: string | null;
  /** The newest word of how it stands. */
  notice: string;
  raw: readonly RunEvent[];
}

const RAW_KEPT = 2000; // events
const STEPS_KEPT = 1000;
const CHANGES_KEPT = 1000;
const TEXT_KEPT = 100_000; // characters of words, and as many of thoughts
const OUTPUT_KEPT = 40_000; // characters of one step's output
const KINDS: Readonly<Record<string, StepKind>> = {
  execute: "command",
  edit: "edit",
  read: "read",
  search: "search",
  fetch: "fetch",
  think: "think",
};

export const EMPTY: RunView = {
  seq: 0,
  steps: [],
  texts: [],
  reasoning: "",
  todo: [],
  plan: "",
  changes: [],
  lanes: [],
  tokens: null,
  cost: null,
  context: null,
  model: null,
  notice: "",
  raw: [],
};

/** The view after these events, which are in order; those it has already are left out. */
export function applyEvents(view: RunView, events: readonly RunEvent[]): RunView {
  const fresh = events.filter((event) => event.seq > view.seq);
  const last = fresh.at(-1);
  if (!last) return view;
  const next = fresh.reduce(show, view);
  return {
    ...next,
    seq: last.seq,
    raw: newest([...view.raw, ...fresh], Math.max(RAW_KEPT, view.raw.length)),
    steps: newest(next.steps, Math.max(STEPS_KEPT, view.steps.length)),
    changes: newest(next.changes, Math.max(CHANGES_KEPT, view.changes.length)),
    texts: newestTexts(next.texts),
    reasoning: newestText(next.reasoning, TEXT_KEPT),
  };
}

/** The view with a page of events before its first one. */
export function withEarlier(view: RunView, events: readonly RunEvent[]): RunView {
  const first = view.raw[0]?.seq ?? 1;
  const all = [...events.filter((event) => event.seq < first), ...view.raw];
  if (all.length === view.raw.length) return view;
  return { ...all.reduce(show, EMPTY), seq: view.seq, raw: all };
}

function newest<T>(all: readonly T[], kept: number): readonly T[] {
  return all.length > kept ? all.slice(-kept) : all;
}

/** The end of a text that is too long, from the beginning of a line; cut rarely, so that the rest stays as it is. */
function newestText(text: string, kept: number): string {
  if (text.length <= kept * 1.5) return text;
  const cut = text.length - kept;
  const line = text.indexOf("\n", cut);
  return text.slice(line >= 0 ? line + 1 : cut);
}

function newestTexts(texts: RunView["texts"]): RunView["texts"] {
  let left = TEXT_KEPT;
  let from = texts.length;
  while (from > 0 && left > 0) {
    from -= 1;
    left -= texts[from]?.text.length ?? 0;
  }
  const kept = from > 0 ? texts.slice(from) : texts;
  if (kept.every((one) => one.text.length <= TEXT_KEPT * 1.5)) return kept;
  return kept.map((one) => ({ ...one, text: newestText(one.text, TEXT_KEPT) }));
}

function show(view: RunView, event: RunEvent): RunView {
  const data = event.data;
  const said = event.text ?? "";
  switch (event.kind) {
    case "message":
      return { ...view, texts: grown(view.texts, event) };
    case "output":
      return { ...view, texts: grown(view.texts, { ...event, data: { id: `output:${event.lane}` } }) };
    case "reasoning":
      return { ...view, reasoning: data.replaces ? said : view.reasoning + said };
    case "tool_call":
      return { ...view, steps: putStep(view.steps, toolStep(event)) };
    case "tool_result":
      return { ...view, steps: view.steps.map((step) => (step.id === text(data.id) ? ended(step, event) : step)) };
    case "command":
      return { ...view, steps: commanded(view.steps, event) };
    case "file_change":
      return fileChanged(view, event);
    case "web_search":
      return { ...view, steps: [...view.steps, plainStep(event, "search", said || text(data.query))] };
    case "todo":
      return { ...view, todo: entriesOf(data.entries) };
    case "plan":
      return { ...view, plan: said };
    case "usage":
      return used(view, event);
    case "subagent":
      return { ...view, lanes: lanesWith(view.lanes, event) };
    case "error":
      return { ...view, notice: said, steps: [...view.steps, { ...plainStep(event, "error", said), state: "failed" }] };
    case "status":
      return said ? { ...view, notice: said } : view;
    default:
      return { ...view, steps: [...view.steps, plainStep(event, "notice", said || event.kind)] };
  }
}

function grown(texts: RunView["texts"], event: RunEvent): RunView["texts"] {
  const id = text(event.data.id) || `message:${event.seq}`;
  const known = texts.findIndex((one) => one.id === id && one.lane === event.lane);
  const said = event.text ?? "";
  if (known < 0) return [...texts, { id, seq: event.seq, lane: event.lane, text: said }];
  return texts.map((one, index) =>
    index === known ? { ...one, text: event.data.replaces ? said : one.text + said } : one,
  );
}

function toolStep(event: RunEvent): Step {
  const { data } = event;
  const kind = KINDS[text(data.kind)] ?? "tool";
  return {
    ...plainStep(event, kind, text(data.title) || text(data.name)),
    id: text(data.id) || `tool:${event.seq}`,
    name: text(data.name),
    state: "running",
    endedAt: null,
    input: typeof data.input === "string" ? data.input : data.input ? JSON.stringify(data.input, null, 2) : "",
  };
}

function ended(step: Step, event: RunEvent): Step {
  const status = text(event.data.status);
  const exit = typeof event.data.exit === "number" ? event.data.exit : null;
  return {
    ...step,
    state: status === "refused" ? "refused" : status === "failed" || status === "aborted" ? "failed" : "ok",
    endedAt: event.at,
    exit,
    output: (step.output + (event.text ?? "")).slice(0, OUTPUT_KEPT),
  };
}

function commanded(steps: readonly Step[], event: RunEvent): readonly Step[] {
  const title = text(event.data.command) || (event.text ?? "");
  const tool = steps.find((step) => step.id === text(event.data.id));
  if (tool) return putStep(steps, { ...tool, kind: "command", title });
  return [...steps, plainStep(event, "command", title)];
}

function fileChanged(view: RunView, event: RunEvent): RunView {
  const { data } = event;
  const named = text(data.path);
  const paths = named ? [named] : Array.isArray(data.paths) ? data.paths.map(text) : [];
  const diff = text(data.diff);
  const [added, removed] = countLines(diff);
  const made = paths.map((path) => ({ path, change: text(data.change) || "edit", diff, added, removed }));
  const tool = view.steps.find((step) => text(data.id) !== "" && step.id === text(data.id));
  const [first] = made;
  const steps = tool
    ? putStep(view.steps, { ...tool, kind: "edit", change: first ?? null })
    : [
        ...view.steps,
        { ...plainStep(event, "edit", paths.join(", ") || (event.text ?? "")), change: diff && first ? first : null },
      ];
  return { ...view, steps, changes: [...view.changes, ...made] };
}

/** Changes of a run by file: several edits of one file become one entry with all of their diffs. */
export function byFile(changes: readonly FileChange[]): readonly (FileChange & { diffs: readonly string[] })[] {
  const files = new Map<string, FileChange & { diffs: string[] }>();
  for (const change of changes) {
    const known = files.get(change.path);
    if (!known) files.set(change.path, { ...change, diffs: change.diff ? [change.diff] : [] });
    else {
      files.set(change.path, {
        ...known,
        change: known.change === "add" ? "add" : change.change,
        added: known.added + change.added,
        removed: known.removed + change.removed,
        diffs: change.diff ? [...known.diffs, change.diff] : known.diffs,
      });
    }
  }
  return [...files.values()].sort((one, other) => one.path.localeCompare(other.path));
}

export function countLines(diff: string): [added: number, removed: number] {
  let added = 0;
  let removed = 0;
  for (const line of diff.split("\n")) {
    if (line.startsWith("+") && !line.startsWith("+++")) added += 1;
    if (line.startsWith("-") && !line.startsWith("---")) removed += 1;
  }
  return [added, removed];
}

function used(view: RunView, event: RunEvent): RunView {
  const { data } = event;
  const tokens = number(data.input_tokens) + number(data.output_tokens);
  const size = number(data.context_size);
  return {
    ...view,
    tokens: tokens > 0 ? tokens : view.tokens,
    cost: typeof data.cost_usd === "number" ? data.cost_usd : view.cost,
    context: size > 0 ? { used: number(data.context_used), size } : view.context,
    model: text(data.model) || view.model,
  };
}

function lanesWith(lanes: RunView["lanes"], event: RunEvent): RunView["lanes"] {
  const id = text(event.data.id) || event.lane;
  const known = lanes.find((lane) => lane.id === id);
  const state = text(event.data.state);
  const lane = {
    id,
    name: event.text ?? known?.name ?? id,
    isOpen: !/^(ended|done|completed|failed|stopped)$/.test(state),
  };
  return known ? lanes.map((one) => (one.id === id ? lane : one)) : [...lanes, lane];
}

function entriesOf(value: unknown): readonly Entry[] {
  if (!Array.isArray(value)) return [];
  return value.map((one) => {
    const status = text(one?.status);
    return {
      text: text(one?.text),
      status: status === "completed" || status === "in_progress" ? status : "pending",
    };
  });
}

function plainStep(event: RunEvent, kind: StepKind, title: string): Step {
  return {
    id: `event:${event.seq}`,
    seq: event.seq,
    lane: event.lane,
    kind,
    name: event.kind,
    title,
    state: "ok",
    at: event.at,
    endedAt: event.at,
    input: "",
    output: "",
    exit: null,
    change: null,
  };
}

function putStep(steps: readonly Step[], step: Step): readonly Step[] {
  return steps.some((one) => one.id === step.id)
    ? steps.map((one) => (one.id === step.id ? step : one))
    : [...steps, step];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function number(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
