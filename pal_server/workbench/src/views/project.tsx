import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Hash } from "lucide-react";
import { useMemo } from "react";
import { changeProject, usageOf } from "../api/projects";
import { activityOf, projectNamed } from "../state/projects";
import { ago, count, duration, money, t } from "../text/text";
import { Go } from "../ui/go";
import { useNow, useSelect } from "../ui/hooks";
import type { Project } from "../wire/contract";
import { confirm } from "./dialogs";
import { useFresh } from "./fresh";
import { Missing } from "./missing";
import { Page } from "./page";
import css from "./project.module.css";
import { About } from "./project-about";
import { Decisions } from "./project-decisions";
import { Docs } from "./project-docs";
import { tellFailure } from "./tell";

const NEWEST = 8; // topics under recent activity

/** Everything that belongs to one project: what it says, what was decided, what its runs read, what goes on. */
export function ProjectView() {
  const { project: name = "" } = useParams({ strict: false });
  const projects = useSelect((state) => state.desk.projects);
  const project = projectNamed({ projects }, name);
  return project ? <Known key={project.id} project={project} /> : <Missing isGone />;
}

function Known({ project }: { project: Project }) {
  const role = useSelect((state) => state.desk.me.role);
  const isAdmin = role === "owner" || role === "admin";
  const isArchived = project.archived_at !== null;
  const mayWrite = role !== "viewer" && !isArchived;
  const archive = async () => {
    const isSure =
      isArchived ||
      (await confirm({ title: t("project.archive"), text: t("project.archiveAsk"), confirm: t("project.archive") }));
    if (isSure) await changeProject(project.id, { archived: !isArchived }).catch(tellFailure);
  };
  return (
    <Page
      title={project.name}
      note={isArchived ? t("project.archived") : project.name === project.key ? undefined : project.key}
      actions={
        <>
          <Go className={css.tasks} to={`/board?project=${project.key}`}>
            {t("nav.board")}
          </Go>
          <Go className={css.tasks} to={`/tasks?project=${project.key}`}>
            {t("nav.tasks")}
          </Go>
          {isAdmin && (
            <Button onClick={() => void archive()}>{t(isArchived ? "project.restore" : "project.archive")}</Button>
          )}
        </>
      }
    >
      <div className={css.columns}>
        <div className={css.column}>
          <About project={project} mayWrite={mayWrite} />
          <Decisions project={project} mayWrite={mayWrite} />
          <Docs project={project} mayWrite={mayWrite} />
        </div>
        <div className={css.column}>
          <Numbers project={project} />
          <Rooms project={project} />
          <Activity project={project} />
        </div>
      </div>
    </Page>
  );
}

/** What its runs of the last 30 days used, and how many topics are open. */
function Numbers({ project }: { project: Project }) {
  const rooms = useSelect((state) => state.desk.rooms);
  const topics = useSelect((state) => state.desk.topics);
  const { open } = useMemo(() => activityOf({ rooms, topics }, project.id, 0), [rooms, topics, project.id]);
  const { data } = useQuery({ queryKey: ["usage", "of", project.id], queryFn: () => usageOf(project.id) });
  useFresh(["usage", "of", project.id], "run");
  const figures: [string, string][] = [
    [t("project.runs"), data ? count(data.runs) : "–"],
    [t("project.failed"), data ? count(data.failed) : "–"],
    [t("project.cost"), data && data.with_cost > 0 ? money(data.cost_usd) : "–"],
    [t("project.time"), data && data.runs > 0 ? duration(data.duration_ms) : "–"],
    [t("project.open"), count(open)],
  ];
  return (
    <section className={css.part} aria-label={t("project.numbers")}>
      <header>
        <h2>{t("project.numbers")}</h2>
        <small>{t("project.days")}</small>
      </header>
      <dl className={css.figures}>
        {figures.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="num">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Rooms({ project }: { project: Project }) {
  const rooms = useSelect((state) => state.desk.rooms);
  const mine = Object.values(rooms)
    .filter((room) => room.project === project.id && room.archived_at === null)
    .sort((one, other) => one.name.localeCompare(other.name));
  return (
    <section className={css.part} aria-label={t("nav.rooms")}>
      <header>
        <h2>{t("nav.rooms")}</h2>
      </header>
      <ul className={css.rooms}>
        {mine.map((room) => (
          <li key={room.id}>
            <Link to="/r/$room" params={{ room: room.name }}>
              <Hash size={14} aria-hidden />
              {room.name}
              {room.id === project.default_room && <small>{t("project.defaultRoom")}</small>}
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Activity({ project }: { project: Project }) {
  const rooms = useSelect((state) => state.desk.rooms);
  const topics = useSelect((state) => state.desk.topics);
  const now = useNow();
  const { newest } = useMemo(() => activityOf({ rooms, topics }, project.id, NEWEST), [rooms, topics, project.id]);
  return (
    <section className={css.part} aria-label={t("project.activity")}>
      <header>
        <h2>{t("project.activity")}</h2>
      </header>
      {newest.length === 0 && <p className={css.none}>{t("project.quiet")}</p>}
      <ul className={css.activity}>
        {newest.map(({ topic, last }) => (
          <li key={topic.id}>
            <Go to={`/r/${encodeURIComponent(rooms[topic.room]?.name ?? topic.room)}/${topic.id}`}>
              <span>
                <b>
                  {rooms[topic.room]?.name} › {topic.title}
                </b>
                <small>{last && ago(last.at, now)}</small>
              </span>
              <small>
                {last?.sender.display_name || last?.sender.name}: {last?.text}
              </small>
            </Go>
          </li>
        ))}
      </ul>
    </section>
  );
}
