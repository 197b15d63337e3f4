import { useQuery } from "@tanstack/react-query";
import { FileText, Hash, NotebookPen } from "lucide-react";
import { useMemo, useState } from "react";
import { findPaths, topicCommands } from "../api/topics";
import { matching, pathWords, type Trigger, topicLink } from "../state/suggest";
import { type TextKey, t } from "../text/text";
import { Face } from "../ui/face";
import { useSelect } from "../ui/hooks";
import type { Glance, Mentionable, Room, SavedPrompt } from "../wire/contract";
import css from "./suggestions.module.css";

const COMMANDS = ["help", "new", "stop", "plan", "model", "effort", "status"] as const;
const PATHS_FROM = 1; // letters after which files are looked for beside names

export interface Suggestion {
  key: string;
  /** What is shown. */
  value: string;
  /** What comes into the text. */
  inserted: string;
  about: string;
  kind: "user" | "agent" | "command" | "prompt" | "topic" | "path";
}

export interface Given {
  items: readonly Suggestion[];
  index: number;
  onKey: (event: React.KeyboardEvent, pick: (inserted: string) => void) => boolean;
}

/** What could be meant by `@na`, `#na` or `/na`, chosen by arrows and taken by Enter or Tab. */
export function useSuggestions(given: {
  trigger: Trigger | null;
  names: readonly Mentionable[];
  topic: number;
  /** In whose folder files are looked for. */
  agent: string | null;
  isClosed: boolean;
}): Given {
  const { trigger, names, topic, agent, isClosed } = given;
  const [chosen, setChosen] = useState(0);
  const [dismissed, setDismissed] = useState<number | null>(null);
  const isOpen = trigger !== null && !isClosed && dismissed !== trigger.start;
  const paths = usePaths(topic, agent, isOpen && trigger.sign === "@" ? trigger.word : "");
  const commands = useCommands(topic, isOpen && trigger.sign === "/");
  const prompts = useSelect((state) => state.desk.prompts);
  const topics = useSelect((state) => state.desk.topics);
  const rooms = useSelect((state) => state.desk.rooms);
  const items = useMemo(() => {
    if (!isOpen) return [];
    switch (trigger.sign) {
      case "@":
        return [...named(names, trigger.word), ...paths.map(pathItem)];
      case "/":
        return [...prompted(Object.values(prompts), trigger.word), ...commanded(commands, trigger.word)];
      case "#":
        return topical(Object.values(topics), rooms, topic, trigger.word);
    }
  }, [isOpen, trigger?.sign, trigger?.word, names, paths, prompts, commands, topics, rooms, topic]);
  const index = Math.min(chosen, Math.max(0, items.length - 1));
  const onKey = (event: React.KeyboardEvent, pick: (inserted: string) => void): boolean => {
    const item = items[index];
    if (!item || event.nativeEvent.isComposing) return false;
    if (event.key === "ArrowDown") setChosen((index + 1) % items.length);
    else if (event.key === "ArrowUp") setChosen((index + items.length - 1) % items.length);
    else if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey) || event.key === "Tab") {
      pick(item.inserted);
      setChosen(0);
    } else if (event.key === "Escape" && trigger) setDismissed(trigger.start);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  return { items, index, onKey };
}

function named(names: readonly Mentionable[], word: string): Suggestion[] {
  return matching(names, word, (one) => one.name).map((one) => ({
    key: `${one.kind} ${one.name}`,
    value: one.name,
    inserted: `@${one.name}`,
    about: one.display_name === one.name ? "" : one.display_name,
    kind: one.kind,
  }));
}

function pathItem(path: string): Suggestion {
  const [, folder = "", name = path] = /^(.*\/)?([^/]*)$/.exec(path) ?? [];
  return { key: `path ${path}`, value: name, inserted: pathWords(path), about: folder, kind: "path" };
}

function prompted(prompts: readonly SavedPrompt[], word: string): Suggestion[] {
  return matching(prompts, word, (one) => one.name).map((one) => ({
    key: `prompt ${one.name}`,
    value: one.name,
    inserted: one.content,
    about: one.content.slice(0, 80),
    kind: "prompt",
  }));
}

