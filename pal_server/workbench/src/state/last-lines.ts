/** The end of what a run did and said, as a tile of the wall shows it. Pure. */
import type { RunView } from "./run-view";

/** Steps and words of the main voice, newest last, at most `most` lines. */
export function lastLines(view: RunView, most: number): string[] {
  const steps = view.steps.slice(-most).map((step) => firstLine(step.title));
  const words = view.texts
    .filter((one) => one.lane === "main")
    .slice(-most)
    .flatMap((one) => one.text.split("\n"))
    .filter((line) => line.trim() !== "")
    .slice(-most);
  const notice = view.notice !== "" && words.length === 0 ? [firstLine(view.notice)] : [];
  return [...steps, ...words, ...notice].slice(-most);
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
