import { type RefObject, useLayoutEffect } from "react";
import { useView } from "./tabs";

const KEPT = 200; // visits
const HANDS = ["wheel", "touchmove", "pointerdown", "keydown"] as const;

/** What is kept of visits, by the name of each: the newest of them, for as long as the client runs. */
export class Visits<T> {
  private readonly kept = new Map<string, T>();

  get(view: string | undefined): T | undefined {
    return view === undefined ? undefined : this.kept.get(view);
  }

  set(view: string, what: T): void {
    this.kept.delete(view);
    this.kept.set(view, what);
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= KEPT) break;
      this.kept.delete(oldest);
    }
  }

  delete(view: string): void {
    this.kept.delete(view);
  }
}

const tops = new Visits<number>(); // pixels from the top

/** Who comes back to a page finds it scrolled as it was left, as soon as it is long enough again. */
export function useKeptScroll(box: RefObject<HTMLElement | null>): void {
  const view = useView();
  useLayoutEffect(() => {
    const element = box.current;
    if (view === undefined || element === null) return;
    const keep = () => tops.set(view, element.scrollTop);
    const wanted = tops.get(view) ?? element.scrollTop;
    const reach = () => {
      element.scrollTop = wanted;
      if (element.scrollTop >= wanted - 1) stop();
    };
    const growth = new MutationObserver(reach);
    const stop = () => {
      growth.disconnect();
      for (const hand of HANDS) element.removeEventListener(hand, stop);
      element.addEventListener("scroll", keep, { passive: true });
      keep();
    };
    for (const hand of HANDS) element.addEventListener(hand, stop, { passive: true });
    growth.observe(element, { childList: true, subtree: true });
    reach();
    return () => {
      growth.disconnect();
      for (const hand of HANDS) element.removeEventListener(hand, stop);
      element.removeEventListener("scroll", keep);
    };
  }, [view, box]);
}
