import {
  DragDropContext,
  type DragStart,
  type DragUpdate,
  Droppable,
  type DropResult,
  type ResponderProvided,
} from "@hello-pangea/dnd";
import { Button } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { stopRun } from "../api/runs";
import { changeTask, createTask, deleteTask, startTask } from "../api/tasks";
import { CLOSED, COLUMNS, columnsOf, fits, meaningOf, placed, type Status } from "../state/board";
import { LIVE } from "../state/desk";
import { projectsOf } from "../state/projects";
import { t } from "../text/text";
import { PHONE, useKept, useLatest, useMedia, useSelect } from "../ui/hooks";
import { later } from "../ui/later";
import { type Choice, useMenu } from "../ui/menus";
import type { Run, Task } from "../wire/contract";
import css from "./board.module.css";
import { BoardCard, type CardActs } from "./board-card";
import { BoardColumn } from "./board-column";
import { confirm } from "./dialogs";
import { UNFILTERED, useFilters } from "./filters";
import { Page } from "./page";
import table from "./table.module.css";
import { wordOf } from "./task-chip";
import { TaskFilters, wantedOf } from "./task-filters";
import { tell, tellFailure } from "./tell";
import { useBoard } from "./use-board";

const TaskEditor = later(() => import("./task-editor").then((found) => found.TaskEditor));

const SWIPE = 60; // pixels a finger goes sideways for the next column
const UNBEGUN: ReadonlySet<Status> = new Set(["backlog", "ready"]);
const nonce = document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? "";

