/** What one sent before, one after the other, as a shell gives it back. Pure. */

export interface Recall {
  /** What was sent, newest first, each text once. */
  texts: readonly string[];
  /** Which of them stands in the field; -1: none, what was begun there does. */
  at: number;
}

export const NOTHING_RECALLED: Recall = { texts: [], at: -1 };

/** Older by one step, or newer; beyond the ends nothing changes. */
export function recalled(recall: Recall, step: 1 | -1): Recall {
  const at = Math.min(Math.max(recall.at + step, -1), recall.texts.length - 1);
  return at === recall.at ? recall : { ...recall, at };
}

export function textOf(recall: Recall): string {
  return recall.texts[recall.at] ?? "";
}
