import { ActionIcon } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useVirtualizer, type VirtualItem } from "@tanstack/react-virtual";
import {
  ArrowDown,
  ChevronLeft,
  CircleCheck,
  EllipsisVertical,
  Link2,
  PanelRight,
  RotateCcw,
  Share2,
} from "lucide-react";
import { startTransition, useDeferredValue, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { promoteTopic } from "../api/tasks";
import { renameTopic, resolveTopic } from "../api/topics";
import { isMine, LIVE } from "../state/desk";
import { heightOf } from "../state/heights";
import { type Item, timelineOf } from "../state/timeline";
import { day, t } from "../text/text";
import { ProjectContext } from "../ui/code-link";
import { Faces } from "../ui/face";
import { PHONE, useLatest, useMayWrite, useMedia, useNow, useSelect, useStore } from "../ui/hooks";
import { Visits } from "../ui/kept-scroll";
import { later } from "../ui/later";
import { type Choice, useMenu } from "../ui/menus";
import { useView } from "../ui/tabs";
import type { Glance, Message, Room } from "../wire/contract";
import { AskCard } from "./ask-card";
import { Composer, type ComposerMode } from "./composer";
import css from "./conversation.module.css";
import { ask } from "./dialogs";
import { MessageRow, NoticeRow, SendingRow } from "./message";
import { RunCard } from "./run-card";
import { TaskChip, useTask } from "./task-chip";
import { tell, tellFailure } from "./tell";
import { nameOf } from "./terminal-name";

const AddLink = later(() => import("./add-link").then((found) => found.default));
const RoomDialog = later(() => import("./room-dialog").then((found) => found.RoomDialog));

const OpenDialog = later(() => import("./terminals").then((found) => found.OpenDialog));

const NONE: readonly never[] = [];
const NEAR_END = 80; // pixels from the end that count as being there
const HAND = 1_500; // milliseconds a wheel or finger keeps the list moving
const OVERSCAN = 6; // rows beyond what is in sight, on each side
const SETTLED = 250; // milliseconds after which they are made
const PADDING = 12; // pixels above the first item
const NEAR_START = 600; // pixels from the beginning at which earlier messages are fetched

/** One topic: what was said and done, and the place to write. */
export function Conversation({ room, glance }: { room: Room; glance: Glance }) {
  const store = useStore();
  const id = glance.topic.id;
  const log = useSelect((state) => state.desk.logs[id]);
  const [mode, setMode] = useState<ComposerMode>({ type: "write" });
  const [failure, setFailure] = useState<Error | null>(null);
  const isConnected = useSelect((state) => state.link.state === "connected");
  // biome-ignore lint/correctness/useExhaustiveDependencies: what could not be had is asked for when the network is back
  useEffect(() => {
    store.openTopic(id).then(() => setFailure(null), setFailure);
  }, [store, id, isConnected]);
  useEffect(() => store.holdTopic(id), [store, id]);
  return (
    <ProjectContext value={room.project}>
      <section className={css.pane} aria-label={glance.topic.title} data-region>
        <Header room={room} glance={glance} />
        {log ? (
          <Log room={room} glance={glance} onMode={setMode} />
        ) : (
          <div className={css.loading}>{failure ? <p role="alert">{failure.message}</p> : <Bars />}</div>
        )}
        <Composer room={room} glance={glance} mode={mode} onMode={setMode} />
      </section>
    </ProjectContext>
  );
}

function Header({ room, glance }: { room: Room; glance: Glance }) {
  const navigate = useNavigate();
  const isPhone = useMedia(PHONE);
  const { run } = useSearch({ strict: false });
  const runs = useSelect((state) => state.desk.runs);
  const { topic } = glance;
  const openMenu = useMenu();
  const [isOpen, setOpen] = useState(false);
  const [isSharing, setSharing] = useState(false);
  const role = useSelect((state) => state.desk.me.role);
  const mayShare = role !== "viewer";
  const newest = useMemo(() => {
    const mine = Object.values(runs).filter((one) => one.topic === topic.id);
    return mine.find((one) => LIVE.has(one.status)) ?? mine.sort((one, other) => other.id - one.id)[0];
  }, [runs, topic.id]);
  const mayWrite = useMayWrite();
  const isResolved = topic.archived_at !== null;
  const task = useTask(topic.id, room.project !== null && !topic.is_default);
  const terminals = useSelect((state) => state.desk.terminals);
  const here = Object.values(terminals).filter((one) => one.topic === topic.id);
  const [isTerminal, setTerminal] = useState(false);
  const resolve = (archived: boolean) =>
    resolveTopic(topic.id, archived).then(() => archived && tell(t("topic.resolvedNow")), tellFailure);
  const rename = async () => {
    const title = await ask({ title: t("topic.rename"), value: topic.title, confirm: t("form.save") });
    if (title) await renameTopic(topic.id, title).catch(tellFailure);
  };
  const copyLink = () =>
    navigator.clipboard
      .writeText(`${location.origin}/r/${room.name}/${topic.id}`)
      .then(() => tell(t("confirm.copied")), tellFailure);
  const showRun = () =>
    void navigate({
      to: ".",
      search: (before: object) => ({ ...before, run: run === undefined ? newest?.id : undefined }),
    } as never);
  const choices = (): (Choice | false)[] => [
    mayWrite && { label: t("topic.rename"), act: () => void rename() },
    { label: t("topic.copyLink"), act: () => void copyLink() },
    mayShare && { label: t("topic.share"), act: () => setSharing(true) },
    mayWrite &&
      !topic.is_default && {
        label: isResolved ? t("topic.reopen") : t("topic.resolve"),
        act: () => void resolve(!isResolved),
      },
    task === null &&
      role !== "viewer" &&
      !isResolved && { label: t("task.promote"), act: () => void promoteTopic(topic.id).catch(tellFailure) },
    "line",
    role !== "viewer" && { label: t("terminal.new"), act: () => setTerminal(true) },
    ...here.map((one) => ({
      label: t("terminal.goTo", { name: nameOf(one) }),
      act: () => void navigate({ to: "/terminals/$id", params: { id: one.id } }),
    })),
    { label: t("room.settings"), act: () => setOpen(true) },
  ];
  return (
    <header className={css.head}>
      {isPhone && (
        <Link to="/r/$room" params={{ room: room.name }} className={css.back} aria-label={t("topic.back")}>
          <ChevronLeft size={22} />
        </Link>
      )}
      {!isPhone && (
        <>
          <button type="button" className={css.crumb} onClick={() => setOpen(true)} title={t("room.settings")}>
            {room.name}
          </button>
          <span aria-hidden className={css.arrow}>
            ›
          </span>
        </>
      )}
      <h1 className={css.title}>
        {mayWrite ? (
          <button type="button" onClick={() => void rename()} title={t("topic.rename")}>
            {topic.title}
          </button>
        ) : (
          topic.title
        )}
      </h1>
      {task && <TaskChip task={task} />}
      {!isPhone && <Faces of={glance.agents.map((name) => ({ kind: "agent", name }))} most={4} />}
      {!isPhone && (
        <ActionIcon data-tip={t("topic.copyLink")} aria-label={t("topic.copyLink")} onClick={() => void copyLink()}>
          <Link2 size={17} />
        </ActionIcon>
      )}
      {!isPhone && mayShare && (
        <ActionIcon data-tip={t("topic.share")} aria-label={t("topic.share")} onClick={() => setSharing(true)}>
          <Share2 size={16} />
        </ActionIcon>
      )}
      {!isPhone && mayWrite && !topic.is_default && (
        <ActionIcon
          data-tip={isResolved ? t("topic.reopen") : t("topic.resolve")}
          aria-label={isResolved ? t("topic.reopen") : t("topic.resolve")}
          onClick={() => void resolve(!isResolved)}
          data-resolve
        >
          {isResolved ? <RotateCcw size={17} /> : <CircleCheck size={17} />}
        </ActionIcon>
      )}
      {newest && (
        <ActionIcon
          data-tip={t("topic.panel")}
          aria-label={t("topic.panel")}
          onClick={showRun}
          data-panel-toggle
          aria-expanded={run !== undefined}
        >
          <PanelRight size={17} />
        </ActionIcon>
      )}
      <ActionIcon
        aria-label={t("topic.more")}
        aria-haspopup="menu"
        onClick={(event) => openMenu(event.currentTarget, choices())}
      >
        <EllipsisVertical size={17} />
      </ActionIcon>
      {isTerminal && <OpenDialog room={room.id} topic={topic.id} onClose={() => setTerminal(false)} />}
      {isOpen && <RoomDialog room={room} onClose={() => setOpen(false)} />}
      {isSharing && <AddLink of={{ room: room.id, topic: topic.id }} onClose={() => setSharing(false)} />}
    </header>
  );
}

function Log({ room, glance, onMode }: { room: Room; glance: Glance; onMode: (mode: ComposerMode) => void }) {
  const store = useStore();
  const id = glance.topic.id;
  const me = useSelect((state) => state.desk.me);
  const log = useSelect((state) => state.desk.logs[id]);
  const allRuns = useSelect((state) => state.desk.runs);
  const allSending = useSelect((state) => state.sending);
  const [readUpTo] = useState(() => (glance.unread > 0 ? glance.read : null));
  const now = useNow(30_000);
  const messages = log?.messages ?? NONE;
  const items = useMemo(
    () =>
      timelineOf({
        messages,
        runs: Object.values(allRuns).filter((run) => run.topic === id),
        sending: allSending.filter((one) => one.topic === id),
        readUpTo,
        isMine: (message) => isMine(me, message),
      }),
    [messages, allRuns, allSending, id, readUpTo, me],
  );
  const isEmpty = items.length === 0;
  const scroller = useRef<HTMLDivElement>(null);
  const columns = useMedia(PHONE) ? 44 : 95;
  const heightAt = (item: Item | undefined) => (item ? heightOf(item, columns) : 0);
  // What is in sight comes first; the rows beyond follow when it is painted.
  const [overscan, setOverscan] = useState(1);
  useEffect(() => {
    const timer = setTimeout(() => startTransition(() => setOverscan(OVERSCAN)), SETTLED);
    return () => clearTimeout(timer);
  }, []);
  const view = useView();
  const [back] = useState(() => placeOf(LEFT.get(view), items, heightAt));
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => heightAt(items[index]),
    getItemKey: (index) => items[index]?.key ?? index,
    // It begins at its end, or where it was left: rows of its beginning would be made only to be thrown away.
    initialOffset: () => back?.offset ?? items.reduce((sum, item) => sum + heightAt(item), 0),
    initialMeasurementsCache: back?.sizes ?? [],
    anchorTo: "end",
    followOnAppend: true,
    scrollEndThreshold: NEAR_END,
    overscan,
    paddingStart: PADDING,
    paddingEnd: 16,
  });
  const rows = useSliced(virtual.getVirtualItems());
  const [isAtEnd, setAtEnd] = useState(back === null);
  const [seen, setSeen] = useState(0);
  const last = messages.at(-1)?.id ?? 0;
  const isLoading = useRef(false);
  const touchedAt = useRef(0);
  const stuck = useRef(back === null);

  // Who is at the end stays there, whatever grows above it: a run's text, a card, an image.
  const total = virtual.getTotalSize();
  // biome-ignore lint/correctness/useExhaustiveDependencies: each new height is what it follows
  useLayoutEffect(() => {
    const box = scroller.current;
    if (box && stuck.current) box.scrollTop = box.scrollHeight;
  }, [total, items.length]);

  // Where it is left; who is at the end comes back to the end.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the list is there once it is not empty
  useLayoutEffect(() => {
    const box = scroller.current;
    if (!box || view === undefined) return;
    return () => {
      const first = virtual.getVirtualItemForOffset(box.scrollTop);
      if (stuck.current || !first) LEFT.delete(view);
      else LEFT.set(view, { key: first.key, shift: box.scrollTop - first.start, sizes: virtual.takeSnapshot() });
    };
  }, [view, virtual, isEmpty]);

  // The field below grows, the panel opens: the same end stays in sight.
  useEffect(() => {
    const box = scroller.current;
    if (!box || isEmpty) return;
    const watch = new ResizeObserver(() => {
      if (stuck.current) box.scrollTop = box.scrollHeight;
    });
    watch.observe(box);
    if (box.firstElementChild) watch.observe(box.firstElementChild);
    return () => watch.disconnect();
  }, [isEmpty]);

  const onScroll = useLatest(() => {
    const box = scroller.current;
    if (!box) return;
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END;
    // Only a person's hand lets go of the end; what grows or is measured moves it for a moment and is followed.
    if (atEnd) stuck.current = true;
    else if (Date.now() - touchedAt.current < HAND) stuck.current = false;
    setAtEnd(atEnd || stuck.current);
    if (atEnd) setSeen(last);
    if (box.scrollTop < NEAR_START && log?.hasOlder && !isLoading.current) {
      isLoading.current = true;
      store
        .loadOlder(id)
        .catch(tellFailure)
        .finally(() => {
          isLoading.current = false;
        });
    }
  });

  // What is at the end of a window somebody looks at has been read.
  useEffect(() => {
    if (!isAtEnd || last === 0) return;
    setSeen(last);
    const mark = () => document.visibilityState === "visible" && document.hasFocus() && store.markRead(id, last);
    mark();
    window.addEventListener("focus", mark);
    document.addEventListener("visibilitychange", mark);
    return () => {
      window.removeEventListener("focus", mark);
      document.removeEventListener("visibilitychange", mark);
    };
  }, [isAtEnd, last, id, store]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the list is there once it is not empty
  useEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const touch = () => {
      touchedAt.current = Date.now();
    };
    const ways = ["wheel", "touchmove", "pointerdown", "keydown"] as const;
    for (const way of ways) box.addEventListener(way, touch, { passive: true });
    return () => {
      for (const way of ways) box.removeEventListener(way, touch);
    };
  }, [isEmpty]);

  const below = messages.filter((message) => message.id > seen && !isMine(me, message)).length;
  // A link to one message: what lies before it is fetched until it is there, then it is shown.
  const { message: wanted } = useSearch({ strict: false });
  const shown = useRef<number | null>(back && wanted !== undefined ? wanted : null);
  useEffect(() => {
    if (wanted === undefined || shown.current === wanted) return;
    const index = items.findIndex((item) => idsOf(item).includes(wanted));
    if (index < 0) {
      if (log?.hasOlder && (messages[0]?.id ?? 0) > wanted) store.loadOlder(id).catch(tellFailure);
      return;
    }
    shown.current = wanted;
    stuck.current = false;
    virtual.scrollToIndex(index, { align: "center" });
  }, [wanted, items, log?.hasOlder, messages, id, store, virtual]);

  const toEnd = () => {
    stuck.current = true;
    virtual.scrollToIndex(items.length - 1, { align: "end" });
  };

  if (isEmpty) return <Empty />;
  return (
    <div className={css.logBox}>
      <div
        ref={scroller}
        className={css.log}
        role="log"
        aria-label={t("topic.log", { topic: glance.topic.title })}
        onScroll={onScroll}
        tabIndex={0}
      >
        <div className={css.sizer} style={{ height: total }}>
          {rows.map((row) => {
            const item = items[row.index];
            if (!item) return null;
            return (
              <div
                key={row.key}
                data-index={row.index}
                ref={virtual.measureElement}
                className={css.slot}
                data-wanted={(wanted !== undefined && idsOf(item).includes(wanted)) || undefined}
                style={{ transform: `translateY(${row.start}px)` }}
              >
                <Row item={item} room={room} now={now} onMode={onMode} isFirst={row.index === 0 && !log?.hasOlder} />
              </div>
            );
          })}
        </div>
      </div>
      {!isAtEnd && (
        <button type="button" className={css.toEnd} onClick={toEnd} data-new={below > 0 || undefined}>
          <ArrowDown size={15} aria-hidden />
          {below > 0 ? t("topic.newerBelow", { n: below }) : t("topic.toEnd")}
        </button>
      )}
    </div>
  );
}

