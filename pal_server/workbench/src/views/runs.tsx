import { SegmentedControl } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { listRuns } from "../api/runs";
import { LIVE } from "../state/desk";
import { ago, count, dateTime, duration, t } from "../text/text";
import { Face } from "../ui/face";
import { useNow, useSelect, useStore } from "../ui/hooks";
import { StatePill } from "../ui/state";
import type { Run } from "../wire/contract";
import { AgentChoice } from "./filter-bar";
import { useFilters } from "./filters";
import { ListFoot } from "./list-foot";
import { Page } from "./page";
import table from "./table.module.css";

/** Every run as a table. The wall beside it has those that live. */
export function RunsView() {
  const [{ agent = "" }] = useFilters();
  return (
    <Page
      title={t("runs.title")}
      actions={
        <>
          <AgentChoice />
          <RunsWays here="table" />
        </>
      }
    >
      <Table agent={agent} />
    </Page>
  );
}

/** The same runs in two ways; each has an address. */
export function RunsWays({ here }: { here: "table" | "wall" }) {
  const navigate = useNavigate();
  return (
    <SegmentedControl
      size="xs"
      value={here}
      aria-label={t("runs.title")}
      onChange={(way) => void navigate({ to: way === "wall" ? "/runs/live" : "/runs" })}
      data={[
        { value: "table", label: t("runs.table") },
        { value: "wall", label: t("runs.wall") },
      ]}
    />
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
  return (
    <>
      {runs.length > 0 && (
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
      )}
      <ListFoot
        count={runs.length}
        none={t("runs.none")}
        nothing={t("runs.nothing")}
        pages={query}
        more={t("runs.more")}
      />
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
