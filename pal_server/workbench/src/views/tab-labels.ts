import { FileQuestionMark, FolderKanban, Hash, type LucideIcon, SquareTerminal, Workflow } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { countNeeds, type Need } from "../state/attention";
import type { Desk } from "../state/desk";
import { roomNamed, type Standing, standingOf, statusOf } from "../state/glances";
import { projectNamed } from "../state/projects";
import { aboutOf } from "../state/subjects";
import type { Tab } from "../state/tabs";
import { t } from "../text/text";
import { useSelect, useStore } from "../ui/hooks";
import type { Glance } from "../wire/contract";
import { Refused } from "../wire/request";
import { useNeeds } from "./attention";
import { PLACES, SETTINGS, WALL } from "./places";
import { nameOf } from "./terminal-name";

/** What a tab says of the page it has. */
export interface Label {
  title: string;
  /** Where that is, where the title alone does not tell. */
  about: string;
  icon: LucideIcon;
  /** How its subject stands, as of a topic or a run; empty: it stands nowhere. */
  status: string;
  unread: number;
  /** How much waits there for a person. */
  asked: number;
  /** There is no such thing, any more or for this person. */
  isGone: boolean;
}

export type Known = Pick<Desk, "rooms" | "topics" | "runs" | "terminals" | "projects"> & {
  /** Topics that were asked for in vain. */
  missing: ReadonlySet<number>;
};

/** The labels of pages, in their order; anew only when something of what they tell has changed. */
export function useLabels(tabs: readonly Tab[]): Label[] {
  const rooms = useSelect((state) => state.desk.rooms);
  const topics = useSelect((state) => state.desk.topics);
  const runs = useSelect((state) => state.desk.runs);
  const terminals = useSelect((state) => state.desk.terminals);
  const projects = useSelect((state) => state.desk.projects);
  const deliveries = useSelect((state) => state.desk.deliveries);
  const needs = useNeeds();
  const missing = useMissing(tabs, topics);
  return useMemo(() => {
    const known = { rooms, topics, runs, terminals, projects, missing };
    const standing = standingOf({ deliveries }, needs);
    return tabs.map((tab) => labelOf(tab.href, known, standing, needs));
  }, [tabs, rooms, topics, runs, terminals, projects, missing, deliveries, needs]);
}

/** Topics of tabs that there are none of. Those the client began without are asked for, each once. */
function useMissing(tabs: readonly Tab[], topics: Desk["topics"]): ReadonlySet<number> {
  const store = useStore();
  const asked = useRef(new Set<number>());
  const [missing, setMissing] = useState<ReadonlySet<number>>(new Set());
  useEffect(() => {
    for (const subject of tabs.map((tab) => aboutOf(tab.href))) {
      if (subject.type !== "topic" || topics[subject.topic] || asked.current.has(subject.topic)) continue;
      asked.current.add(subject.topic);
      store.loadTopic(subject.topic).catch((error: Error) => {
        if (error instanceof Refused && error.isMissing) setMissing((before) => new Set(before).add(subject.topic));
      });
    }
  }, [tabs, topics, store]);
  return missing;
}

export function labelOf(href: string, known: Known, standing: Standing, needs: readonly Need[]): Label {
  const subject = aboutOf(href);
  const plain = { about: "", status: "", unread: 0, asked: 0, isGone: false };
  switch (subject.type) {
    case "room":
    case "topic": {
      const room = roomNamed(known, subject.room);
      const glance = known.topics[subject.type === "topic" ? subject.topic : (room?.default_topic ?? 0)];
      if (!room) return { ...plain, title: subject.room, icon: FileQuestionMark, isGone: true };
      if (!glance) {
        const title = subject.type === "room" ? room.name : t("tabs.topic", { id: subject.topic });
        const isGone = subject.type === "topic" && known.missing.has(subject.topic);
        return { ...plain, title, about: room.name, icon: Hash, isGone };
      }
      return { ...ofTopic(glance, standing, needs), ...namesOf(glance, room.name), icon: Hash, isGone: false };
    }
    case "run": {
      const run = known.runs[subject.run];
      const about = run ? [run.agent, known.topics[run.topic]?.topic.title].filter(Boolean).join(", ") : "";
      const title = t("run.title", { id: subject.run });
      return { ...plain, title, about, icon: Workflow, status: run?.status ?? "" };
    }
    case "terminal": {
      const one = known.terminals[subject.terminal];
      const about = one ? (known.topics[one.topic]?.topic.title ?? "") : "";
      return { ...plain, title: one ? nameOf(one) : t("tabs.terminal"), about, icon: SquareTerminal };
    }
    case "project": {
      const project = projectNamed(known, subject.project);
      return { ...plain, title: project?.name ?? subject.project, icon: FolderKanban, isGone: project === undefined };
    }
    case "place": {
      const place = [...PLACES, WALL, SETTINGS].find((one) => one.to === subject.to);
      if (!place) return { ...plain, title: t("app.notFound"), icon: FileQuestionMark, isGone: true };
      const asked = place.to === "/needs" ? countNeeds(needs) : 0;
      return { ...plain, title: t(place.name), icon: place.icon, asked };
    }
  }
}

function ofTopic(glance: Glance, standing: Standing, needs: readonly Need[]) {
  const status = statusOf(glance, standing);
  const asked = countNeeds(needs.filter((need) => need.topic === glance.topic.id));
  return { status: status === "idle" ? "" : status, unread: glance.unread, asked };
}

/** Every room has a topic of the same name as all others; it goes by its room's. */
function namesOf({ topic }: Glance, room: string) {
  return topic.is_default ? { title: room, about: topic.title } : { title: topic.title, about: room };
}
