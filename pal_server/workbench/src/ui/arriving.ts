import { startTransition, useEffect, useState } from "react";

const SOON = 500; // milliseconds a browser that is never idle may put it off

/** Once what is shown without it is painted: it only makes that finer. */
const whenIdle = () =>
  new Promise<void>((go) => {
    if ("requestIdleCallback" in window) requestIdleCallback(() => go(), { timeout: SOON });
    else setTimeout(go);
  });

/** Something that is loaded when it is first needed: a hook that is null until it is there. What failed is tried with the next need. */
export function arriving<T>(load: () => Promise<T>): (isNeeded: boolean) => T | null {
  let here: T | null = null;
  let coming: Promise<void> | null = null;
  const begin = () =>
    whenIdle()
      .then(load)
      .then(
        (found) => {
          here = found;
        },
        (error: unknown) => {
          coming = null;
          console.warn(error);
        },
      );
  return function useArriving(isNeeded) {
    const [, setHere] = useState(here !== null);
    useEffect(() => {
      if (!isNeeded || here !== null) return;
      coming ??= begin();
      // In slices: all that waited for it is drawn anew.
      void coming.then(() => startTransition(() => setHere(here !== null)));
    }, [isNeeded]);
    return here;
  };
}
