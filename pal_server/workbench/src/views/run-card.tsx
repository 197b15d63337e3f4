import { useNavigate } from "@tanstack/react-router";
import { ChevronRight, EllipsisVertical, Square, Timer } from "lucide-react";
import { memo, useEffect } from "react";
import { killRun, restartRun, stopRun } from "../api/runs";
import { LIVE } from "../state/desk";
import { EMPTY, type RunView } from "../state/run-view";
import { tailOf } from "../state/tail";
import { ago, clock, count, duration, t } from "../text/text";
import { Face } from "../ui/face";
import { useMayWrite, useNow, useSelect, useStore } from "../ui/hooks";
import { IconButton } from "../ui/icon-button";
import { Markdown } from "../ui/markdown";
import { useMenu } from "../ui/menus";
import { StatePill, wordOf } from "../ui/state";
import { When } from "../ui/when";
import type { Message, Room, Run } from "../wire/contract";
import type { ComposerMode } from "./composer";
import { confirm } from "./dialogs";
import { Actions, Files, Words } from "./message";
import messageCss from "./message.module.css";
import css from "./run-card.module.css";
import { StepLine } from "./run-steps";
import { tellFailure } from "./tell";

const STEPS = 3; // shown in the conversation; the panel has all
const WORDS = 6_000; // characters of a text that still grows; the panel has more
const PLAN_BAR = 6; // entries that fit on a bar with their names

interface Props {
  run: Run;
  /** The last thing the agent said in it, once it was posted. */
  words: Message | null;
  room: Room;
  isJoined: boolean;
  onMode: (mode: ComposerMode) => void;
}

/** One agent at work, or what it came to: plan, three lines of steps, its words. */
export const RunCard = memo(function RunCard({ run, words, room, isJoined, onMode }: Props) {
  const store = useStore();
  const agent = useSelect((state) => state.desk.agents[run.agent]);
  const view = useSelect((state) => state.runs[run.id]) ?? EMPTY;
  const isLive = LIVE.has(run.status);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the run's id is what is shown
  useEffect(() => (isLive ? store.show(run) : undefined), [store, isLive, run.id]);
  const growing = isLive ? tailOf(wordsOf(view), WORDS) : "";
  const dot = run.status === "waiting" ? "waiting" : isLive ? "running" : null;
  return (
    <article className={messageCss.message} data-joined={isJoined || undefined} data-run={run.id} id={`r${run.id}`}>
      {isJoined ? <span /> : <Face kind="agent" name={run.agent} label={agent?.display_name ?? run.agent} dot={dot} />}
      <div className={messageCss.body}>
        {!isJoined && (
          <div className={messageCss.speaker}>
            <b>{agent?.display_name || run.agent}</b>
            {agent && <span>{agent.runtime}</span>}
            <When at={run.created_at} />
          </div>
        )}
        <div className={css.card} data-live={isLive || undefined}>
          <RunHeader run={run} view={view} />
          {isLive && <Plan view={view} />}
          {isLive && view.steps.length > 0 && (
            <ul className={css.steps}>
              {view.steps.slice(-STEPS).map((step) => (
                <StepLine key={step.id} step={step} />
              ))}
            </ul>
          )}
          {isLive && !growing && view.reasoning && <p className={css.thinking}>{lastLine(view.reasoning)}</p>}
          {isLive && !growing && !view.reasoning && view.notice && <p className={css.thinking}>{view.notice}</p>}
          {growing !== "" && (
            <div className={css.text}>
              <Markdown text={growing} isGrowing />
            </div>
          )}
          {!isLive && words && (
            <div className={css.text} data-message={words.id} id={`m${words.id}`}>
              <Words message={words} />
              <Files message={words} />
            </div>
          )}
        </div>
      </div>
      {words && <Actions message={words} room={room} onMode={onMode} />}
    </article>
  );
});

