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
import { UNFILTERED, useFilters } from "./filters";
import { useFresh } from "./fresh";
import { Page } from "./page";
import table from "./table.module.css";
import { TASK_STATES, TaskPill, whyItRests, wordOf } from "./task-chip";
import { TaskFilters } from "./task-filters";
import { tellFailure } from "./tell";

/** The tasks of a project, or of all, by number; each is a topic. */
export function TasksView() {
  const [filters, set] = useFilters();
  const { q = "", project = "", agent = "", owner = "", kind = "", state = "" } = filters;
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
  const isFiltered = Boolean(q || project || agent || owner || kind || state);
  return (
    <Page
      title={t("nav.tasks")}
      actions={here && role !== "viewer" && <Button onClick={() => void plan(here)}>{t("task.new")}</Button>}
    >
      <TaskFilters
        filters={filters}
        set={set}
        types={[...new Set(tasks.map((task) => task.type))]}
        every={t("wall.anyState")}
        states={[
          ...TASK_STATES.map((one) => ({ value: one, label: wordOf(one) })),
          { value: "archived", label: t("board.archived") },
        ]}
      />
      {query.isError && (
        <div className={table.none} role="alert">
          <p>{query.error.message}</p>
          <Button onClick={() => void query.refetch()}>{t("app.tryAgain")}</Button>
        </div>
      )}
      {query.isSuccess && tasks.length === 0 && (
        <div className={table.none}>
          <p>{t(isFiltered ? "task.nothing" : "task.none")}</p>
          {isFiltered && <Button onClick={() => set(UNFILTERED)}>{t("files.clear")}</Button>}
        </div>
      )}
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
      {query.hasNextPage && (
        <div className={table.more}>
          <Button onClick={() => void query.fetchNextPage()} loading={query.isFetchingNextPage}>
            {t("task.more")}
          </Button>
        </div>
      )}
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