/** Tasks by where they stand. A card that is dropped says what the server is asked for; what it answers is the truth. */
export function BoardView() {
  const [filters, set] = useFilters();
  const isArchived = filters.state === "archived";
  const board = useBoard(filters.project ?? "", isArchived);
  const known = useSelect((state) => state.desk.projects);
  const rooms = useSelect((state) => state.desk.rooms);
  const topics = useSelect((state) => state.desk.topics);
  const role = useSelect((state) => state.desk.me.role);
  const { live, queued } = useWork();
  const isPhone = useMedia(PHONE);
  const [kept, show] = useKept("board.column", "backlog");
  const [isMoving, setMoving] = useState(false);
  const [adding, setAdding] = useState<Status | null>(null);
  const all = useMemo(() => projectsOf({ projects: known }), [known]);
  const { project, agent, owner, kind, q } = filters;
  const columns = useMemo(() => {
    const wanted = wantedOf({ project, agent, owner, kind, q } as typeof filters);
    return columnsOf((board.tasks ?? []).filter((task) => fits(task, wanted)));
  }, [board.tasks, project, agent, owner, kind, q]);
  const types = useMemo(() => [...new Set(board.tasks?.map((task) => task.type))], [board.tasks]);
  const statuses: readonly Status[] =
    filters.state === "" || filters.state === undefined ? COLUMNS : [...COLUMNS, ...CLOSED];
  const only = statuses.find((one) => one === kept) ?? "backlog";
  const mayWrite = role !== "viewer";
  const mayMove = mayWrite && !isArchived;
  const isFiltered = Boolean(project || agent || owner || kind || q);
  const count = [...columns.values()].reduce((sum, cards) => sum + cards.length, 0);
  const [editing, edit] = useState<Task | null>(null);
  const acts = useActs({ drop: board.drop, edit, columns, live, isArchived, mayWrite });
  const plannable = !mayMove ? [] : project ? all.filter((one) => one.key === project) : all;

  const codeOf = (id: string) => board.tasks?.find((task) => task.id === id)?.code ?? "";
  const onDragStart = ({ draggableId, source }: DragStart, { announce }: ResponderProvided) => {
    setMoving(true);
    const column = wordOf(source.droppableId as Status);
    announce(t("board.lifted", { code: codeOf(draggableId), column, place: source.index + 1 }));
  };
  const onDragUpdate = ({ draggableId, destination }: DragUpdate, { announce }: ResponderProvided) => {
    const code = codeOf(draggableId);
    if (!destination) return announce(t("board.nowhere", { code }));
    const column = wordOf(destination.droppableId as Status);
    announce(t("board.over", { code, column, place: destination.index + 1 }));
  };
  const onDragEnd = ({ draggableId, source, destination, reason }: DropResult, { announce }: ResponderProvided) => {
    setMoving(false);
    const code = codeOf(draggableId);
    if (reason === "CANCEL" || !destination) return announce(t("board.back", { code }));
    const to = destination.droppableId as Status;
    announce(t("board.dropped", { code, column: wordOf(to), place: destination.index + 1 }));
    const task = board.tasks?.find((one) => one.id === draggableId);
    if (!task || (to === source.droppableId && destination.index === source.index)) return;
    const others = (columns.get(to) ?? []).filter((one) => one.id !== task.id);
    board.drop(task, to, placed(others, destination.index, task), live.has(task.topic));
  };
  const plan = () => {
    show("backlog");
    setAdding("backlog");
  };
  return (
    <Page
      title={t("nav.board")}
      isPlain
      actions={
        plannable.length > 0 && (
          <Button variant="filled" onClick={plan} data-new>
            {t("task.new")}
          </Button>
        )
      }
    >
      <div className={css.board}>
        <div className={css.narrow}>
          <TaskFilters
            types={types}
            every={t("board.open")}
            states={[
              { value: "closed", label: t("board.closed") },
              { value: "archived", label: t("board.archived") },
            ]}
          />
        </div>
        {board.hasMore && <p className={css.note}>{t("board.tooMany")}</p>}
        {board.error && (
          <div className={table.none} role="alert">
            <p>{board.error.message}</p>
            <Button onClick={board.retry}>{t("app.tryAgain")}</Button>
          </div>
        )}
        {board.tasks && count === 0 && (
          <p className={css.note} role="status">
            {t(isFiltered || isArchived ? "task.nothing" : "task.none")}{" "}
            {(isFiltered || isArchived) && (
              <Button size="compact-sm" onClick={() => set(UNFILTERED)}>
                {t("files.clear")}
              </Button>
            )}
          </p>
        )}
        {isPhone && (
          <div className={css.tabs} role="group" aria-label={t("board.columns")}>
            {statuses.map((status) => (
              <button key={status} type="button" aria-pressed={status === only} onClick={() => show(status)}>
                {wordOf(status)} <small>{columns.get(status)?.length ?? 0}</small>
              </button>
            ))}
          </div>
        )}
        <DragDropContext
          onDragStart={onDragStart}
          onDragUpdate={onDragUpdate}
          onDragEnd={onDragEnd}
          dragHandleUsageInstructions={t("board.howTo")}
          nonce={nonce}
        >
          <div
            className={css.columns}
            data-moving={isMoving || undefined}
            {...(isPhone && swiped((step) => show(statuses[statuses.indexOf(only) + step] ?? only), isMoving))}
          >
            {(isPhone ? [only] : statuses).map((status) => (
              <Droppable key={status} droppableId={status}>
                {({ innerRef, droppableProps, placeholder }, { isDraggingOver }) => (
                  <BoardColumn
                    status={status}
                    count={columns.get(status)?.length ?? 0}
                    projects={UNBEGUN.has(status) ? plannable : []}
                    isAdding={status === adding}
                    setAdding={(isAdding) => setAdding(isAdding ? status : null)}
                    onAdd={(key, title) => createTask(key, title, status === "ready" ? "ready" : "backlog")}
                    innerRef={innerRef}
                    isOver={isDraggingOver}
                    {...droppableProps}
                  >
                    {columns.get(status)?.map((task, index) => (
                      <BoardCard
                        key={task.id}
                        task={task}
                        index={index}
                        room={rooms[task.room]?.name}
                        run={live.get(task.topic)}
                        isQueued={queued.has(task.topic)}
                        unread={topics[task.topic]?.unread ?? 0}
                        mayMove={mayMove}
                        acts={acts}
                      />
                    ))}
                    {placeholder}
                  </BoardColumn>
                )}
              </Droppable>
            ))}
          </div>
        </DragDropContext>
        {editing && <TaskEditor task={editing} onClose={() => edit(null)} />}
      </div>
    </Page>
  );
}

