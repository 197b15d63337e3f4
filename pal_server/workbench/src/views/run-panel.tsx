import { ActionIcon } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { Expand, X } from "lucide-react";
import { useEffect, useRef } from "react";
import { t } from "../text/text";
import { Edge } from "../ui/edge";
import { useKept } from "../ui/hooks";

import { Missing } from "./missing";
import { RunDetail, RunTitle, useRun } from "./run-detail";
import css from "./run-panel.module.css";

const LEAST = 340; // pixels
const MOST = 760;

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
  return (
    <aside
      ref={box}
      className={css.panel}
      style={{ "--width": `${width}px` } as React.CSSProperties}
      aria-label={t("panel.label", { id })}
      data-region
    >
      <Edge label={t("panel.resize")} side="left" width={width} least={LEAST} most={MOST} onWidth={setWidth} />
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
      {run === null && <Missing isGone />}
      {run && <RunDetail run={run} />}
    </aside>
  );
}
