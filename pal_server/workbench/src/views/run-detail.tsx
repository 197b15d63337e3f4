import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import { runPrompt } from "../api/runs";
import { TABS, type Tab } from "../routes";
import { LIVE } from "../state/desk";
import { byFile, EMPTY, type RunView } from "../state/run-view";
import { tailOf } from "../state/tail";
import { clockSeconds, count, duration, money, type TextKey, t } from "../text/text";
import { ProjectContext } from "../ui/code-link";
import { Face } from "../ui/face";
import { useNow, useSelect, useStore } from "../ui/hooks";
import { Markdown } from "../ui/markdown";
import { StatePill } from "../ui/state";
import type { Run } from "../wire/contract";
import { Refused } from "../wire/request";
import { wordsOf } from "./run-card";
import { RunChanges } from "./run-changes";
import css from "./run-detail.module.css";
import { RunFiles } from "./run-files";
import { StepEntry } from "./run-steps";
import { tellFailure } from "./tell";

const PAGE = 200; // steps, or events of the log, that are there at first
const WORDS = 20_000; // characters of what an agent says in a run, the newest ones

/** A run by its number, fetched when it is not known, and followed while it is shown; null: there is none. */
export function useRun(id: number): Run | null | undefined {
  const store = useStore();
  const run = useSelect((state) => state.desk.runs[id]);
  const [missing, setMissing] = useState(0);
  const isKnown = run !== undefined;
  useEffect(() => {
    if (isKnown) return;
    store.loadRun(id).catch((error: Error) => {
      if (error instanceof Refused && error.isMissing) setMissing(id);
      else tellFailure(error);
    });
  }, [store, id, isKnown]);
  useEffect(() => {
    const found = store.get().desk.runs[id];
    return isKnown && found ? store.show(found) : undefined;
  }, [store, id, isKnown]);
  return run ?? (missing === id ? null : undefined);
}

/** The heading of the panel or, as the first of them, of the screen. */
export function RunTitle({
  run,
  id,
  as: Heading = "h2",
}: {
  run: Run | null | undefined;
  id: number;
  as?: "h1" | "h2";
}) {
  return (
    <Heading className={css.title}>
      {run && <Face kind="agent" name={run.agent} size={22} />}
      {t("run.title", { id })}
      {run && <StatePill status={run.status} />}
    </Heading>
  );
}

export function RunDetail({ run }: { run: Run }) {
  const navigate = useNavigate();
  const { tab = "steps" } = useSearch({ strict: false });
  const view = useSelect((state) => state.runs[run.id]) ?? EMPTY;
  const project = useSelect((state) => state.desk.rooms[run.room]?.project ?? null);
  const files = useMemo(() => byFile(view.changes), [view.changes]);
  const choose = (wanted: Tab) =>
    void navigate({ to: ".", search: (before: object) => ({ ...before, tab: wanted }) } as never);
  const added = files.reduce((sum, file) => sum + file.added, 0);
  const removed = files.reduce((sum, file) => sum + file.removed, 0);
  return (
    <div className={css.detail}>
      <Facts run={run} view={view} />
      <div className={css.tabs} role="tablist">
        {TABS.map((one) => (
          <button
            key={one}
            type="button"
            role="tab"
            id={`tab-${one}`}
            aria-selected={tab === one}
            aria-controls="run-tab"
            tabIndex={tab === one ? 0 : -1}
            onClick={() => choose(one)}
            onKeyDown={(event) => {
              const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
              if (step === 0) return;
              const next = TABS[(TABS.indexOf(one) + step + TABS.length) % TABS.length] ?? one;
              choose(next);
              document.getElementById(`tab-${next}`)?.focus();
            }}
          >
            {t(one === "files" ? "panel.files.tab" : (`panel.${one}` as TextKey))}
            {one === "steps" && view.steps.length > 0 && <small className="num">{view.steps.length}</small>}
            {one === "changes" && files.length > 0 && (
              <small className="num mono">
                {added + removed > 0 ? (
                  <>
                    <ins>+{added}</ins> <del>-{removed}</del>
                  </>
                ) : (
                  files.length
                )}
              </small>
            )}
          </button>
        ))}
      </div>
      <div
        className={css.content}
        data-fills={tab === "changes" || undefined}
        role="tabpanel"
        id="run-tab"
        aria-labelledby={`tab-${tab}`}
        tabIndex={-1}
      >
        {tab === "steps" && (
          <ProjectContext value={project}>
            <Steps run={run} view={view} />
          </ProjectContext>
        )}
        {tab === "changes" && <RunChanges files={files} />}
        {tab === "log" && <RawLog run={run} view={view} />}
        {tab === "prompt" && <Prompt run={run.id} />}
        {tab === "files" && <RunFiles run={run.id} />}
      </div>
    </div>
  );
}

