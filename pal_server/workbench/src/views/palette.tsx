import { Modal } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams, useRouter } from "@tanstack/react-router";
import { CopyPlus, FolderKanban, Hash, Keyboard, MessageSquare, Moon, Plus, Search, Sun, Undo2, X } from "lucide-react";
import { type ReactNode, useEffect, useId, useMemo, useState } from "react";
import { changePreferences } from "../api/desk";
import { searchMessages } from "../api/messages";
import { needsOf } from "../state/attention";
import { activity, lookIn, roomNamed } from "../state/glances";
import { projectsOf } from "../state/projects";
import { type TextKey, t } from "../text/text";
import { Face } from "../ui/face";
import { PHONE, useMedia, useSelect } from "../ui/hooks";
import { Keys } from "../ui/keys";
import { StateIcon } from "../ui/state";
import { useTabKeeper, useTabs } from "../ui/tabs";
import css from "./palette.module.css";
import { PLACES, SETTINGS, WALL } from "./places";
import { useLabels } from "./tab-labels";
import { tellFailure } from "./tell";
import { useNewTopic } from "./topics";

interface Entry {
  key: string;
  group: TextKey;
  icon: ReactNode;
  name: string;
  about?: string;
  keys?: string;
  /** The page it leads to, by path and search; else what it does. */
  to?: string;
  act?: () => void;
}

const TOPICS = 8;

