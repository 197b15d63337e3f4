import { Check, CircleDashed, CircleHelp, Clock3, Pause, Square, X } from "lucide-react";
import { type TextKey, t } from "../text/text";
import css from "./state.module.css";

/** A state is an icon, a colour and a word; a view shows at least two of them. */
export type Look = "running" | "ask" | "ok" | "bad" | "wait" | "idle" | "stopped";

const LOOKS: Readonly<Record<string, Look>> = {
  starting: "running",
  running: "running",
  waiting: "ask",
  paused: "wait",
  succeeded: "ok",
  failed: "bad",
  interrupted: "bad",
  cancelled: "stopped",
  dry_run: "idle",
  queued: "wait",
  idle: "idle",
  resolved: "ok",
  backlog: "idle",
  ready: "wait",
  in_progress: "running",
  review: "ask",
  done: "ok",
};

export function lookOf(status: string): Look {
  return LOOKS[status] ?? "idle";
}

export function wordOf(status: string): string {
  return t(`state.${status}` as TextKey);
}

export function StateIcon({ look, size = 14 }: { look: Look; size?: number }) {
  const shared = { size, strokeWidth: 2.2, "aria-hidden": true } as const;
  switch (look) {
    case "running":
      return <span className={css.ring} style={{ width: size, height: size }} aria-hidden />;
    case "ask":
      return <CircleHelp {...shared} className={css.ask} />;
    case "ok":
      return <Check {...shared} className={css.ok} />;
    case "bad":
      return <X {...shared} className={css.bad} />;
    case "wait":
      return <Clock3 {...shared} className={css.quiet} />;
    case "stopped":
      return <Square {...shared} size={size - 2} className={css.quiet} />;
    default:
      return <CircleDashed {...shared} className={css.quiet} />;
  }
}

export function StatePill({ status, word }: { status: string; word?: string }) {
  const look = lookOf(status);
  return (
    <span className={css.pill} data-look={look}>
      {status === "paused" ? <Pause size={12} aria-hidden /> : <StateIcon look={look} size={12} />}
      {word ?? wordOf(status)}
    </span>
  );
}
