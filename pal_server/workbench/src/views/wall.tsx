import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { type RefObject, useEffect, useMemo, useRef, useState } from "react";
import { killRun, stopRun } from "../api/runs";
import { lastLines } from "../state/last-lines";
import { EMPTY } from "../state/run-view";
import { wallOf } from "../state/wall";
import { duration, type TextKey, t } from "../text/text";
import { Face } from "../ui/face";
import { useMayWrite, useNow, useSelect, useStore } from "../ui/hooks";
import { StatePill } from "../ui/state";
import type { Run } from "../wire/contract";
import { confirm } from "./dialogs";
import { AgentChoice, Choice, FilterBar, RoomChoice, StateChoice } from "./filter-bar";
import { useFilters } from "./filters";
import { ListFoot } from "./list-foot";
import { Page } from "./page";
import { RunsWays } from "./runs";
import { tellFailure } from "./tell";
import css from "./wall.module.css";

const LINES = 8;
const STATES = ["starting", "running", "waiting", "paused"] as const;

/** Every run that lives, wherever it runs, with what it said last; each can be opened, stopped and ended from here. */
export function WallView() {
  const runs = useSelect((state) => state.desk.runs);
  const computers = useSelect((state) => state.desk.computers);
  const [{ agent = "", room = "", computer = "", state = "" }] = useFilters();
  const all = useMemo(() => wallOf(runs, {}), [runs]);
  const shown = useMemo(() => wallOf(runs, { agent, room, computer, state }), [runs, agent, room, computer, state]);
  return (
    <Page title={t("runs.title")} note={t("nav.live", { n: all.length })} actions={<RunsWays here="wall" />}>
      <FilterBar>
        <AgentChoice />
        <RoomChoice />
        <Choice
          name="computer"
          label={t("agents.computer")}
          every={t("wall.anyComputer")}
          of={Object.values(computers)
            .filter((one) => one.status !== "revoked")
            .map((one) => ({ value: one.id, label: one.name }))}
        />
        <StateChoice of={STATES.map((one) => ({ value: one, label: t(`state.${one}` as TextKey) }))} />
      </FilterBar>
      <ListFoot count={shown.length} none={t("runs.noneLive")} nothing={t("wall.nothing")} />
      <ul className={css.wall}>
        {shown.map((run) => (
          <Tile key={run.id} run={run} />
        ))}
      </ul>
    </Page>
  );
}

function Tile({ run }: { run: Run }) {
  const view = useSelect((state) => state.runs[run.id]) ?? EMPTY;
  const topic = useSelect((state) => state.desk.topics[run.topic]?.topic);
  const room = useSelect((state) => state.desk.rooms[run.room]);
  const computer = useSelect((state) => (run.computer ? state.desk.computers[run.computer] : undefined));
  const now = useNow(1_000);
  const tile = useRef<HTMLLIElement>(null);
  useFollowed(run, tile);
  const asked = useSelect((state) =>
    Object.values(state.desk.interactions).find((one) => one.run === run.id && one.status === "pending"),
  );
  const lines = [...lastLines(view, LINES), ...(asked ? [`? ${asked.title}`] : [])].slice(-LINES);
  const mayWrite = useMayWrite();
  const isAsking = run.status === "waiting";
  const end = async (isForced: boolean) => {
    const isSure = await confirm({
      title: t(isForced ? "run.kill" : "run.stop"),
      text: t(isForced ? "wall.killAsk" : "run.stopAsk", { id: run.id }),
      confirm: t(isForced ? "run.kill" : "run.stop"),
    });
    if (isSure) await (isForced ? killRun(run.id) : stopRun(run.id)).catch(tellFailure);
  };
  return (
    <li ref={tile} className={css.tile} data-asking={isAsking || undefined} data-run={run.id}>
      <header>
        <Face kind="agent" name={run.agent} size={24} dot={isAsking ? "waiting" : "running"} />
        <span>
          <b>
            {run.agent} <small>{t("run.title", { id: run.id })}</small>
          </b>
          {room && (
            <Link to="/r/$room/$topic" params={{ room: room.name, topic: String(run.topic) }}>
              {room.name} › {topic?.title}
            </Link>
          )}
        </span>
        <StatePill status={run.status} />
      </header>
      <pre>{lines.length > 0 ? lines.join("\n") : t("runs.wallStarting")}</pre>
      <footer>
        <small className="num">
          {computer ? `${computer.name}, ` : ""}
          {duration(now - (run.started_at ?? run.created_at))}
        </small>
        <Link to="." search={((before: object) => ({ ...before, run: run.id })) as never} className={css.open ?? ""}>
          {t("wall.open")}
        </Link>
        {mayWrite && (
          <>
            <Button
              size="compact-sm"
              aria-label={`${t("wall.stop")}: ${t("run.title", { id: run.id })}`}
              onClick={() => void end(false)}
            >
              {t("wall.stop")}
            </Button>
            <Button
              size="compact-sm"
              variant="subtle"
              aria-label={`${t("run.kill")}: ${t("run.title", { id: run.id })}`}
              onClick={() => void end(true)}
            >
              {t("run.kill")}
            </Button>
          </>
        )}
      </footer>
    </li>
  );
}

/** Follows a run while its tile is in sight: a socket follows two dozen at most, a wall may have more. */
function useFollowed(run: Run, tile: RefObject<HTMLLIElement | null>): void {
  const store = useStore();
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    if (!tile.current) return;
    const watcher = new IntersectionObserver((entries) => setSeen(entries.at(-1)?.isIntersecting ?? false), {
      rootMargin: "120px",
    });
    watcher.observe(tile.current);
    return () => watcher.disconnect();
  }, [tile]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the run's id is what is shown
  useEffect(() => (isSeen ? store.show(run) : undefined), [store, isSeen, run.id]);
}
