import { useMatch, useRouterState } from "@tanstack/react-router";
import { createContext, useContext, useSyncExternalStore } from "react";
import { type TabKeeper, viewOf } from "../state/tab-keeper";
import type { Tabs } from "../state/tabs";

export const TabsContext = createContext<TabKeeper | null>(null);

export function useTabKeeper(): TabKeeper {
  const keeper = useContext(TabsContext);
  if (keeper === null) throw new Error("there are no tabs above this view");
  return keeper;
}

export function useTabs(): Tabs {
  const keeper = useTabKeeper();
  return useSyncExternalStore(keeper.subscribe, keeper.get);
}

/** The visit of the page around it, which is the same when one comes back to it; none while the page is on its way out. */
export function useView(): string | undefined {
  const path = useMatch({ strict: false, select: (match) => match.pathname });
  return useRouterState({ select: ({ location }) => (location.pathname === path ? viewOf(location) : undefined) });
}
