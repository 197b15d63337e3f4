/** Which live runs the operations wall shows, and in what order. Pure. */
import type { Run } from "../wire/contract";
import { LIVE } from "./desk";

export interface WallFilter {
  agent?: string | undefined;
  /** Id of a room. */
  room?: string | undefined;
  /** Id of a computer. */
  computer?: string | undefined;
  state?: string | undefined;
}

/** Those that wait for a person first, then by when they began: a tile keeps its place while it works. */
export function wallOf(runs: Readonly<Record<number, Run>>, filter: WallFilter): Run[] {
  return Object.values(runs)
    .filter((run) => LIVE.has(run.status))
    .filter((run) => !filter.agent || run.agent === filter.agent)
    .filter((run) => !filter.room || run.room === filter.room)
    .filter((run) => !filter.computer || run.computer === filter.computer)
    .filter((run) => !filter.state || run.status === filter.state)
    .sort((one, other) => Number(other.status === "waiting") - Number(one.status === "waiting") || one.id - other.id);
}
