import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { moveTask, startTask, taskOf } from "../api/tasks";
import { type TextKey, t } from "../text/text";
import { useSelect } from "../ui/hooks";
import { later } from "../ui/later";
import { type Choice, useMenu } from "../ui/menus";
import { StatePill } from "../ui/state";
import type { Task } from "../wire/contract";
import { ask } from "./dialogs";
import { useFresh } from "./fresh";
import css from "./task-chip.module.css";
import { tell, tellFailure } from "./tell";

const TaskEditor = later(() => import("./task-editor").then((found) => found.TaskEditor));

export const TASK_STATES = [
  "backlog",
  "ready",
  "in_progress",
  "waiting",
  "review",
  "done",
  "failed",
  "cancelled",
] as const satisfies readonly Task["status"][];

/** Where a task stands, in words of tasks: a run and a task may both be failed, and only one of them waits for a review. */
export function TaskPill({ task }: { task: Task }) {
  return <StatePill status={task.status} word={wordOf(task.status)} />;
}

export function wordOf(status: Task["status"]): string {
  return t(`task.${status}` as TextKey);
}

/** What keeps it from going on, if anything does. */
export function whyItRests(task: Task): string {
  if (task.status === "waiting") return task.waiting_note;
  return task.blocked_by.length > 0 ? t("task.after", { codes: task.blocked_by.join(", ") }) : "";
}

/** The task that a topic is, null when it is none; undefined while nobody asked or knows. */
export function useTask(topic: number, isAsked: boolean): Task | null | undefined {
  const key = ["tasks", "topic", topic];
  const { data } = useQuery({ queryKey: key, queryFn: () => taskOf(topic), enabled: isAsked });
  useFresh(key, "task");
  return data;
}

/** Its code and state, with what people do to it most. */
export function TaskChip({ task }: { task: Task }) {
  const navigate = useNavigate();
  const open = useMenu();
  const role = useSelect((state) => state.desk.me.role);
  const rests = whyItRests(task);
  const start = () => startTask(task.id).then(({ receipt }) => tell(receipt.text), tellFailure);
  const move = async (status: Task["status"]) => {
    if (status !== "waiting") return void moveTask(task.id, status).catch(tellFailure);
    const note = await ask({ title: t("task.why"), value: "", confirm: t("form.save") });
    if (note) await moveTask(task.id, status, note).catch(tellFailure);
  };
  const [isEditing, setEditing] = useState(false);
  const mayAct = role !== "viewer" && task.archived_at === null;
  const choices = (): (Choice | false)[] => [
    rests !== "" && { note: <p className={css.note}>{rests}</p> },
    task.acceptance.length > 0 && {
      note: (
        <ul className={css.note}>
          {task.acceptance.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      ),
    },
    mayAct && {
      label: task.agent === null ? t("task.noAgent") : t("task.start", { agent: task.agent }),
      isOff: task.agent === null,
      act: () => void start(),
    },
    mayAct && { label: t("task.edit"), act: () => setEditing(true) },
    mayAct && "line",
    mayAct && { heading: t("task.move") },
    ...(mayAct ? TASK_STATES : [])
      .filter((status) => status !== task.status && status !== "in_progress")
      .map((status) => ({ label: wordOf(status), act: () => void move(status) })),
    mayAct && "line",
    {
      label: t("task.all", { project: task.project }),
      act: () => void navigate({ to: "/tasks", search: { project: task.project } } as never),
    },
  ];
  return (
    <>
      <button
        type="button"
        className={css.chip}
        aria-label={t("task.chip", { code: task.code, state: wordOf(task.status) })}
        aria-haspopup="menu"
        data-task={task.code}
        onClick={(event) => open(event.currentTarget, choices(), { position: "bottom-end", width: 280 })}
      >
        <b>{task.code}</b>
        <TaskPill task={task} />
      </button>
      {isEditing && <TaskEditor task={task} onClose={() => setEditing(false)} />}
    </>
  );
}
