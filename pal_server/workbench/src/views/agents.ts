import { useMemo } from "react";
import { LIVE } from "../state/desk";
import { t } from "../text/text";
import { useSelect } from "../ui/hooks";
import type { Agent, Run } from "../wire/contract";

export interface AgentNow {
  agent: Agent;
  dot: "running" | "waiting" | null;
  says: string;
  link: { to: string; params?: Record<string, string>; search?: Record<string, number> };
}

/** What each agent does now: those who wait for somebody first, then those at work. */
export function useAgents(): AgentNow[] {
  const agents = useSelect((state) => state.desk.agents);
  const runs = useSelect((state) => state.desk.runs);
  const topics = useSelect((state) => state.desk.topics);
  const computers = useSelect((state) => state.desk.computers);
  const rooms = useSelect((state) => state.desk.rooms);
  return useMemo(() => {
    const live = Object.values(runs).filter((run) => LIVE.has(run.status));
    const found = Object.values(agents).map((agent): AgentNow => {
      const mine = live.filter((run) => run.agent === agent.key);
      const run: Run | undefined = mine.find((one) => one.status === "waiting") ?? mine[0];
      if (run) {
        const room = rooms[run.room]?.name ?? run.room;
        const says =
          run.status === "waiting"
            ? t("agent.waits")
            : t("agent.works", { topic: topics[run.topic]?.topic.title ?? String(run.topic) });
        const link = { to: "/r/$room/$topic", params: { room, topic: String(run.topic) } };
        return { agent, dot: run.status === "waiting" ? "waiting" : "running", says, link };
      }
      const computer = agent.computer === null ? undefined : computers[agent.computer];
      const says = !agent.enabled
        ? t("agent.off")
        : computer?.status === "online" || computer?.status === "draining"
          ? ""
          : t("agent.offline");
      return { agent, dot: null, says, link: { to: "/settings/$page", params: { page: "agents" } } };
    });
    const rank = (one: AgentNow) => (one.dot === "waiting" ? 0 : one.dot === "running" ? 1 : 2);
    return found.sort((one, other) => rank(one) - rank(other) || one.agent.key.localeCompare(other.agent.key));
  }, [agents, runs, topics, computers, rooms]);
}
