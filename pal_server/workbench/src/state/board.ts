/**
 * The board: tasks by column, moves that are on their way, and where a card that is dropped belongs. Pure.
 *
 * What the server said is one record of tasks, changed by its events alone; a move made here lies over it until the
 * server has answered, and is gone when it refuses.
 */
import type { Event, Task } from "../wire/contract";

export type Status = Task["status"];
export type Tasks = Readonly<Record<string, Task>>;

export const COLUMNS = ["backlog", "ready", "in_progress", "waiting", "review", "done"] as const satisfies Status[];
/** What nobody works on any more; seen when somebody asks for it. */
export const CLOSED = ["failed", "cancelled"] as const satisfies Status[];

/** What a list of tasks is narrowed by; empty: nothing. */
export interface Wanted {
  project?: string | undefined;
  agent?: string | undefined;
  owner?: string | undefined;
  type?: string | undefined;
  /** Part of a title, body or code, whatever its case. */
  q?: string | undefined;
}

/** A move that the server has not answered yet. */
export interface Placed {
  status: Status;
  order: number;
}

/** By task: a move on its way, or what the server answered to one before its event comes. */
export type Moves = Readonly<Record<string, Placed | Task>>;

/** The tasks after these events; those of other things change nothing. */
export function heard(tasks: Tasks, events: readonly Event[]): Tasks {
  let after = tasks;
  for (const { kind, data } of events) {
    if (!kind.startsWith("task.")) continue;
    const task = data as unknown as Task;
    if (kind === "task.deleted") {
      const { [task.id]: _, ...rest } = after;
      after = rest;
    } else after = { ...after, [task.id]: task };
  }
  return after;
}

/** What a person sees: the tasks with their own moves over them. */
export function shown(tasks: Tasks, moves: Moves): Task[] {
  return Object.values(tasks).map((task) => {
    const move = moves[task.id];
    if (move === undefined) return task;
    if ("id" in move) return move.updated_at > task.updated_at ? move : task;
    const note = move.status === task.status ? task.waiting_note : "";
    return { ...task, status: move.status, order: move.order, waiting_note: note };
  });
}

export function fits(task: Task, wanted: Wanted): boolean {
  const { project, agent, owner, type, q } = wanted;
  if ((project && task.project !== project) || (agent && task.agent !== agent)) return false;
  if ((owner && task.owner !== owner) || (type && task.type !== type)) return false;
  const words = q?.trim().toLowerCase();
  return !words || [task.code, task.title, task.body].some((text) => text.toLowerCase().includes(words));
}

/** Each column's cards in their order; of two with the same the older one is first. */
export function columnsOf(tasks: readonly Task[]): ReadonlyMap<Status, Task[]> {
  const columns = new Map<Status, Task[]>([...COLUMNS, ...CLOSED].map((status) => [status, []]));
  for (const task of tasks) columns.get(task.status)?.push(task);
  for (const cards of columns.values()) cards.sort(inOrder);
  return columns;
}

function inOrder(one: Task, other: Task): number {
  return one.order - other.order || one.created_at - other.created_at || (one.id < other.id ? -1 : 1);
}

/** What the server is asked for when a card is dropped in a column. */
export type Meaning =
  | "place" // in its own column
  | "start" // its agent is given it, and the work moves it
  | "explain" // it moves with the reason why it waits
  | "move";

export function meaningOf(task: Task, to: Status, isLive: boolean): Meaning {
  if (to === task.status) return "place";
  if (to === "waiting") return "explain";
  return to === "in_progress" && task.agent !== null && !isLive ? "start" : "move";
}

const ROOM = 1e-6; // between two orders, so that a number in the middle is another one

/**
 * The orders that put this card at a place of a column, which is given without it. It is the first of them; others change
 * only where no number lies between its neighbours.
 */
export function placed(column: readonly Task[], at: number, card: Task): { id: string; order: number }[] {
  const before = column[at - 1]?.order;
  const after = column[at]?.order;
  if (before === undefined) return [{ id: card.id, order: after === undefined ? card.order : after - 1 }];
  if (after === undefined) return [{ id: card.id, order: before + 1 }];
  const end = column.findIndex((one, index) => index >= at && one.order - before > ROOM * (index - at + 2));
  const squeezed = column.slice(at, end === -1 ? column.length : end);
  const step = end === -1 ? 1 : ((column[end]?.order ?? 0) - before) / (squeezed.length + 2);
  return [card, ...squeezed].map(({ id }, index) => ({ id, order: before + step * (index + 1) }));
}
