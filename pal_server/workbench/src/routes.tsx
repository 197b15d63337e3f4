import {
  createBrowserHistory,
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
} from "@tanstack/react-router";
import { BROWSER, TabKeeper } from "./state/tab-keeper";
import { Missing } from "./views/missing";
import { NeedsView } from "./views/needs";
import { RoomView } from "./views/room";
import { Shell } from "./views/shell";
import { Welcome } from "./views/welcome";

export const TABS = ["steps", "changes", "log", "prompt"] as const;
export type Tab = (typeof TABS)[number];

/** The run panel is part of every address, so a link opens it and Back closes it. */
export interface Search extends Filters {
  run?: number;
  tab?: Tab;
  message?: number;
}

/** What lists are narrowed by; part of the address too. */
export const FILTERS = ["agent", "room", "computer", "project", "owner", "state", "kind", "q"] as const;
export type Filters = Partial<Record<(typeof FILTERS)[number], string>>;

const root = createRootRoute({
  component: Shell,
  notFoundComponent: () => <Missing />,
  validateSearch: (given: Record<string, unknown>): Search => ({
    ...(Number(given.run) > 0 ? { run: Number(given.run) } : {}),
    ...(TABS.includes(given.tab as Tab) ? { tab: given.tab as Tab } : {}),
    ...(Number(given.message) > 0 ? { message: Number(given.message) } : {}),
    ...Object.fromEntries(
      FILTERS.flatMap((name) =>
        given[name] === undefined || given[name] === "" ? [] : [[name, String(given[name]).slice(0, 200)]],
      ),
    ),
  }),
});

const child = <P extends string>(path: P, component: () => React.ReactNode) =>
  createRoute({ getParentRoute: () => root, path, component });

const routes = [
  child("/", Welcome),
  child("/needs", NeedsView),
  child("/r/$room", RoomView),
  child("/r/$room/$topic", RoomView),
  child("/board", lazyRouteComponent(() => import("./views/board"), "BoardView") as () => React.ReactNode),
  child("/tasks", lazyRouteComponent(() => import("./views/tasks"), "TasksView") as () => React.ReactNode),
  child("/runs", lazyRouteComponent(() => import("./views/runs"), "RunsView") as () => React.ReactNode),
  child("/runs/live", lazyRouteComponent(() => import("./views/wall"), "WallView") as () => React.ReactNode),
  child("/runs/$id", lazyRouteComponent(() => import("./views/run-page"), "RunPage") as () => React.ReactNode),
  child(
    "/projects/$project",
    lazyRouteComponent(() => import("./views/project"), "ProjectView") as () => React.ReactNode,
  ),
  child("/decisions", lazyRouteComponent(() => import("./views/decisions"), "DecisionsView") as () => React.ReactNode),
  child("/files", lazyRouteComponent(() => import("./views/files"), "FilesView") as () => React.ReactNode),
  child("/terminals", lazyRouteComponent(() => import("./views/terminals"), "TerminalsView") as () => React.ReactNode),
  child(
    "/terminals/$id",
    lazyRouteComponent(() => import("./views/terminal-page"), "TerminalPage") as () => React.ReactNode,
  ),
  child("/history", lazyRouteComponent(() => import("./views/history"), "HistoryView") as () => React.ReactNode),
  child("/usage", lazyRouteComponent(() => import("./views/usage"), "UsageView") as () => React.ReactNode),
  child("/settings", lazyRouteComponent(() => import("./views/settings"), "SettingsView") as () => React.ReactNode),
  child(
    "/settings/$page",
    lazyRouteComponent(() => import("./views/settings"), "SettingsView") as () => React.ReactNode,
  ),
];

/** The addresses, and the tabs somebody has in this browser. */
export function makeRouter() {
  const history = createBrowserHistory();
  const tabs = new TabKeeper(history, BROWSER);
  const routeTree = root.addChildren(routes);
  return { router: createRouter({ history, routeTree, defaultPreload: false, scrollRestoration: false }), tabs };
}
