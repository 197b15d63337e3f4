import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { createTask, listTasks } from "../api/tasks";
import { projectsOf } from "../state/projects";
import { ago, dateTime, t } from "../text/text";
import { Face } from "../ui/face";
import { useNow, useSelect } from "../ui/hooks";
import type { Task } from "../wire/contract";
import { ask } from "./dialogs";
import css from "./files.module.css";
import { useFilters } from "./filters";
import { useFresh } from "./fresh";
import { ListFoot } from "./list-foot";
import { Page } from "./page";
import table from "./table.module.css";
import { TASK_STATES, TaskPill, whyItRests, wordOf } from "./task-chip";
import { TaskFilters } from "./task-filters";
import { tellFailure } from "./tell";

/** The tasks of a project, or of all, by number; each is a topic. */
export function TasksView() {
  const [{ q = "", project = "", agent = "", owner = "", kind = "", state = "" }] = useFilters();
  const now = useNow();
  const known = useSelect((found) => found.desk.projects);
  const role = useSelect((found) => found.desk.me.role);
  const projects = useMemo(() => projectsOf({ projects: known }), [known]);
  const here = project || (projects.length === 1 ? projects[0]?.key : undefined);
  const query = useInfiniteQuery({
    queryKey: ["tasks", "list", q, project, agent, owner, kind, state],
    queryFn: ({ pageParam }) =>
      listTasks({
        q,
        project: project || null,
        agent: agent || null,
        owner: owner || null,
        type: kind || null,
        archived: state === "archived",
        status: TASK_STATES.find((one) => one === state) ?? null,
        after: pageParam,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    placeholderData: (before) => before,
  });
  useFresh(["tasks", "list"], "task");
  const tasks = query.data?.pages.flatMap((page) => page.tasks) ?? [];
  const plan = async (project: string) => {
    const title = await ask({ title: t("task.new"), value: "", confirm: t("task.plan") });
    if (title) await createTask(project, title).catch(tellFailure);
  };
  return (
    <Page
      title={t("nav.tasks")}
      actions={here && role !== "viewer" && <Button onClick={() => void plan(here)}>{t("task.new")}</Button>}
    >
      <TaskFilters
        types={[...new Set(tasks.map((task) => task.type))]}
        states={[
          ...TASK_STATES.map((one) => ({ value: one, label: wordOf(one) })),
          { value: "archived", label: t("board.archived") },
        ]}
      />
      {tasks.length > 0 && (
        <div className={table.wrap}>
          <table className={table.table}>
            <thead>
              <tr>
                <th>{t("task.task")}</th>
                <th>{t("runs.state")}</th>
                <th>{t("runs.agent")}</th>
                <th>{t("task.owner")}</th>
                <th>{t("task.changed")}</th>
              </tr>
            </thead>
            <tbody>
              {tasks.map((task) => (
                <Row key={task.id} task={task} now={now} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <ListFoot
        count={tasks.length}
        none={t("task.none")}
        nothing={t("task.nothing")}
        pages={query}
        more={t("task.more")}
      />
    </Page>
  );
}

function Row({ task, now }: { task: Task; now: number }) {
  const room = useSelect((state) => state.desk.rooms[task.room]);
  const rests = whyItRests(task);
  return (
    <tr data-task={task.code}>
      <td>
        <span className={css.file}>
          <span>
            {room ? (
              <Link to="/r/$room/$topic" params={{ room: room.name, topic: String(task.topic) }}>
                <b>{task.code}</b> {task.title}
              </Link>
            ) : (
              <span>
                <b>{task.code}</b> {task.title}
              </span>
            )}
            <small>
              {task.project}
              {rests && `, ${rests}`}
            </small>
          </span>
        </span>
      </td>
      <td>
        <TaskPill task={task} />
      </td>
      <td>
        {task.agent !== null && (
          <span className={table.who}>
            <Face kind="agent" name={task.agent} size={22} />
            {task.agent}
          </span>
        )}
      </td>
      <td className={table.quiet}>{task.owner ?? ""}</td>
      <td className={table.quiet} title={dateTime(task.updated_at)}>
        {ago(task.updated_at, now)}
      </td>
    </tr>
  );
}
