import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { changeTask, listTasks, startTask } from "../api/tasks";
import { heard, type Moves, meaningOf, type Placed, type Status, shown, type Tasks } from "../state/board";
import { HEARD_KEPT } from "../state/store";
import { t } from "../text/text";
import { useSelect, useStore } from "../ui/hooks";
import type { Event, Task } from "../wire/contract";
import { ask } from "./dialogs";
import { useFresh } from "./fresh";
import { tell, tellFailure } from "./tell";

const MOST = 2_000; // tasks on a board; who has more looks at one project

interface Known {
  tasks: Tasks;
  /** Events up to this one are in them. */
  position: number;
  hasMore: boolean;
}

export interface Board {
  tasks: readonly Task[] | undefined;
  error: Error | null;
  hasMore: boolean;
  retry: () => void;
  /** Put a card into a column; `orders` are those of `placed`. It goes back when the server refuses, which is told. */
  drop: (task: Task, to: Status, orders: readonly { id: string; order: number }[], isLive: boolean) => void;
}

/** The tasks of a project, or of all. They are asked for once; then the stream says what becomes of them. */
export function useBoard(project: string, isArchived: boolean): Board {
  const store = useStore();
  const queries = useQueryClient();
  const key = useMemo(() => ["tasks", "board", project, isArchived], [project, isArchived]);
  const query = useQuery({
    queryKey: key,
    queryFn: async ({ signal }): Promise<Known> => {
      const { position } = store.get().desk;
      return { ...(await readAll(project, isArchived, signal)), position };
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
  const events = useSelect((state) => state.heard);
  useEffect(() => keepUp(queries, key, query.data, events), [queries, key, query.data, events]);
  useFresh(["tasks", "board"], "member", "room", "project"); // other tasks may be in sight
  useAfterAbsence(() => void queries.invalidateQueries({ queryKey: ["tasks", "board"] }));
  const [moves, setMoves] = useState<Moves>({});
  const last = useRef(new Map<string, Promise<void>>());
  const known = query.data?.tasks;
  const tasks = useMemo(
    () => known && shown(known, moves).filter((task) => (task.archived_at !== null) === isArchived),
    [known, moves, isArchived],
  );

  const drop: Board["drop"] = (task, to, [own, ...others], isLive) => {
    const order = own?.order ?? task.order;
    const said = meaningOf(task, to, isLive);
    const move: Placed = { status: to, order };
    setMoves((before) => {
      const status = (id: string) => tasks?.find((one) => one.id === id)?.status ?? to;
      return {
        ...before,
        ...Object.fromEntries(others.map((one) => [one.id, { status: status(one.id), order: one.order }])),
        [task.id]: move,
      };
    });
    const end = (changed: Task | null) =>
      setMoves((before) => {
        const ended = new Set<string>([...others.map((one) => one.id), task.id]);
        const rest = Object.fromEntries(Object.entries(before).filter(([id]) => !ended.has(id)));
        // Another move of the same card, made meanwhile, stands.
        if (before[task.id] !== move) return { ...rest, ...only(before, task.id) };
        return changed === null ? rest : { ...rest, [task.id]: changed };
      });
    const act = async () => {
      try {
        const changed = await carryOut(task, to, order, said);
        for (const one of changed === null ? [] : others) await changeTask(one.id, { order: one.order });
        end(changed);
      } catch (error) {
        end(null);
        tellFailure(error);
      }
    };
    // One after the other for one card: the last one that was made is the one that counts.
    last.current.set(task.id, (last.current.get(task.id) ?? Promise.resolve()).then(act));
  };
  return {
    tasks,
    error: query.error,
    hasMore: query.data?.hasMore ?? false,
    retry: () => void query.refetch(),
    drop,
  };
}

/** The move as the server's rules have it; null when who moved it thought better of it. */
async function carryOut(task: Task, to: Status, order: number, said: ReturnType<typeof meaningOf>) {
  switch (said) {
    case "place":
      return changeTask(task.id, { order });
    case "move":
      return changeTask(task.id, { status: to, order });
    case "explain": {
      const note = await ask({ title: t("task.why"), value: "", confirm: t("form.save") });
      return note ? changeTask(task.id, { status: to, waiting_note: note, order }) : null;
    }
    case "start": {
      const started = await startTask(task.id);
      tell(started.receipt.text);
      return order === task.order ? started.task : changeTask(task.id, { order });
    }
  }
}

async function readAll(project: string, archived: boolean, signal: AbortSignal): Promise<Omit<Known, "position">> {
  const tasks: Record<string, Task> = {};
  let after: string | null = null;
  let count = 0;
  do {
    const page: Awaited<ReturnType<typeof listTasks>> = await listTasks(
      { project: project || null, archived, after, limit: 200 },
      signal,
    );
    for (const task of page.tasks) tasks[task.id] = task;
    count += page.tasks.length;
    after = page.next ?? null;
  } while (after !== null && count < MOST);
  return { tasks, hasMore: after !== null };
}

/** What was told since is laid over what is known; where that may have been forgotten, all is asked for again. */
function keepUp(
  queries: QueryClient,
  key: readonly unknown[],
  known: Known | undefined,
  events: readonly Event[],
): void {
  const newest = events.at(-1)?.position ?? 0;
  if (known === undefined || newest <= known.position) return;
  const since = events.filter((event) => event.position > known.position);
  if (since.length === events.length && events.length >= HEARD_KEPT) {
    void queries.invalidateQueries({ queryKey: key });
    return;
  }
  queries.setQueryData<Known>(key, { ...known, tasks: heard(known.tasks, since), position: newest });
}

/** Calls it when the stream is back after it was gone: what it told the others meanwhile may be too much to be told. */
function useAfterAbsence(act: () => void): void {
  const link = useSelect((state) => state.link.state);
  const wasAway = useRef(false);
  useEffect(() => {
    if (link === "away") wasAway.current = true;
    if (link !== "connected" || !wasAway.current) return;
    wasAway.current = false;
    act();
  });
}

function only(moves: Moves, id: string): Moves {
  const move = moves[id];
  return move === undefined ? {} : { [id]: move };
}