let isWarm = false;

/**
 * The rows of the first topic of a page are drawn in slices, between which the page answers: all code runs for the first
 * time then, and takes ten times as long. Later ones are drawn at once.
 */
function useSliced<T>(rows: readonly T[]): readonly T[] {
  const deferred = useDeferredValue(rows);
  const [isSliced, setSliced] = useState(!isWarm);
  const isDrawn = deferred.length > 0;
  useEffect(() => {
    if (!isDrawn) return;
    isWarm = true;
    setSliced(false);
  }, [isDrawn]);
  return isSliced ? deferred : rows;
}

/** Where somebody left a topic: the item at the top, how much of it was out of sight in pixels, and the sizes of all. */
interface Left {
  key: VirtualItem["key"];
  shift: number;
  sizes: VirtualItem[];
}

const LEFT = new Visits<Left>();

/** How far down that is among the items there are now; null where the item is not among them. */
function placeOf(
  left: Left | undefined,
  items: readonly Item[],
  heightAt: (item: Item) => number,
): { offset: number; sizes: VirtualItem[] } | null {
  const at = left ? items.findIndex((item) => item.key === left.key) : -1;
  if (!left || at < 0) return null;
  const known = new Map(left.sizes.map((one) => [one.key, one.size]));
  const above = items.slice(0, at).map((item) => known.get(item.key) ?? heightAt(item));
  return { offset: above.reduce((sum, size) => sum + size, PADDING + left.shift), sizes: left.sizes };
}