function RunHeader({ run, view }: { run: Run; view: RunView }) {
  const navigate = useNavigate();
  const openMenu = useMenu();
  const mayWrite = useMayWrite();
  const isLive = LIVE.has(run.status);
  const now = useNow(isLive ? 1_000 : 60_000);
  const began = run.started_at ?? run.created_at;
  const took = run.duration_ms ?? (isLive ? now - began : (run.ended_at ?? began) - began);
  const tokens = view.tokens ?? (run.usage ? (run.usage.input_tokens ?? 0) + (run.usage.output_tokens ?? 0) : 0);
  const open = () => void navigate({ to: ".", search: (before: object) => ({ ...before, run: run.id }) } as never);
  const stop = async () => {
    const isSure = await confirm({
      title: t("run.stop"),
      text: t("run.stopAsk", { id: run.id }),
      confirm: t("run.stop"),
    });
    if (isSure) await stopRun(run.id).catch(tellFailure);
  };
  const kill = async () => {
    const isSure = await confirm({
      title: t("run.kill"),
      text: t("wall.killAsk", { id: run.id }),
      confirm: t("run.kill"),
    });
    if (isSure) await killRun(run.id).catch(tellFailure);
  };
  return (
    <div className={css.head}>
      <button type="button" className={css.open} onClick={open} title={t("run.open", { id: run.id })}>
        <StatePill
          status={run.status}
          word={
            run.wanted && isLive
              ? t("run.stopping")
              : run.status === "waiting"
                ? t("run.waitsForAnswer")
                : wordOf(run.status)
          }
        />
        <strong>{t("run.title", { id: run.id })}</strong>
        <span className="num">
          <Timer size={13} aria-hidden /> {duration(took)}
        </span>
        {tokens > 0 && <span className="num">{t("run.tokens", { n: count(tokens) })}</span>}
        {run.status === "paused" && run.resume_at !== null && (
          <span>{t("run.resumesAt", { time: clock(run.resume_at) })}</span>
        )}
        {isLive && run.stalled_since !== null && (
          <span className={css.bad}>{t("run.stalled", { time: ago(run.stalled_since, now) })}</span>
        )}
        {!isLive && run.exit_code !== null && run.exit_code !== 0 && (
          <span className={css.bad}>{t("run.exit", { code: run.exit_code })}</span>
        )}
        {!isLive && <ChevronRight size={15} aria-hidden className={css.more} />}
      </button>
      {isLive && mayWrite && (
        <IconButton label={t("run.stop")} onClick={() => void stop()} data-stop={run.id}>
          <Square size={14} aria-hidden />
        </IconButton>
      )}
      <IconButton
        label={t("run.more")}
        aria-haspopup="menu"
        onClick={(event) =>
          openMenu(event.currentTarget, [
            { label: t("run.open", { id: run.id }), act: open },
            mayWrite && { label: t("run.restart"), act: () => void restartRun(run.id).catch(tellFailure) },
            mayWrite && isLive && { label: t("run.kill"), act: () => void kill() },
          ])
        }
      >
        <EllipsisVertical size={15} aria-hidden />
      </IconButton>
    </div>
  );
}

/** The agent's list as a bar of segments when it is short, else as a count. */
function Plan({ view }: { view: RunView }) {
  const { todo } = view;
  if (todo.length === 0) return null;
  const done = todo.filter((entry) => entry.status === "completed").length;
  const current = todo.find((entry) => entry.status === "in_progress");
  return (
    <div className={css.plan} role="img" aria-label={t("run.todo", { done, all: todo.length })}>
      {todo.slice(0, 12).map((entry, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: an entry's place is what it is
        <span key={index} data-status={entry.status}>
          <i />
          {todo.length <= PLAN_BAR && <small>{entry.text}</small>}
        </span>
      ))}
      {todo.length > PLAN_BAR && (
        <small className={css.current}>
          {t("run.todo", { done, all: todo.length })} {current?.text}
        </small>
      )}
    </div>
  );
}

/** What the main voice has said so far. */
export function wordsOf(view: RunView): string {
  return view.texts
    .filter((one) => one.lane === "main")
    .map((one) => one.text)
    .join("\n\n");
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.slice(-300) ?? "";
}