/** What works in which topic, and where something waits its turn. */
function useWork(): { live: ReadonlyMap<number, Run>; queued: ReadonlySet<number> } {
  const runs = useSelect((state) => state.desk.runs);
  const deliveries = useSelect((state) => state.desk.deliveries);
  const live = useMemo(
    () => new Map(Object.values(runs).flatMap((run) => (LIVE.has(run.status) ? [[run.topic, run]] : []))),
    [runs],
  );
  const queued = useMemo(
    () => new Set(Object.values(deliveries).flatMap((one) => (one.status === "pending" ? [one.topic] : []))),
    [deliveries],
  );
  return { live, queued };
}

interface Given {
  drop: ReturnType<typeof useBoard>["drop"];
  edit: (task: Task) => void;
  columns: ReadonlyMap<Status, readonly Task[]>;
  live: ReadonlyMap<number, Run>;
  isArchived: boolean;
  mayWrite: boolean;
}

/** What a card's buttons and menu do. Their identity stays, so that a card is drawn only when something of it changes. */
function useActs({ drop, edit, columns, live, isArchived, mayWrite }: Given): CardActs {
  const navigate = useNavigate();
  const openMenu = useMenu();
  const rooms = useSelect((state) => state.desk.rooms);
  const open = useLatest((task: Task) => {
    const room = rooms[task.room]?.name;
    if (room) void navigate({ to: "/r/$room/$topic", params: { room, topic: String(task.topic) } });
  });
  const start = useLatest((task: Task, force: boolean) => {
    startTask(task.id, force).then(({ receipt }) => tell(receipt.text), tellFailure);
  });
  const stop = useLatest((run: Run) => {
    stopRun(run.id).catch(tellFailure);
  });
  const moveTo = (task: Task, to: Status) => {
    const column = columns.get(to) ?? [];
    drop(task, to, placed(column, column.length, task), live.has(task.topic));
  };
  const more = useLatest((anchor: HTMLElement, task: Task, run: Run | undefined) => {
    const archive = (archived: boolean) => void changeTask(task.id, { archived }).catch(tellFailure);
    const choices: (Choice | false)[] = [
      rooms[task.room] !== undefined && { label: t("ask.openTopic"), act: () => open(task) },
    ];
    const remove = async () => {
      const title = t("board.delete", { code: task.code });
      const isSure = await confirm({ title, text: t("board.deleteAsk"), confirm: t("board.deleteIt") });
      if (isSure) await deleteTask(task.id).catch(tellFailure);
    };
    if (mayWrite && isArchived) {
      choices.push(
        { label: t("board.unarchive"), act: () => archive(false) },
        { label: t("board.deleteIt"), act: () => void remove() },
      );
    }
    if (mayWrite && !isArchived) {
      choices.push(
        { label: t("task.edit"), act: () => edit(task) },
        run !== undefined && { label: t("board.stop", { code: task.code }), act: () => stop(run) },
        run === undefined &&
          task.agent !== null && {
            label: t(task.blocked_by.length > 0 ? "board.force" : "task.start", { agent: task.agent }),
            act: () => start(task, task.blocked_by.length > 0),
          },
        "line",
        ...[...COLUMNS, ...CLOSED]
          .filter((status) => status !== task.status)
          .filter((status) => status !== "in_progress" || meaningOf(task, status, run !== undefined) === "move")
          .map((status) => ({
            label: t("board.moveTo", { column: wordOf(status) }),
            act: () => moveTo(task, status),
          })),
        "line",
        { label: t("board.archive"), act: () => archive(true) },
      );
    }
    openMenu(anchor, choices);
  });
  return useMemo(() => ({ open, start: (task) => start(task, false), stop, more }), [open, start, stop, more]);
}

let touched: { x: number; y: number } | null = null;

/** On a phone a finger that goes sideways goes to the next column, unless it carries a card. */
function swiped(go: (step: 1 | -1) => void, isMoving: boolean) {
  return {
    onTouchStart: (event: React.TouchEvent) => {
      const finger = event.touches[0];
      touched = finger ? { x: finger.clientX, y: finger.clientY } : null;
    },
    onTouchEnd: (event: React.TouchEvent) => {
      const finger = event.changedTouches[0];
      if (touched === null || finger === undefined || isMoving) return;
      const [x, y] = [finger.clientX - touched.x, finger.clientY - touched.y];
      if (Math.abs(x) > SWIPE && Math.abs(x) > 2 * Math.abs(y)) go(x < 0 ? 1 : -1);
    },
  };
}
