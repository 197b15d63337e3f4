import { t } from "../text/text";
import type { Terminal } from "../wire/contract";

/** The look a state of a terminal has, by the states of runs. */
export const LOOKS: Readonly<Record<Terminal["state"], string>> = {
  opening: "starting",
  open: "succeeded",
  closing: "queued",
  closed: "idle",
  failed: "failed",
};

export function nameOf(one: Terminal): string {
  return one.kind === "agent" ? t("terminal.ofAgent", { agent: one.agent ?? "" }) : t("terminal.shell");
}
