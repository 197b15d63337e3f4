import { Draggable } from "@hello-pangea/dnd";
import { Ellipsis, Play, Square } from "lucide-react";
import { type KeyboardEvent, memo } from "react";
import { t } from "../text/text";
import { Face } from "../ui/face";
import { Go } from "../ui/go";
import { IconButton } from "../ui/icon-button";
import { type Look, StateIcon } from "../ui/state";
import type { Run, Task } from "../wire/contract";
import css from "./board.module.css";
import { whyItRests, wordOf } from "./task-chip";

export interface CardActs {
  open: (task: Task) => void;
  start: (task: Task) => void;
  stop: (run: Run) => void;
  more: (anchor: HTMLElement, task: Task, run: Run | undefined) => void;
}

interface Props {
  task: Task;
  index: number;
  /** The name of its room; none where it is out of sight. */
  room: string | undefined;
  /** What works on it now. */
  run: Run | undefined;
  isQueued: boolean;
  unread: number;
  mayMove: boolean;
  acts: CardActs;
}

/** One task. There may be hundreds: it draws nothing that it does not show, and menus are the page's. */
export const BoardCard = memo(function BoardCard({ task, index, room, run, isQueued, unread, mayMove, acts }: Props) {
  const line = lineOf(task, run, isQueued);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.target !== event.currentTarget) return;
    event.preventDefault();
    acts.open(task);
  };
  return (
    <Draggable draggableId={task.id} index={index} isDragDisabled={!mayMove}>
      {({ innerRef, draggableProps, dragHandleProps }, { isDragging }) => (
        <div
          ref={innerRef}
          {...draggableProps}
          {...dragHandleProps}
          // The library calls the whole card a button, which may hold no link.
          role="group"
          aria-roledescription={t("board.card")}
          aria-label={`${task.code} ${task.title}`}
          tabIndex={0}
          className={css.card}
          data-task={task.code}
          data-dragging={isDragging || undefined}
          data-asks={task.waiting_reason === "interaction" || undefined}
          onKeyDown={onKeyDown}
        >
          <div className={css.top}>
            <code>{task.code}</code>
            <span className={css.room}>{room === undefined ? task.project : `#${room}`}</span>
            {task.type !== "task" && <span className={css.type}>{task.type}</span>}
          </div>
          <strong className={css.title}>
            {room === undefined ? (
              task.title
            ) : (
              <Go to={`/r/${encodeURIComponent(room)}/${task.topic}`}>{task.title}</Go>
            )}
          </strong>
          {line && (
            <span className={css.line} data-look={line.look}>
              <StateIcon look={line.look} size={13} />
              <span>{line.words}</span>
            </span>
          )}
          <div className={css.foot}>
            {unread > 0 && <span className={css.unread}>{t("nav.unread", { n: unread })}</span>}
            <span className={css.faces}>
              {task.owner !== null && <Face kind="user" name={task.owner} size={20} />}
              {task.agent !== null && (
                <Face
                  kind="agent"
                  name={task.agent}
                  size={20}
                  dot={run === undefined ? null : run.status === "waiting" ? "waiting" : "running"}
                />
              )}
            </span>
            {mayMove && run !== undefined && (
              <IconButton label={t("board.stop", { code: task.code })} onClick={() => acts.stop(run)}>
                <Square size={14} aria-hidden />
              </IconButton>
            )}
            {mayMove && run === undefined && task.agent !== null && task.is_ready && (
              <IconButton
                label={t("board.start", { agent: task.agent, code: task.code })}
                onClick={() => acts.start(task)}
              >
                <Play size={14} aria-hidden />
              </IconButton>
            )}
            <IconButton
              label={t("board.more", { code: task.code })}
              onClick={(event) => acts.more(event.currentTarget, task, run)}
            >
              <Ellipsis size={15} aria-hidden />
            </IconButton>
          </div>
        </div>
      )}
    </Draggable>
  );
});

/** A run that never began failed, too. */
const ENDS = { failed: "failed", cancelled: "cancelled", interrupted: "interrupted", dead: "failed" } as const;

/** Where it stands beyond its column, in words. */
function lineOf(task: Task, run: Run | undefined, isQueued: boolean): { look: Look; words: string } | null {
  const rests = whyItRests(task);
  if (task.status === "waiting") return { look: "ask", words: rests || wordOf(task.status) };
  if (run !== undefined) return { look: "running", words: t("board.works", { agent: run.agent }) };
  if (isQueued) return { look: "wait", words: t("state.queued") };
  switch (task.status) {
    case "backlog":
    case "ready":
      if (rests) return { look: "wait", words: rests };
      if (task.last_outcome === null || task.last_outcome === "succeeded") return null;
      return { look: "bad", words: t("board.last", { state: t(`state.${ENDS[task.last_outcome]}`) }) };
    case "review":
    case "done":
      return task.verified_at === null ? null : { look: "ok", words: t("board.verified") };
    default:
      return null;
  }
}