/** What needs somebody, then places, then what can be done, then words in messages. */
export default function Palette({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const [words, setWords] = useState("");
  const [chosen, setChosen] = useState(0);
  const entries = useEntries(words.trim(), onHelp);
  const list = useId();
  const index = Math.min(chosen, Math.max(0, entries.length - 1));
  useEffect(() => {
    document.getElementById(`${list}-${index}`)?.scrollIntoView({ block: "nearest" });
  }, [index, list]);
  const router = useRouter();
  const tabs = useTabKeeper();
  const act = (entry: Entry | undefined, isApart: boolean) => {
    if (!entry) return;
    onClose();
    if (entry.to === undefined) entry.act?.();
    else if (isApart) tabs.open(entry.to, false);
    else router.history.push(entry.to);
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.key === "ArrowDown") setChosen((index + 1) % Math.max(1, entries.length));
    else if (event.key === "ArrowUp") setChosen((index + entries.length - 1) % Math.max(1, entries.length));
    else if (event.key === "Enter" && !event.nativeEvent.isComposing)
      act(entries[index], event.ctrlKey || event.metaKey);
    else return;
    event.preventDefault();
  };
  return (
    <Modal
      opened
      onClose={onClose}
      withCloseButton={false}
      padding={0}
      size={620}
      yOffset="11vh"
      centered={false}
      aria-label={t("palette.label")}
      classNames={{ content: css.palette ?? "" }}
    >
      <div className={css.field}>
        <Search size={16} aria-hidden />
        <input
          data-autofocus
          role="combobox"
          aria-expanded
          aria-controls={list}
          aria-activedescendant={`${list}-${index}`}
          aria-label={t("palette.placeholder")}
          placeholder={t("palette.placeholder")}
          value={words}
          onChange={(event) => {
            setWords(event.currentTarget.value);
            setChosen(0);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <div id={list} role="listbox" aria-label={t("palette.label")} className={css.list}>
        {entries.map((entry, at) => (
          <div key={entry.key}>
            {entry.group !== entries[at - 1]?.group && (
              <div className={css.group} role="presentation">
                {t(entry.group)}
              </div>
            )}
            <div
              id={`${list}-${at}`}
              role="option"
              tabIndex={-1}
              aria-selected={at === index}
              className={css.entry}
              onMouseMove={() => setChosen(at)}
              onClick={(event) => act(entry, event.ctrlKey || event.metaKey)}
              onKeyDown={() => {}}
            >
              {entry.icon}
              <span>
                {entry.name}
                {entry.about && <small>{entry.about}</small>}
              </span>
              {entry.keys && <Keys keys={entry.keys} />}
            </div>
          </div>
        ))}
        {entries.length === 0 && <p className={css.none}>{t("palette.nothing", { q: words })}</p>}
      </div>
      {entries[index]?.to !== undefined && (
        <p className={css.hint}>
          <Keys keys="Mod Enter" /> {t("palette.inTab")}
        </p>
      )}
    </Modal>
  );
}

function useEntries(words: string, onHelp: () => void): Entry[] {
  const desk = useSelect((state) => state.desk);
  const { room: roomName } = useParams({ strict: false });
  const room = (roomName && roomNamed(desk, roomName)) || Object.values(desk.rooms)[0];
  const newTopic = useNewTopic(room);
  const tabs = useTabKeeper();
  const { open, active, closed } = useTabs();
  const labels = useLabels(open);
  const isPhone = useMedia(PHONE);
  const { data: found } = useQuery({
    queryKey: ["search", words],
    queryFn: ({ signal }) => searchMessages(words, signal),
    enabled: words.length > 1,
    placeholderData: (before) => before,
  });
  return useMemo(() => {
    const roomOf = (id: string) => desk.rooms[id]?.name ?? id;
    const topicAt = (room: string, topic: number, message?: number) =>
      `/r/${encodeURIComponent(roomOf(room))}/${topic}${message === undefined ? "" : `?message=${message}`}`;
    const needs = needsOf(desk, Date.now())
      .filter((need) => need.type === "ask")
      .slice(0, 5)
      .map(
        (need): Entry => ({
          key: need.key,
          group: "palette.needs",
          icon: <Face kind="agent" name={need.agent || "pal"} size={24} />,
          name: need.type === "ask" ? need.interaction.title : "",
          about: `${need.agent || "pal"}, ${roomOf(need.room)} › ${desk.topics[need.topic]?.topic.title ?? ""}`,
          to: topicAt(need.room, need.topic),
        }),
      );
    const places = [
      ...[...PLACES, WALL, SETTINGS].map(
        ({ to, name, icon: Icon, key }): Entry => ({
          key: to,
          group: "palette.go",
          icon: <Icon size={16} aria-hidden />,
          name: t(name),
          keys: `G ${key.toUpperCase()}`,
          to,
        }),
      ),
      ...projectsOf(desk).map(
        (one): Entry => ({
          key: one.id,
          group: "palette.go",
          icon: <FolderKanban size={16} aria-hidden />,
          name: one.name,
          ...(one.name === one.key ? {} : { about: one.key }),
          to: `/projects/${encodeURIComponent(one.key)}`,
        }),
      ),
      ...Object.values(desk.rooms).map(
        (one): Entry => ({
          key: one.id,
          group: "palette.go",
          icon: <Hash size={16} aria-hidden />,
          name: one.name,
          to: `/r/${encodeURIComponent(one.name)}`,
        }),
      ),
    ];
    const topics = Object.values(desk.topics)
      .filter((one) => !one.topic.is_default || words !== "")
      .filter((one) => lookIn(`${one.topic.title} ${roomOf(one.topic.room)}`, words))
      .sort((one, other) => activity(other) - activity(one))
      .slice(0, words ? TOPICS : 4)
      .map(
        (one): Entry => ({
          key: `topic ${one.topic.id}`,
          group: "palette.topics",
          icon: <StateIcon look={one.topic.archived_at === null ? "idle" : "ok"} size={15} />,
          name: one.topic.title,
          about: roomOf(one.topic.room),
          to: topicAt(one.topic.room, one.topic.id),
        }),
      );
    // Where there is a strip of them, it shows them already.
    const opened = (words || isPhone ? labels : []).flatMap(({ title, about, icon: Icon }, at): Entry[] => {
      const tab = open[at];
      if (!tab || tab.id === active || open.length < 2) return [];
      const icon = <Icon key={tab.id} size={16} aria-hidden />;
      return [{ key: tab.id, group: "palette.tabs", icon, name: title, about, act: () => tabs.choose(tab) }];
    });
    const here = open.find((one) => one.id === active);
    const isDark = document.documentElement.dataset.mantineColorScheme === "dark";
    const commands = [
      {
        key: "new topic",
        icon: <Plus size={16} aria-hidden />,
        name: t("palette.newTopic", { room: room?.name ?? "" }),
        keys: "C",
        act: newTopic,
      },
      ...(here
        ? [
            {
              key: "again",
              icon: <CopyPlus size={16} aria-hidden />,
              name: t("palette.again"),
              act: () => tabs.open(here.href, false),
            },
          ]
        : []),
      ...(here && open.length > 1
        ? [
            {
              key: "close",
              icon: <X size={16} aria-hidden />,
              name: t("palette.closeTab"),
              keys: "X",
              act: () => tabs.close(here.id),
            },
          ]
        : []),
      ...(closed.length > 0
        ? [
            {
              key: "reopen",
              icon: <Undo2 size={16} aria-hidden />,
              name: t("palette.reopenTab"),
              keys: "Shift X",
              act: () => tabs.reopen(),
            },
          ]
        : []),
      {
        key: "theme",
        icon: isDark ? <Sun size={16} aria-hidden /> : <Moon size={16} aria-hidden />,
        name: t(isDark ? "palette.light" : "palette.dark"),
        act: () => void changePreferences({ theme: isDark ? "light" : "dark" }).catch(tellFailure),
      },
      {
        key: "keys",
        icon: <Keyboard size={16} aria-hidden />,
        name: t("palette.keys"),
        keys: "?",
        act: onHelp,
      },
    ].map((one): Entry => ({ ...one, group: "palette.do" }));
    const messages = (words.length > 1 ? (found ?? []) : []).map(
      (one): Entry => ({
        key: `message ${one.id}`,
        group: "palette.messages",
        icon: <MessageSquare size={15} aria-hidden />,
        name: one.content.slice(0, 140),
        about: `${one.sender.display_name || one.sender.name}, ${one.room_name} › ${desk.topics[one.topic]?.topic.title ?? ""}`,
        to: topicAt(one.room, one.topic, one.id),
      }),
    );
    const named = (entries: Entry[]) => entries.filter((entry) => lookIn(`${entry.name} ${entry.about ?? ""}`, words));
    return [...named(needs), ...named(opened), ...named(places), ...topics, ...named(commands), ...messages];
  }, [desk, words, found, room, labels, open, active, closed, tabs, isPhone, newTopic, onHelp]);
}
