import { ChevronDown, Pin, X } from "lucide-react";
import { type DragEvent, type KeyboardEvent, type MouseEvent, useEffect, useRef, useState } from "react";
import type { TabKeeper } from "../state/tab-keeper";
import type { Tab } from "../state/tabs";
import { t } from "../text/text";
import { IconButton } from "../ui/icon-button";
import { type Choice, type Look, useMenu } from "../ui/menus";
import { lookOf, StateIcon, wordOf } from "../ui/state";
import { useTabKeeper, useTabs } from "../ui/tabs";
import { copy } from "./copy";
import { Amber } from "./sidebar";
import { type Label, useLabels } from "./tab-labels";
import css from "./tab-strip.module.css";

/** The open tabs over the main pane: links to pages, of which one is the current one. */
export function TabStrip() {
  const keeper = useTabKeeper();
  const { open, active, closed } = useTabs();
  const labels = useLabels(open);
  const menu = useMenu();
  const list = useRef<HTMLUListElement>(null);
  const [lifted, setLifted] = useState<string | null>(null);
  const [said, say] = useState("");

  useEffect(() => {
    const here = list.current?.querySelector(`[data-tab="${CSS.escape(active)}"]`);
    here?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [active]);

  const move = (tab: Tab, to: number) => {
    keeper.move(tab.id, to);
    const { open } = keeper.get();
    say(t("tabs.movedTo", { n: open.findIndex((one) => one.id === tab.id) + 1, all: open.length }));
  };
  // The focus goes to where the page is now: what had it is gone.
  const close = (tab: Tab) => {
    const hadFocus = list.current?.contains(document.activeElement) ?? false;
    keeper.close(tab.id);
    if (!hadFocus) return;
    requestAnimationFrame(() => {
      const here = list.current?.querySelector<HTMLElement>("[aria-current]");
      (here ?? document.getElementById("main"))?.focus();
    });
  };
  const choicesOf = (tab: Tab, at: number): (Choice | false)[] => [
    { label: t(tab.isPinned ? "tabs.unpin" : "tabs.pin"), act: () => keeper.pin(tab.id, !tab.isPinned) },
    at > 0 && open[at - 1]?.isPinned === tab.isPinned && { label: t("tabs.left"), act: () => move(tab, at - 1) },
    open[at + 1]?.isPinned === tab.isPinned && { label: t("tabs.right"), act: () => move(tab, at + 1) },
    "line",
    { label: t("topic.copyLink"), act: () => copy(new URL(tab.href, location.href).href) },
    "line",
    open.length > 1 && { label: t("tabs.close"), act: () => close(tab) },
    open.length > 1 && { label: t("tabs.closeOthers"), act: () => keeper.closeOthers(tab.id) },
    closed.length > 0 && { label: t("tabs.reopen"), act: () => keeper.reopen() },
  ];
  const all = (): (Choice | false)[] => [
    ...open.map((tab, at) => ({
      key: tab.id,
      label: [labels[at]?.title, labels[at]?.about].filter(Boolean).join(" · "),
      act: () => keeper.choose(tab),
    })),
    closed.length > 0 && "line",
    closed.length > 0 && { label: t("tabs.reopen"), act: () => keeper.reopen() },
  ];
  // It makes room while it is dragged: half over another one it has that one's place.
  const drag = (event: DragEvent<HTMLElement>, at: number) => {
    const from = open.findIndex((one) => one.id === lifted);
    const tab = open[from];
    if (!tab) return;
    event.preventDefault();
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const isPast = (event.clientX - left) * Math.sign(at - from) > (width / 2) * Math.sign(at - from);
    if (at !== from && isPast) move(tab, at);
  };

  return (
    <nav className={css.strip} aria-label={t("tabs.label")} data-region>
      <ul className={css.list} ref={list} onWheel={(event) => scrollAcross(event.currentTarget, event)}>
        {open.map((tab, at) => {
          const label = labels[at];
          return (
            label && (
              <Shown
                key={tab.id}
                tab={tab}
                label={label}
                isHere={tab.id === active}
                isLifted={tab.id === lifted}
                mayClose={open.length > 1}
                keeper={keeper}
                onClose={() => close(tab)}
                onMove={(by) => move(tab, at + by)}
                onMenu={(anchor, point) => menu(anchor, choicesOf(tab, at), { point })}
                onLift={(isUp) => setLifted(isUp ? tab.id : null)}
                onDragOver={(event) => drag(event, at)}
              />
            )
          );
        })}
      </ul>
      <IconButton
        label={t("tabs.all")}
        onClick={(event) => menu(event.currentTarget, all(), { position: "bottom-end" })}
        aria-haspopup="menu"
      >
        <ChevronDown size={16} aria-hidden />
      </IconButton>
      <span className="sr" role="status">
        {said}
      </span>
    </nav>
  );
}

interface Props {
  tab: Tab;
  label: Label;
  isHere: boolean;
  isLifted: boolean;
  mayClose: boolean;
  keeper: TabKeeper;
  onClose: () => void;
  onMove: (by: number) => void;
  onMenu: (anchor: HTMLElement, point: Look["point"]) => void;
  onLift: (isUp: boolean) => void;
  onDragOver: (event: DragEvent<HTMLElement>) => void;
}

function Shown({ tab, label, isHere, isLifted, mayClose, keeper, ...acts }: Props) {
  const { title, about, status, unread, asked, isGone, icon: Icon } = label;
  const isCloseable = mayClose && !tab.isPinned;
  const onClick = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    keeper.choose(tab);
  };
  const onAuxClick = (event: MouseEvent) => {
    if (event.button !== 1) return;
    event.preventDefault();
    if (isCloseable) acts.onClose();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    if (event.key === "Delete" && isCloseable) acts.onClose();
    else if (by !== 0 && event.ctrlKey && event.shiftKey) acts.onMove(by);
    else if (by !== 0 && !event.ctrlKey && !event.altKey && !event.metaKey) focusBeside(event.currentTarget, by);
    else return;
    event.preventDefault();
  };
  const onContextMenu = (event: MouseEvent<HTMLElement>) => {
    event.preventDefault();
    acts.onMenu(event.currentTarget, event.button === 2 ? { x: event.clientX, y: event.clientY } : undefined);
  };
  return (
    <li
      className={css.tab}
      data-tab={tab.id}
      data-here={isHere || undefined}
      data-pinned={tab.isPinned || undefined}
      data-unread={unread > 0 || undefined}
      data-gone={isGone || undefined}
      data-lifted={isLifted || undefined}
      draggable
      onDragStart={(event) => {
        event.dataTransfer.effectAllowed = "copyMove";
        event.dataTransfer.setData("text/uri-list", new URL(tab.href, location.href).href);
        acts.onLift(true);
      }}
      onDragEnd={() => acts.onLift(false)}
      onDragOver={acts.onDragOver}
      onDrop={(event) => event.preventDefault()}
    >
      <a
        href={tab.href}
        className={css.link}
        draggable={false}
        aria-current={isHere ? "page" : undefined}
        title={[title, about].filter(Boolean).join(" · ")}
        onClick={onClick}
        onAuxClick={onAuxClick}
        onKeyDown={onKeyDown}
        onContextMenu={onContextMenu}
      >
        {status === "" || status === "resolved" ? (
          <Icon size={14} className={css.plain} aria-hidden />
        ) : (
          <StateIcon look={lookOf(status)} />
        )}
        <span className={css.title}>{title}</span>
        {isGone && <span className="sr">{t("tabs.gone")}</span>}
        {tab.isPinned && <span className="sr">{t("tabs.pinned")}</span>}
        {status !== "" && <span className="sr">{wordOf(status)}</span>}
        {unread > 0 && <span className="sr">{t("nav.unread", { n: unread })}</span>}
        {status !== "waiting" && <Amber count={asked} />}
        {unread > 0 && <i className={css.dot} aria-hidden />}
        {tab.isPinned && <Pin size={12} className={css.plain} aria-hidden />}
      </a>
      {isCloseable && (
        <button
          type="button"
          className={css.close}
          tabIndex={-1}
          aria-label={t("tabs.closeOne", { title })}
          title={t("tabs.close")}
          onClick={acts.onClose}
        >
          <X size={14} aria-hidden />
        </button>
      )}
    </li>
  );
}

/** A wheel that goes up and down moves the strip, which has only a left and a right. */
function scrollAcross(list: HTMLElement, { deltaX, deltaY }: { deltaX: number; deltaY: number }): void {
  if (deltaX === 0) list.scrollLeft += deltaY;
}

function focusBeside(link: EventTarget & Element, by: number): void {
  const tab = link.closest("li");
  const next = by < 0 ? tab?.previousElementSibling : tab?.nextElementSibling;
  next?.querySelector("a")?.focus();
}
