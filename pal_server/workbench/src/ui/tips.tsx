import { useEffect, useState } from "react";
import { later } from "./later";

const Tip = later(() => import("./tip").then((found) => found.Tip), console.warn);

const REST = 500; // milliseconds a pointer or the focus rests on something before it is told what it is

/** The one tip of everything with `data-tip`, whose text it is. Never by touch: a finger that rests there means something else. */
export function Tips() {
  const [told, setTold] = useState<HTMLElement | null>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let at: HTMLElement | null = null;
    const go = (next: HTMLElement | null) => {
      if (next === at) return;
      at = next;
      clearTimeout(timer);
      setTold(null);
      if (next) timer = setTimeout(() => setTold(next), REST);
    };
    const over = (event: PointerEvent) => go(event.pointerType === "touch" ? null : tippedAt(event));
    const focus = (event: FocusEvent) => {
      const next = tippedAt(event);
      if (next?.matches(":focus-visible")) go(next);
    };
    const gone = () => go(null);
    const listened = [
      ["pointerover", over],
      ["focusin", focus],
      ["focusout", gone],
      ["pointerdown", gone],
      ["keydown", gone],
    ] as const;
    for (const [name, act] of listened) document.addEventListener(name, act as EventListener, { passive: true });
    return () => {
      clearTimeout(timer);
      for (const [name, act] of listened) document.removeEventListener(name, act as EventListener);
    };
  }, []);
  if (!told?.isConnected) return null;
  return <Tip key={told.dataset.tip} target={told} />;
}

function tippedAt({ target }: Event): HTMLElement | null {
  return target instanceof Element ? target.closest<HTMLElement>("[data-tip]") : null;
}
