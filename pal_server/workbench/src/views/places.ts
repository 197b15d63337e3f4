import {
  ChartNoAxesColumn,
  Files,
  Gavel,
  History,
  Inbox,
  LayoutGrid,
  ListTodo,
  type LucideIcon,
  Settings,
  SquareTerminal,
  Workflow,
} from "lucide-react";
import type { TextKey } from "../text/text";

export interface Place {
  to: string;
  name: TextKey;
  icon: LucideIcon;
  /** Its letter after G; empty: none. */
  key: string;
}

/** Where one can go beside the rooms, in order: the sidebar, the palette and the keys follow. What pal has not yet has no place. */
export const PLACES: readonly Place[] = [
  { to: "/needs", name: "nav.needs", icon: Inbox, key: "i" },
  { to: "/board", name: "nav.board", icon: LayoutGrid, key: "b" },
  { to: "/tasks", name: "nav.tasks", icon: ListTodo, key: "k" },
  { to: "/runs", name: "nav.runs", icon: Workflow, key: "r" },
  { to: "/decisions", name: "decisions.title", icon: Gavel, key: "d" },
  { to: "/files", name: "nav.files", icon: Files, key: "f" },
  { to: "/terminals", name: "nav.terminals", icon: SquareTerminal, key: "w" },
  { to: "/history", name: "nav.history", icon: History, key: "h" },
  { to: "/usage", name: "nav.usage", icon: ChartNoAxesColumn, key: "u" },
];

export const SETTINGS: Place = { to: "/settings", name: "nav.settings", icon: Settings, key: "s" };
/** Not in the sidebar, as it is a way of looking at the runs; known to keys and palette. */
export const WALL: Place = { to: "/runs/live", name: "nav.wall", icon: Workflow, key: "l" };
