import { createContext, useCallback, useContext, useEffect, useRef, useState, useSyncExternalStore } from "react";
import type { State, Store } from "../state/store";

export const StoreContext = createContext<Store | null>(null);

export function useStore(): Store {
  const store = useContext(StoreContext);
  if (store === null) throw new Error("there is no store above this view");
  return store;
}

/** A part of the state. What `select` gives back is compared by identity: select parts, derive with useMemo. */
export function useSelect<T>(select: (state: State) => T): T {
  const store = useStore();
  return useSyncExternalStore(store.subscribe, () => select(store.get()));
}

/** Whether this person may do more than read: what they may not is not offered to them. */
export const useMayWrite = (): boolean => useSelect((state) => state.desk.me.role !== "viewer");

/** The time, again every `every` milliseconds while the view is there. */
export function useNow(every = 15_000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

export function useMedia(query: string): boolean {
  const subscribe = useCallback(
    (listener: () => void) => {
      const list = matchMedia(query);
      list.addEventListener("change", listener);
      return () => list.removeEventListener("change", listener);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => matchMedia(query).matches);
}

/** Whether it is dark: as the person chose, else as the system is. */
export function useIsDark(): boolean {
  const theme = useSelect((state) => state.desk.preferences.theme);
  const isSystemDark = useMedia("(prefers-color-scheme: dark)");
  return theme === "system" ? isSystemDark : theme === "dark";
}

export const PHONE = "(max-width: 760px)";

/** A value that survives a reload, of this browser alone. */
export function useKept(name: string, initial: boolean): [boolean, (value: boolean) => void];
export function useKept(name: string, initial: number): [number, (value: number) => void];
export function useKept(name: string, initial: string): [string, (value: string) => void];
export function useKept<T>(name: string, initial: T): [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => {
    const stored = localStorage.getItem(`pal.${name}`);
    return stored === null ? initial : (JSON.parse(stored) as T);
  });
  const set = useCallback(
    (next: T) => {
      localStorage.setItem(`pal.${name}`, JSON.stringify(next));
      setValue(next);
    },
    [name],
  );
  return [value, set];
}

/** The newest function under one identity, for listeners that are added once. */
export function useLatest<A extends unknown[], R>(act: (...given: A) => R): (...given: A) => R {
  const latest = useRef(act);
  useEffect(() => {
    latest.current = act;
  });
  return useCallback((...given: A) => latest.current(...given), []);
}
