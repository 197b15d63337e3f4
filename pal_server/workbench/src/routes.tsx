import {
  createBrowserHistory,
  createRootRoute,
  createRoute,
  createRouter,
  type RouteComponent,
} from "@tanstack/react-router";
import { BROWSER, TabKeeper } from "./state/tab-keeper";
import { later } from "./ui/later";
import { Missing } from "./views/missing";
import { NeedsView } from "./views/needs";
import { RoomView } from "./views/room";
import { Shell } from "./views/shell";
import { Welcome } from "./views/welcome";

export const TABS = ["steps", "changes", "log", "prompt", "files"] as const;
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

const child = <P extends string>(path: P, component: RouteComponent) =>
  createRoute({ getParentRoute: () => root, path, component });

const routes = [
  child("/", Welcome),
  child("/needs", NeedsView),
  child("/r/$room", RoomView),
  child("/r/$room/$topic", RoomView),
  child(
    "/board",
    later(() => import("./views/board").then((found) => found.BoardView)),
  ),
  child(
    "/tasks",
    later(() => import("./views/tasks").then((found) => found.TasksView)),
  ),
  child(
    "/runs",
    later(() => import("./views/runs").then((found) => found.RunsView)),
  ),
  child(
    "/runs/live",
    later(() => import("./views/wall").then((found) => found.WallView)),
  ),
  child(
    "/runs/$id",
    later(() => import("./views/run-page").then((found) => found.RunPage)),
  ),
  child(
    "/projects/$project",
    later(() => import("./views/project").then((found) => found.ProjectView)),
  ),
  child(
    "/decisions",
    later(() => import("./views/decisions").then((found) => found.DecisionsView)),
  ),
  child(
    "/files",
    later(() => import("./views/files").then((found) => found.FilesView)),
  ),
  child(
    "/terminals",
    later(() => import("./views/terminals").then((found) => found.TerminalsView)),
  ),
  child(
    "/terminals/$id",
    later(() => import("./views/terminal-page").then((found) => found.TerminalPage)),
  ),
  child(
    "/history",
    later(() => import("./views/history").then((found) => found.HistoryView)),
  ),
  child(
    "/usage",
    later(() => import("./views/usage").then((found) => found.UsageView)),
  ),
  child(
    "/settings",
    later(() => import("./views/settings").then((found) => found.SettingsView)),
  ),
  child(
    "/settings/$page",
    later(() => import("./views/settings").then((found) => found.SettingsView)),
  ),
];

/** The addresses, and the tabs somebody has in this browser. */
export function makeRouter() {
  const history = createBrowserHistory();
  const tabs = new TabKeeper(history, BROWSER);
  const routeTree = root.addChildren(routes);
  return { router: createRouter({ history, routeTree, defaultPreload: false, scrollRestoration: false }), tabs };
}