function commanded(commands: readonly { name: string; about: string }[], word: string): Suggestion[] {
  if (/^\d/.test(word)) return [];
  return matching(commands, word, (one) => one.name).map((one) => ({
    key: `command ${one.name}`,
    value: one.name,
    inserted: `/${one.name}`,
    about: one.about,
    kind: "command",
  }));
}

/** Topics of this room first, those of others after them. */
function topical(
  topics: readonly Glance[],
  rooms: Readonly<Record<string, Room>>,
  here: number,
  word: string,
): Suggestion[] {
  const home = topics.find((one) => one.topic.id === here)?.topic.room;
  const near = [...topics]
    .filter((one) => one.topic.id !== here)
    .sort((one, other) => Number(other.topic.room === home) - Number(one.topic.room === home));
  return matching(near, word, (one) => one.topic.title).map(({ topic }) => {
    const room = rooms[topic.room]?.name ?? topic.room;
    const address = new URL(`/r/${encodeURIComponent(room)}/${topic.id}`, location.href).href;
    return {
      key: `topic ${topic.id}`,
      value: topic.title,
      inserted: topicLink(topic.title, address),
      about: room,
      kind: "topic",
    };
  });
}

/** Files of the agent's folder that could be meant; what was found before stays while the next answer is on its way. */
function usePaths(topic: number, agent: string | null, word: string): readonly string[] {
  const isAsked = agent !== null && word.length >= PATHS_FROM;
  const { data } = useQuery({
    queryKey: ["paths", topic, agent, word],
    queryFn: ({ signal }) => findPaths(topic, agent ?? "", word, signal),
    enabled: isAsked,
    placeholderData: (before) => before,
    staleTime: 5_000,
    retry: 2, // its computer may be coming back; until then names alone are offered
  });
  return isAsked ? (data ?? NONE) : NONE;
}

const NONE: readonly string[] = [];

/** pal's own commands, and those the programs of this room's agents have told of. */
function useCommands(topic: number, isAsked: boolean): readonly { name: string; about: string }[] {
  const { data } = useQuery({
    queryKey: ["commands", topic],
    queryFn: () => topicCommands(topic),
    enabled: isAsked,
    staleTime: 60_000,
    retry: false,
  });
  return useMemo(() => {
    const own = COMMANDS.map((name) => ({ name: name as string, about: t(`slash.${name}` as TextKey) }));
    const theirs = (data ?? []).flatMap(({ agent, commands }) =>
      commands.map((one) => ({ name: one.name, about: [agent, one.description].filter(Boolean).join(": ") })),
    );
    const known = new Set<string>(COMMANDS);
    return [...own, ...theirs.filter((one) => !known.has(one.name) && known.add(one.name))];
  }, [data]);
}

export function Suggestions({ id, given, onPick }: { id: string; given: Given; onPick: (inserted: string) => void }) {
  if (given.items.length === 0) return <div id={id} hidden />;
  return (
    <div id={id} className={css.list} role="listbox">
      {given.items.map((item, index) => (
        <div
          key={item.key}
          id={`${id}-${index}`}
          role="option"
          tabIndex={-1}
          aria-selected={index === given.index}
          className={css.item}
          onMouseDown={(event) => {
            event.preventDefault();
            onPick(item.inserted);
          }}
        >
          <Sign item={item} />
          <b>{item.value}</b>
          <small>{item.about}</small>
        </div>
      ))}
    </div>
  );
}

function Sign({ item }: { item: Suggestion }) {
  switch (item.kind) {
    case "command":
      return <span className={css.slash}>/</span>;
    case "prompt":
      return <NotebookPen size={15} aria-label={t("prompts.one")} className={css.sign ?? ""} />;
    case "topic":
      return <Hash size={15} aria-hidden className={css.sign ?? ""} />;
    case "path":
      return <FileText size={15} aria-hidden className={css.sign ?? ""} />;
    default:
      return <Face kind={item.kind} name={item.value} size={20} />;
  }
}