/** Messages an item shows. */
function idsOf(item: Item): readonly number[] {
  if (item.type === "message") return [item.message.id];
  return item.type === "run" && item.words ? [item.words.id] : [];
}

interface RowProps {
  item: Item;
  room: Room;
  now: number;
  onMode: (mode: ComposerMode) => void;
  isFirst: boolean;
}

function Row({ item, room, now, onMode }: RowProps) {
  switch (item.type) {
    case "day":
      return (
        <div className={css.day}>
          <span>{day(item.at, now)}</span>
        </div>
      );
    case "unread":
      return (
        <div className={css.unread}>
          <span>{t("topic.unreadFrom")}</span>
        </div>
      );
    case "run":
      return <RunCard run={item.run} words={item.words} room={room} isJoined={item.isJoined} onMode={onMode} />;
    case "sending":
      return <SendingRow sending={item.sending} />;
    case "message":
      return <Said message={item.message} isJoined={item.isJoined} room={room} onMode={onMode} />;
  }
}

function Said({
  message,
  isJoined,
  room,
  onMode,
}: {
  message: Message;
  isJoined: boolean;
  room: Room;
  onMode: (mode: ComposerMode) => void;
}) {
  if (message.card?.type === "interaction") return <AskCard message={message} />;
  if (message.kind !== "text") return <NoticeRow message={message} />;
  return <MessageRow message={message} room={room} isJoined={isJoined} onMode={onMode} />;
}

function Empty() {
  return (
    <div className={css.empty}>
      <span className={css.mark} aria-hidden>
        p
      </span>
      <strong>{t("topic.empty")}</strong>
      <p>{t("topic.emptyHint")}</p>
    </div>
  );
}

function Bars() {
  return (
    <div className={css.bars} aria-label={t("app.loading")} role="status">
      {[62, 80, 44, 70].map((width) => (
        <i key={width} style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}
