import { ActionIcon } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { Expand, X } from "lucide-react";
import { useEffect, useRef } from "react";
import { t } from "../text/text";
import { useKept } from "../ui/hooks";
import { RunDetail, RunTitle, useRun } from "./run-detail";
import css from "./run-panel.module.css";

const LEAST = 340; // pixels
const MOST = 760;
const STEP = 24;

/** A run beside whatever is shown; its width is remembered. */
export default function RunPanel({ id }: { id: number }) {
  const navigate = useNavigate();
  const run = useRun(id);
  const [width, setWidth] = useKept("panel", 430);
  const box = useRef<HTMLElement>(null);
  const close = () =>
    void navigate({ to: ".", search: (before: object) => ({ ...before, run: undefined, tab: undefined }) } as never);
  useEffect(() => {
    const before = document.activeElement;
    return () => {
      if (before instanceof HTMLElement && document.contains(before)) before.focus();
    };
  }, []);
  const set = (wanted: number) => setWidth(Math.round(Math.min(MOST, Math.max(LEAST, wanted))));
  const drag = (event: React.PointerEvent<HTMLDivElement>) => {
    const { currentTarget, pointerId, clientX: from } = event;
    currentTarget.setPointerCapture(pointerId);
    const move = (moved: PointerEvent) => set(width + from - moved.clientX);
    currentTarget.addEventListener("pointermove", move);
    currentTarget.addEventListener("pointerup", () => currentTarget.removeEventListener("pointermove", move), {
      once: true,
    });
  };
  return (
    <aside
      ref={box}
      className={css.panel}
      style={{ "--width": `${width}px` } as React.CSSProperties}
      aria-label={t("panel.label", { id })}
      data-region
    >
      <div
        className={css.edge}
        role="separator"
        aria-orientation="vertical"
        aria-label={t("panel.resize")}
        aria-valuenow={width}
        aria-valuemin={LEAST}
        aria-valuemax={MOST}
        tabIndex={0}
        onPointerDown={drag}
        onKeyDown={(event) => {
          if (event.key === "ArrowLeft") set(width + STEP);
          if (event.key === "ArrowRight") set(width - STEP);
        }}
      />
      <header className={css.head}>
        <RunTitle run={run} id={id} />
        <Link
          to="/runs/$id"
          params={{ id: String(id) }}
          className={css.icon}
          data-tip={t("panel.whole")}
          aria-label={t("panel.whole")}
        >
          <Expand size={16} aria-hidden />
        </Link>
        <ActionIcon aria-label={t("panel.close")} onClick={close}>
          <X size={18} />
        </ActionIcon>
      </header>
      {run && <RunDetail run={run} />}
    </aside>
  );
}
