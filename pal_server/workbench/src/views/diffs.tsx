import type { RefObject } from "react";
import { later } from "../ui/later";

/** One diff of one file; a file that was edited several times has several. */
export interface Change {
  id: string;
  path: string;
  change: string;
  diff: string;
  /** The number of this edit and how many there are, of a file with more than one. */
  edit: readonly [number, number] | null;
}

export interface DiffsProps {
  label: string;
  changes: readonly Change[];
  isSplit?: boolean;
  isWrapped?: boolean;
  className?: string | undefined;
  /** The change at the top of what is in sight. */
  onTop?: (id: string) => void;
  /** Brings a change to the top. */
  goTo?: RefObject<((id: string) => void) | null>;
}

/** Diffs as a review shows them. What shows them comes with the first one. */
export const Diffs = later<DiffsProps>(() => import("./diff-view").then((found) => found.DiffView));

/** What was said last of a file is one change, or as many as it was edited. */
export function changesOf(path: string, change: string, diffs: readonly string[]): Change[] {
  return diffs.map((diff, index) => ({
    id: `${index}/${path}`,
    path,
    change,
    diff,
    edit: diffs.length > 1 ? [index + 1, diffs.length] : null,
  }));
}
