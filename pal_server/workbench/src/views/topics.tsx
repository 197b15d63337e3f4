import { ActionIcon, Button } from "@mantine/core";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { Check, ChevronDown, Hash, ListFilter, Lock, Plus } from "lucide-react";
import { memo, useEffect, useMemo, useRef, useState } from "react";
import { createTopic } from "../api/topics";
import { activity, roomsOf, standingOf, statusOf, type TopicFilter, topicsOf } from "../state/glances";
import { ignorePassing } from "../state/store";
import { ago, type TextKey, t } from "../text/text";
import { Faces } from "../ui/face";
import { Go } from "../ui/go";
import { PHONE, useMayWrite, useMedia, useNow, useSelect, useStore } from "../ui/hooks";
import { type Choice, useMenu } from "../ui/menus";
import { lookOf, StateIcon, wordOf } from "../ui/state";
import type { Glance, Room } from "../wire/contract";
import { useNeeds } from "./attention";
import { Count } from "./sidebar";
import { tellFailure } from "./tell";
import css from "./topics.module.css";

const FILTERS: readonly TopicFilter[] = ["open", "resolved", "all"];

const DWELL = 70; // milliseconds a pointer rests on a row before its topic is fetched: passing over is no wish
const ROW = 94; // pixels a row is thought to be until it is measured

/** The topics of a room, newest activity first. Only those in sight are there: a room may have thousands. */
export function Topics({ room, selected }: { room: Room; selected: number | null }) {
  const all = useSelect((state) => state.desk.topics);
  const deliveries = useSelect((state) => state.desk.deliveries);
  const now = useNow(20_000);
  const [filter, setFilter] = useState<TopicFilter>("all");
  const needs = useNeeds();
  const topics = useMemo(() => topicsOf({ topics: all }, room.id, filter), [all, room.id, filter]);
  const standing = useMemo(() => standingOf({ deliveries }, needs), [deliveries, needs]);
  const mayWrite = useMayWrite();
  const begin = useNewTopic(room);
  const isPhone = useMedia(PHONE);
  const open = useMenu();
  const list = useRef<HTMLUListElement>(null);
  const virtual = useVirtualizer({
    count: topics.length,
    getScrollElement: () => list.current,
    estimateSize: () => ROW,
    getItemKey: (index) => topics[index]?.topic.id ?? index,
    overscan: 4,
    paddingStart: 7,
    paddingEnd: 7,
  });
  const { topic: asked } = useParams({ strict: false });
  // Who goes on by keys or links sees where they are; who scrolls the list, or opens a room, is left alone.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another topic moves the list
  useEffect(() => {
    const place = topics.findIndex((glance) => glance.topic.id === Number(asked));
    if (place >= 0) virtual.scrollToIndex(place, { align: "auto" });
  }, [asked]);
  return (
    <section className={css.pane} aria-label={t("topics.of", { room: room.name })} data-region>
      <header className={css.head}>
        {isPhone ? (
          <RoomSwitch room={room} />
        ) : (
          <h2>
            {room.visibility === "private" ? <Lock size={15} aria-hidden /> : <Hash size={16} aria-hidden />}
            <span>{room.title || room.name}</span>
          </h2>
        )}
        <ActionIcon
          aria-label={t("topics.filter")}
          aria-haspopup="menu"
          onClick={(event) =>
            open(
              event.currentTarget,
              FILTERS.map((one) => ({
                label: t(`topics.${one}` as TextKey),
                after: one === filter && <Check size={14} aria-hidden />,
                act: () => setFilter(one),
              })),
            )
          }
        >
          <ListFilter size={17} />
        </ActionIcon>
        {mayWrite && (
          <ActionIcon
            variant="default"
            onClick={begin}
            data-tip={t("topics.new")}
            aria-label={t("topics.new")}
            className={css.new ?? ""}
          >
            <Plus size={17} />
          </ActionIcon>
        )}
      </header>
      {topics.length === 0 && (
        <div className={css.none}>
          {filter === "all" ? t("topics.none") : t("topics.nothing")}
          {filter !== "all" && (
            <Button variant="default" onClick={() => setFilter("all")}>
              {t("topics.clear")}
            </Button>
          )}
        </div>
      )}
      <ul className={css.list} ref={list} hidden={topics.length === 0}>
        <li aria-hidden style={{ height: virtual.getTotalSize() }} />
        {virtual.getVirtualItems().map((row) => {
          const glance = topics[row.index];
          if (!glance) return null;
          const { id } = glance.topic;
          return (
            <li
              key={row.key}
              data-index={row.index}
              ref={virtual.measureElement}
              className={css.item}
              style={{ transform: `translateY(${row.start}px)` }}
              aria-setsize={topics.length}
              aria-posinset={row.index + 1}
            >
              <TopicRow
                glance={glance}
                room={room.name}
                status={statusOf(glance, standing)}
                isAsked={standing.need.get(id)?.type === "ask"}
                isSelected={selected === id}
                now={now}
              />
            </li>
          );
        })}
      </ul>
    </section>
  );
}

interface RowProps {
  glance: Glance;
  room: string;
  status: string;
  isAsked: boolean;
  isSelected: boolean;
  now: number;
}

const TopicRow = memo(function TopicRow({ glance, room, status, isAsked, isSelected, now }: RowProps) {
  const store = useStore();
  const dwell = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(dwell.current), []);
  const { topic, last, unread } = glance;
  const look = lookOf(status);
  const faces = [
    ...(last && last.sender.kind !== "system" && last.sender.kind !== "agent" ? [last.sender] : []),
    ...glance.agents.map((name) => ({ kind: "agent" as const, name })),
  ];
  const word = status === "idle" || status === "resolved" ? "" : isAsked ? t("state.waiting") : wordOf(status);
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
    <Go
      to={`/r/${encodeURIComponent(room)}/${topic.id}`}
      className={css.row}
      data-selected={isSelected || undefined}
      data-unread={unread > 0 || undefined}
      data-status={status}
      aria-current={isSelected ? "page" : undefined}
      onPointerEnter={() => {
        dwell.current = setTimeout(() => store.openTopic(topic.id).catch(ignorePassing), DWELL);
      }}
      onPointerLeave={() => clearTimeout(dwell.current)}
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
    </Go>
  );
});

function RoomSwitch({ room }: { room: Room }) {
  const rooms = useSelect((state) => state.desk.rooms);
  const topics = useSelect((state) => state.desk.topics);
  const navigate = useNavigate();
  const open = useMenu();
  const choices = (): Choice[] => [
    ...roomsOf({ rooms, topics }).map(({ room: one, unread }) => ({
      label: one.name,
      after: <Count of={unread} />,
      act: () => void navigate({ to: "/r/$room", params: { room: one.name } }),
    })),
    "line",
    { label: t("nav.settings"), act: () => void navigate({ to: "/settings" }) },
  ];
  return (
    <button
      type="button"
      className={css.switch}
      aria-haspopup="menu"
      onClick={(event) => open(event.currentTarget, choices(), { position: "bottom-start" })}
    >
      <Hash size={18} aria-hidden />
      {room.name}
      <ChevronDown size={16} aria-hidden />
    </button>
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
