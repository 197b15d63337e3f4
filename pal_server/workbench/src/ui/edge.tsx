import type { KeyboardEvent, PointerEvent } from "react";
import css from "./edge.module.css";

interface Props {
  label: string;
  /** The side of its region it lies on, which therefore grows to that side. */
  side: "left" | "right";
  /** Pixels, as are the least and the most it may have. */
  width: number;
  least: number;
  most: number;
  onWidth: (width: number) => void;
}

const STEP = 24; // pixels a key moves it

/** The edge of a region, by which it is made wider or narrower: dragged, or moved by the arrow keys. */
export function Edge({ label, side, width, least, most, onWidth }: Props) {
  const way = side === "right" ? 1 : -1;
  const set = (wanted: number) => onWidth(Math.round(Math.min(most, Math.max(least, wanted))));
  const drag = (event: PointerEvent<HTMLDivElement>) => {
    const { currentTarget, pointerId, clientX: from } = event;
    currentTarget.setPointerCapture(pointerId);
    const end = new AbortController();
    const move = (moved: globalThis.PointerEvent) => set(width + way * (moved.clientX - from));
    currentTarget.addEventListener("pointermove", move, { signal: end.signal });
    for (const last of ["pointerup", "pointercancel"] as const) {
      currentTarget.addEventListener(last, () => end.abort(), { signal: end.signal });
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowRight") set(width + way * STEP);
    if (event.key === "ArrowLeft") set(width - way * STEP);
  };
  return (
    <div
      className={css.edge}
      data-side={side}
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={width}
      aria-valuemin={least}
      aria-valuemax={most}
      tabIndex={0}
      onPointerDown={drag}
      onKeyDown={onKeyDown}
    />
  );
}