function Facts({ run, view }: { run: Run; view: RunView }) {
  const computer = useSelect((state) => (run.computer ? state.desk.computers[run.computer]?.name : undefined));
  const isLive = LIVE.has(run.status);
  const now = useNow(isLive ? 1_000 : 60_000);
  const began = run.started_at ?? run.created_at;
  const took = run.duration_ms ?? (isLive ? now - began : (run.ended_at ?? began) - began);
  const tokens = view.tokens ?? (run.usage ? (run.usage.input_tokens ?? 0) + (run.usage.output_tokens ?? 0) : 0);
  const cost = view.cost ?? run.usage?.cost_usd ?? null;
  const facts: [TextKey, string][] = [
    ["panel.agent", run.agent],
    ["panel.computer", computer ?? ""],
    ["panel.time", duration(took)],
    ...(cost !== null ? ([["panel.cost", money(cost)]] as [TextKey, string][]) : []),
    ...(tokens > 0 ? ([["panel.tokens", count(tokens)]] as [TextKey, string][]) : []),
    ...(view.model ? ([["panel.model", view.model]] as [TextKey, string][]) : []),
  ];
  return (
    <dl className={css.facts}>
      {facts
        .filter(([, value]) => value !== "")
        .map(([name, value]) => (
          <div key={name}>
            <dt>{t(name)}</dt>
            <dd className="num">{value}</dd>
          </div>
        ))}
    </dl>
  );
}

function Steps({ run, view }: { run: Run; view: RunView }) {
  const store = useStore();
  const [shown, setShown] = useState(PAGE);
  const hasEarlier = (view.raw[0]?.seq ?? 1) > 1;
  const words = wordsOf(view);
  const isLive = LIVE.has(run.status);
  const showEarlier = async () => {
    setShown(shown + PAGE);
    if (view.steps.length <= shown && hasEarlier) await store.loadEarlier(run.id).catch(tellFailure);
  };
  return (
    <div className={css.steps}>
      {view.lanes.length > 0 && (
        <p className={css.lanes}>
          {view.lanes.map((lane) => (
            <StatePill
              key={lane.id}
              status={lane.isOpen ? "running" : "idle"}
              word={t("run.lane", { name: lane.name })}
            />
          ))}
        </p>
      )}
      {view.todo.length > 0 && (
        <ul className={css.todo} aria-label={t("run.plan")}>
          {view.todo.map((entry, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: an entry's place is what it is
            <li key={index} data-status={entry.status}>
              {entry.text}
            </li>
          ))}
        </ul>
      )}
      {view.plan && (
        <div className={css.box}>
          <Markdown text={view.plan} />
        </div>
      )}
      {(hasEarlier || view.steps.length > shown) && (
        <Button onClick={() => void showEarlier()}>{t("run.earlierSteps")}</Button>
      )}
      <ol className={css.list}>
        {view.steps.slice(-shown).map((step) => (
          <StepEntry key={step.id} step={step} />
        ))}
      </ol>
      {view.reasoning && (
        <details className={css.box}>
          <summary>{t("run.thinking")}</summary>
          <Markdown text={view.reasoning} isGrowing={isLive} />
        </details>
      )}
      {words && (
        <div className={css.box}>
          <Markdown text={tailOf(words, WORDS)} isGrowing={isLive} />
        </div>
      )}
      {run.stderr && <pre className={css.pre}>{run.stderr}</pre>}
      {view.steps.length === 0 && !words && !view.reasoning && (
        <p className={css.none}>{view.notice || t("panel.noSteps")}</p>
      )}
    </div>
  );
}

function RawLog({ run, view }: { run: Run; view: RunView }) {
  const store = useStore();
  const end = useRef<HTMLDivElement>(null);
  const [shown, setShown] = useState(PAGE);
  const hasEarlier = (view.raw[0]?.seq ?? 1) > 1;
  const showEarlier = async () => {
    setShown(shown + PAGE);
    if (view.raw.length <= shown && hasEarlier) await store.loadEarlier(run.id).catch(tellFailure);
  };
  useEffect(() => {
    end.current?.scrollIntoView({ block: "end" });
  }, []);
  if (view.raw.length === 0) return <p className={css.none}>{t("panel.noLog")}</p>;
  return (
    <div className={css.raw}>
      {(hasEarlier || view.raw.length > shown) && (
        <Button onClick={() => void showEarlier()}>{t("run.earlierSteps")}</Button>
      )}
      {view.raw.slice(-shown).map((event) => (
        <div key={event.seq}>
          <time className="num">{clockSeconds(event.at)}</time>
          <b>{event.kind}</b>
          <span>{event.text || JSON.stringify(event.data)}</span>
        </div>
      ))}
      <div ref={end} />
    </div>
  );
}

function Prompt({ run }: { run: number }) {
  const { data, error } = useQuery({
    queryKey: ["prompt", run],
    queryFn: () => runPrompt(run),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (error) return <p role="alert">{error.message}</p>;
  return <pre className={css.pre}>{data ?? ""}</pre>;
}
