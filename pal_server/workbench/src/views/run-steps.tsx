import {
  Brain,
  ChevronRight,
  FilePen,
  FileSearch,
  Globe,
  Info,
  MessageSquare,
  Search,
  SquareTerminal,
  TriangleAlert,
  Wrench,
} from "lucide-react";
import { useState } from "react";
import type { Step, StepKind } from "../state/run-view";
import { clockSeconds, duration, type TextKey, t } from "../text/text";
import { changesOf, Diffs } from "./diffs";
import css from "./run-steps.module.css";

const ICONS: Readonly<Record<StepKind, typeof Wrench>> = {
  command: SquareTerminal,
  edit: FilePen,
  read: FileSearch,
  search: Search,
  fetch: Globe,
  think: Brain,
  tool: Wrench,
  say: MessageSquare,
  error: TriangleAlert,
  notice: Info,
};

/** A step on one line: verb, object, result; what went in and came out opens in place. */
export function StepLine({ step }: { step: Step }) {
  const [isOpen, setOpen] = useState(false);
  const Icon = ICONS[step.kind];
  const hasMore = step.input !== "" || step.output !== "" || (step.change?.diff ?? "") !== "";
  return (
    <li className={css.line} data-state={step.state}>
      <button
        type="button"
        onClick={() => setOpen(!isOpen)}
        disabled={!hasMore}
        aria-expanded={hasMore ? isOpen : undefined}
      >
        <ChevronRight
          size={14}
          aria-hidden
          className={css.chevron}
          data-open={isOpen || undefined}
          data-none={!hasMore || undefined}
        />
        <Icon size={14} aria-hidden />
        <b>{t(`step.${step.kind}` as TextKey)}</b>
        <span className={step.kind === "command" || step.kind === "edit" || step.kind === "read" ? "mono" : undefined}>
          {step.title}
        </span>
        <Result step={step} />
      </button>
      {isOpen && <StepDetail step={step} />}
    </li>
  );
}

/** The same with its time, as the panel lists them. */
export function StepEntry({ step }: { step: Step }) {
  const [isOpen, setOpen] = useState(false);
  const Icon = ICONS[step.kind];
  return (
    <li className={css.entry} data-state={step.state} data-lane={step.lane === "main" ? undefined : step.lane}>
      <span className={css.dot}>
        <Icon size={14} aria-hidden />
      </span>
      <button type="button" onClick={() => setOpen(!isOpen)} aria-expanded={isOpen}>
        <b>
          {step.kind === "command" ? (
            <span className="mono">{step.title}</span>
          ) : (
            `${t(`step.${step.kind}` as TextKey)} ${step.title}`
          )}
        </b>
        <small>{step.lane === "main" ? secondLine(step) : t("run.lane", { name: step.lane })}</small>
      </button>
      <span className={css.times}>
        <Result step={step} />
        <time className="num">{clockSeconds(step.at)}</time>
      </span>
      {isOpen && <StepDetail step={step} />}
    </li>
  );
}

function StepDetail({ step }: { step: Step }) {
  return (
    <div className={css.detail}>
      {step.change?.diff ? (
        <Diffs
          className={css.diffs}
          label={step.change.path}
          changes={changesOf(step.change.path, step.change.change, [step.change.diff])}
        />
      ) : (
        step.input && <pre>{step.input}</pre>
      )}
      {step.output && <pre>{step.output}</pre>}
    </div>
  );
}

function Result({ step }: { step: Step }) {
  if (step.change && step.change.added + step.change.removed > 0) {
    return (
      <em className={`${css.result} num mono`}>
        <ins>+{step.change.added}</ins> <del>-{step.change.removed}</del>
      </em>
    );
  }
  if (step.state === "running")
    return (
      <em className={css.result} data-look="running">
        …
      </em>
    );
  if (step.state === "refused")
    return (
      <em className={css.result} data-look="bad">
        {t("step.refused")}
      </em>
    );
  if (step.state === "failed") {
    return (
      <em className={css.result} data-look="bad">
        {step.exit !== null ? t("run.exit", { code: step.exit }) : t("step.failed")}
      </em>
    );
  }
  const took = step.endedAt === null ? 0 : step.endedAt - step.at;
  return took >= 1000 ? <em className={`${css.result} num`}>{duration(took)}</em> : null;
}

function secondLine(step: Step): string {
  const text = step.output || step.input;
  return text.trim().split("\n").at(-1)?.slice(0, 120) ?? "";
}
