import { ActionIcon, Menu, Tooltip } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { Check, ChevronDown, Hash, ListFilter, Lock, Plus } from "lucide-react";
import { memo, useMemo, useState } from "react";
import { createTopic } from "../api/topics";
import { type Need, needsOf } from "../state/attention";
import { activity, roomsOf, statusOf, type TopicFilter, topicsOf } from "../state/glances";
import { ago, type TextKey, t } from "../text/text";
import { Faces } from "../ui/face";
import { PHONE, useMedia, useNow, useSelect, useStore } from "../ui/hooks";
import { lookOf, StateIcon, wordOf } from "../ui/state";
import type { Glance, Room } from "../wire/contract";
import { Count } from "./sidebar";
import { tellFailure } from "./tell";
import css from "./topics.module.css";

const FILTERS: readonly TopicFilter[] = ["open", "resolved", "all"];

/** The topics of a room, newest activity first. */
export function Topics({ room, selected }: { room: Room; selected: number | null }) {
  const desk = useSelect((state) => state.desk);
  const now = useNow(20_000);
  const [filter, setFilter] = useState<TopicFilter>("all");
  const needs = useMemo(() => needsOf(desk, now), [desk, now]);
  const topics = useMemo(() => topicsOf(desk, room.id, filter), [desk, room.id, filter]);
  const begin = useNewTopic(room);
  const isPhone = useMedia(PHONE);
  return (
    <section className={css.pane} aria-label={t("topics.of", { room: room.name })} data-region>
      <header className={css.head}>
        {isPhone ? (
          <RoomSwitch room={room} />
        ) : (
          <h2>
            {room.visibility === "private" ? <Lock size={15} aria-hidden /> : <Hash size={16} aria-hidden />}
            {room.title || room.name}
          </h2>
        )}
        <Menu>
          <Menu.Target>
            <ActionIcon aria-label={t("topics.filter")}>
              <ListFilter size={17} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {FILTERS.map((one) => (
              <Menu.Item key={one} onClick={() => setFilter(one)} rightSection={one === filter && <Check size={14} />}>
                {t(`topics.${one}` as TextKey)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
        <Tooltip label={t("topics.new")}>
          <ActionIcon variant="default" onClick={begin} aria-label={t("topics.new")} className={css.new ?? ""}>
            <Plus size={17} />
          </ActionIcon>
        </Tooltip>
      </header>
      <ul className={css.list}>
        {topics.map((glance) => (
          <TopicRow
            key={glance.topic.id}
            glance={glance}
            room={room.name}
            status={statusOf(desk, glance, needs)}
            need={needs.find((one) => one.topic === glance.topic.id)}
            isSelected={selected === glance.topic.id}
            now={now}
          />
        ))}
        {topics.length === 0 && (
          <li className={css.none}>{filter === "all" ? t("topics.none") : t("topics.nothing")}</li>
        )}
      </ul>
    </section>
  );
}

interface RowProps {
  glance: Glance;
  room: string;
  status: string;
  need: Need | undefined;
  isSelected: boolean;
  now: number;
}

const TopicRow = memo(function TopicRow({ glance, room, status, need, isSelected, now }: RowProps) {
  const { topic, last, unread } = glance;
  const look = lookOf(status);
  const faces = [
    ...(last && last.sender.kind !== "system" && last.sender.kind !== "agent" ? [last.sender] : []),
    ...glance.agents.map((name) => ({ kind: "agent" as const, name })),
  ];
  const word =
    status === "idle" || status === "resolved" ? "" : need?.type === "ask" ? t("state.waiting") : wordOf(status);
  const shownFaces = (
    <Faces
      of={faces.map((one) => ({
        kind: one.kind,
        name: one.name,
        label: "display_name" in one ? one.display_name : one.name,
      }))}
    />
  );
  return (
    <li className={css.item}>
      <Link
        to="/r/$room/$topic"
        params={{ room, topic: String(topic.id) }}
        className={css.row}
        data-selected={isSelected || undefined}
        data-unread={unread > 0 || undefined}
        data-status={status}
      >
        <span className={css.icon}>
          <StateIcon look={look} />
        </span>
        <span className={css.title}>{topic.title}</span>
        <time className={css.time}>{ago(activity(glance), now)}</time>
        {last && (
          <span className={css.last}>
            <b>{last.sender.kind === "system" ? "" : last.sender.name}</b> {oneLine(last.text)}
          </span>
        )}
        {word !== "" && (
          <span className={css.state} data-look={look}>
            {word}
          </span>
        )}
        {(faces.length > 0 || unread > 0 || word !== "") && (
          <span className={css.end}>
            {shownFaces}
            <Count of={unread} />
          </span>
        )}
      </Link>
    </li>
  );
});

function RoomSwitch({ room }: { room: Room }) {
  const desk = useSelect((state) => state.desk);
  const navigate = useNavigate();
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <button type="button" className={css.switch}>
          <Hash size={18} aria-hidden />
          {room.name}
          <ChevronDown size={16} aria-hidden />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {roomsOf(desk).map(({ room: one, unread }) => (
          <Menu.Item
            key={one.id}
            rightSection={<Count of={unread} />}
            onClick={() => void navigate({ to: "/r/$room", params: { room: one.name } })}
          >
            {one.name}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item onClick={() => void navigate({ to: "/settings" })}>{t("nav.settings")}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/** Begins a topic and goes there; named by its first words. */
export function useNewTopic(room: Room | undefined): () => void {
  const navigate = useNavigate();
  const store = useStore();
  return () => {
    if (!room) return;
    createTopic(room.id)
      .then(async (topic) => {
        await store.until((state) => state.desk.topics[topic.id] !== undefined);
        await navigate({ to: "/r/$room/$topic", params: { room: room.name, topic: String(topic.id) } });
        document.querySelector<HTMLTextAreaElement>("[data-composer]")?.focus();
      })
      .catch(tellFailure);
  };
}

function oneLine(text: string): string {
  return text
    .replace(/[`*_#>]+/g, "")
    .replace(/\s+/g, " ")
    .trim();
}
