import { Button, NativeSelect, SegmentedControl } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { listRuns } from "../api/runs";
import { LIVE } from "../state/desk";
import { EMPTY } from "../state/run-view";
import { ago, count, dateTime, duration, t } from "../text/text";
import { Face } from "../ui/face";
import { useNow, useSelect, useStore } from "../ui/hooks";
import { StatePill } from "../ui/state";
import type { Run } from "../wire/contract";
import { Page } from "./page";
import { wordsOf } from "./run-card";
import css from "./runs.module.css";
import table from "./table.module.css";

/** Every run as a table, or the live ones as a wall with their last lines. */
export function RunsView() {
  const [kind, setKind] = useState("table");
  const [agent, setAgent] = useState("");
  const agents = useSelect((state) => state.desk.agents);
  return (
    <Page
      title={t("runs.title")}
      actions={
        <>
          <NativeSelect
            aria-label={t("runs.agent")}
            size="xs"
            value={agent}
            onChange={(event) => setAgent(event.currentTarget.value)}
            data={[
              { value: "", label: t("runs.filterAgent") },
              ...Object.keys(agents).map((key) => ({ value: key, label: key })),
            ]}
          />
          <SegmentedControl
            size="xs"
            value={kind}
            onChange={setKind}
            data={[
              { value: "table", label: t("runs.table") },
              { value: "wall", label: t("runs.wall") },
            ]}
          />
        </>
      }
    >
      {kind === "wall" ? <Wall agent={agent} /> : <Table agent={agent} />}
    </Page>
  );
}

function Table({ agent }: { agent: string }) {
  const store = useStore();
  const known = useSelect((state) => state.desk.runs);
  const now = useNow(5_000);
  const query = useInfiniteQuery({
    queryKey: ["runs", agent],
    queryFn: ({ pageParam }) => listRuns({ after: pageParam, agent: agent || null }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });
  useEffect(() => {
    for (const page of query.data?.pages ?? []) store.take({ runs: page.runs });
  }, [query.data, store]);
  const oldest = query.data?.pages.at(-1)?.runs.at(-1)?.id ?? 0;
  const runs = Object.values(known)
    .filter((run) => (!agent || run.agent === agent) && (run.id >= oldest || LIVE.has(run.status)))
    .sort((one, other) => other.id - one.id);
  if (query.isSuccess && runs.length === 0) return <p className={table.none}>{t("runs.none")}</p>;
  return (
    <>
      <div className={table.wrap}>
        <table className={table.table}>
          <thead>
            <tr>
              <th>{t("runs.agent")}</th>
              <th>{t("runs.state")}</th>
              <th>{t("runs.topic")}</th>
              <th>{t("runs.began")}</th>
              <th data-right>{t("runs.took")}</th>
              <th data-right>{t("runs.used")}</th>
            </tr>
          </thead>
          <tbody>
            {runs.map((run) => (
              <Row key={run.id} run={run} now={now} />
            ))}
          </tbody>
        </table>
      </div>
      {query.hasNextPage && (
        <div className={table.more}>
          <Button onClick={() => void query.fetchNextPage()} loading={query.isFetchingNextPage}>
            {t("runs.more")}
          </Button>
        </div>
      )}
    </>
  );
}

function Row({ run, now }: { run: Run; now: number }) {
  const navigate = useNavigate();
  const topic = useSelect((state) => state.desk.topics[run.topic]?.topic);
  const room = useSelect((state) => state.desk.rooms[run.room]);
  const began = run.started_at ?? run.created_at;
  const tokens = (run.usage?.input_tokens ?? 0) + (run.usage?.output_tokens ?? 0);
  return (
    <tr>
      <td>
        <span className={table.who}>
          <Face kind="agent" name={run.agent} size={22} />
          <Link
            to="."
            search={((before: object) => ({ ...before, run: run.id })) as never}
            onClick={(event) => {
              event.preventDefault();
              void navigate({ to: ".", search: (before: object) => ({ ...before, run: run.id }) } as never);
            }}
          >
            {run.agent} <small>{t("run.title", { id: run.id })}</small>
          </Link>
        </span>
      </td>
      <td>
        <StatePill status={run.status} />
      </td>
      <td>
        {room && (
          <Link to="/r/$room/$topic" params={{ room: room.name, topic: String(run.topic) }}>
            {room.name} › {topic?.title}
          </Link>
        )}
      </td>
      <td className={table.quiet} title={dateTime(began)}>
        {ago(began, now)}
      </td>
      <td data-right className="num">
        {duration(run.duration_ms ?? (run.ended_at ?? now) - began)}
      </td>
      <td data-right className={`${table.quiet} num`}>
        {tokens > 0 ? count(tokens) : ""}
      </td>
    </tr>
  );
}

function Wall({ agent }: { agent: string }) {
  const all = useSelect((state) => state.desk.runs);
  const live = useMemo(
    () =>
      Object.values(all)
        .filter((run) => LIVE.has(run.status) && (!agent || run.agent === agent))
        .sort((one, other) => one.id - other.id),
    [all, agent],
  );
  if (live.length === 0) return <p className={table.none}>{t("runs.noneLive")}</p>;
  return (
    <ul className={css.wall}>
      {live.map((run) => (
        <Tile key={run.id} run={run} />
      ))}
    </ul>
  );
}

const LINES = 8;

function Tile({ run }: { run: Run }) {
  const store = useStore();
  const view = useSelect((state) => state.runs[run.id]) ?? EMPTY;
  const topic = useSelect((state) => state.desk.topics[run.topic]?.topic);
  const room = useSelect((state) => state.desk.rooms[run.room]);
  const now = useNow(1_000);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the run's id is what is shown
  useEffect(() => store.show(run), [store, run.id]);
  const steps = view.steps.map((step) => step.title);
  const words = wordsOf(view);
  const lines = [
    ...steps.slice(-LINES),
    ...(words ? words.split("\n").slice(-LINES) : []),
    ...(view.notice && !words ? [view.notice] : []),
  ].slice(-LINES);
  return (
    <li className={css.tile}>
      <header>
        <Face kind="agent" name={run.agent} size={24} dot={run.status === "waiting" ? "waiting" : "running"} />
        <span>
          <b>{run.agent}</b>
          {room && (
            <Link to="/r/$room/$topic" params={{ room: room.name, topic: String(run.topic) }}>
              {topic?.title}
            </Link>
          )}
        </span>
        <StatePill status={run.status} word={duration(now - (run.started_at ?? run.created_at))} />
      </header>
      <pre>{lines.length > 0 ? lines.join("\n") : t("runs.wallStarting")}</pre>
    </li>
  );
}
