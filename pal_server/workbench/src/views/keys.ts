import { useNavigate, useParams, useRouterState, useSearch } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { resolveTopic } from "../api/topics";
import { TABS } from "../routes";
import { roomNamed, topicsOf } from "../state/glances";
import { useLatest, useStore } from "../ui/hooks";
import { isWriting } from "../ui/keys";
import { useTabKeeper } from "../ui/tabs";
import { PLACES, SETTINGS, WALL } from "./places";
import { tellFailure } from "./tell";
import { useNewTopic } from "./topics";

interface Acts {
  openPalette: () => void;
  openHelp: () => void;
  toggleRail: () => void;
}

/** After G; T goes to the topics of the room. */
const GO: Readonly<Record<string, string>> = {
  ...Object.fromEntries([...PLACES, SETTINGS, WALL].map((place) => [place.key, place.to])),
  t: "",
};
const SEQUENCE = 1_200; // milliseconds between the keys of a sequence

/** The keys that work everywhere. Single ones act outside of text fields alone, and not where somebody turned them off. */
export function useKeys(acts: Acts): void {
  const store = useStore();
  const navigate = useNavigate();
  const { room: roomName, topic } = useParams({ strict: false });
  const search = useSearch({ strict: false });
  const path = useRouterState({ select: (state) => state.location.pathname });
  const { desk } = store.get();
  const room = roomName ? roomNamed(desk, roomName) : Object.values(desk.rooms)[0];
  const newTopic = useNewTopic(room);
  const tabs = useTabKeeper();
  /** The first key of a sequence, and when it was pressed. */
  const begun = useRef({ key: "", at: 0 });

  const goTo = (to: string) => void navigate({ to } as never);
  const goToTopic = (id: number) => {
    const glance = store.get().desk.topics[id];
    const name = glance && store.get().desk.rooms[glance.topic.room]?.name;
    if (name) void navigate({ to: "/r/$room/$topic", params: { room: name, topic: String(id) } });
  };

  const onKey = useLatest((event: KeyboardEvent) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      acts.openPalette();
      return;
    }
    if (event.ctrlKey && event.key === "`") {
      event.preventDefault();
      const here = Number(topic ?? room?.default_topic);
      const open = Object.values(store.get().desk.terminals).find((one) => one.topic === here);
      void navigate(open ? { to: "/terminals/$id", params: { id: open.id } } : { to: "/terminals" });
      return;
    }
    if (event.key === "F6") {
      event.preventDefault();
      nextRegion(event.shiftKey ? -1 : 1);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
    if (document.querySelector("[role=dialog]") || !store.get().desk.preferences.single_keys) return;
    if (single(event)) event.preventDefault();
  });

  const single = (event: KeyboardEvent): boolean => {
    const now = store.get().desk;
    const { key: first, at: begunAt } = begun.current;
    begun.current = { key: "", at: 0 };
    if (first === "t" && Date.now() - begunAt < SEQUENCE) {
      if (!/^[1-9]$/.test(event.key)) return false;
      tabs.number(Number(event.key));
      return true;
    }
    if (first === "g" && Date.now() - begunAt < SEQUENCE) {
      const place = GO[event.key.toLowerCase()];
      if (place === undefined) return false;
      goTo(place || `/r/${room?.name ?? "general"}`);
      return true;
    }
    switch (event.key) {
      case "g":
      case "t":
        begun.current = { key: event.key, at: Date.now() };
        return true;
      case "h":
        tabs.step(-1);
        return true;
      case "l":
        tabs.step(1);
        return true;
      case "x":
        tabs.closeShown();
        return true;
      case "X":
        tabs.reopen();
        return true;
      case "/":
        acts.openPalette();
        return true;
      case "?":
        acts.openHelp();
        return true;
      case "[":
        acts.toggleRail();
        return true;
      case "]":
        document.querySelector<HTMLElement>("[data-panel-toggle]")?.click();
        return true;
      case "c": {
        const page = document.querySelector<HTMLElement>("[data-new]"); // a page has something of its own to begin
        if (page) page.click();
        else newTopic();
        return true;
      }
      case "r":
        document.querySelector<HTMLElement>("[data-composer]")?.focus();
        return true;
      case "e":
        if (topic && !now.topics[Number(topic)]?.topic.is_default) resolveTopic(Number(topic), true).catch(tellFailure);
        return true;
      case "n": {
        const next = Object.values(now.topics)
          .filter((one) => one.unread > 0 && one.topic.id !== Number(topic))
          .sort((one, other) => (other.last?.at ?? 0) - (one.last?.at ?? 0))[0];
        if (next) goToTopic(next.topic.id);
        return true;
      }
      case "j":
      case "k": {
        if (!path.startsWith("/r/") || !room) return false;
        const ids = topicsOf(now, room.id, "all").map((one) => one.topic.id);
        const at = ids.indexOf(Number(topic ?? room.default_topic));
        const next = ids[at + (event.key === "j" ? 1 : -1)];
        if (next !== undefined) goToTopic(next);
        return true;
      }
      case "a":
      case "d": {
        const card = chosenCard();
        card?.querySelector<HTMLElement>(`[data-answer="${event.key === "a" ? "allow" : "deny"}"]`)?.click();
        return card !== null;
      }
      case ".":
      case ">":
        document.querySelector<HTMLElement>("[data-stop]")?.click();
        return true;
      case "Escape":
        if (search.run !== undefined) {
          void navigate({
            to: ".",
            search: (before: object) => ({ ...before, run: undefined, tab: undefined }),
          } as never);
          return true;
        }
        return false;
      default: {
        const tab = TABS[Number(event.key) - 1];
        if (!tab || search.run === undefined) return false;
        void navigate({ to: ".", search: (before: object) => ({ ...before, tab }) } as never);
        return true;
      }
    }
  };

  useEffect(() => {
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [onKey]);
}

/** The card that has the focus or is chosen; where a screen shows only one, that one. */
function chosenCard(): HTMLElement | null {
  const focused = document.activeElement?.closest<HTMLElement>("[data-ask][data-kind]");
  if (focused) return focused;
  const chosen = document.querySelector<HTMLElement>("[data-ask][data-kind][data-chosen]");
  if (chosen) return chosen;
  const all = document.querySelectorAll<HTMLElement>("[data-ask][data-kind]");
  return all.length === 1 ? (all[0] ?? null) : null;
}

function nextRegion(step: number): void {
  const regions = [...document.querySelectorAll<HTMLElement>("[data-region]")].filter(
    (one) => one.offsetParent !== null,
  );
  const at = regions.findIndex((one) => one.contains(document.activeElement));
  const next = regions[(at + step + regions.length) % regions.length];
  if (!next) return;
  next.tabIndex = -1;
  next.focus();
}
