import { useState } from "react";
import { matching, type Trigger } from "../state/suggest";
import { type TextKey, t } from "../text/text";
import { Face } from "../ui/face";
import type { Mentionable } from "../wire/contract";
import css from "./suggestions.module.css";

const COMMANDS = ["help", "new", "stop", "plan", "model", "effort", "status"] as const;

export interface Suggestion {
  value: string;
  about: string;
  kind: "user" | "agent" | "command";
}

export interface Given {
  items: readonly Suggestion[];
  index: number;
  onKey: (event: React.KeyboardEvent, pick: (value: string) => void) => boolean;
}

/** What could be meant by `@na` or `/na`, chosen by arrows and taken by Enter or Tab. */
export function useSuggestions(given: {
  trigger: Trigger | null;
  names: readonly Mentionable[];
  isClosed: boolean;
}): Given {
  const { trigger, names, isClosed } = given;
  const [chosen, setChosen] = useState(0);
  const [dismissed, setDismissed] = useState<number | null>(null);
  const items = trigger === null || isClosed || dismissed === trigger.start ? [] : itemsFor(trigger, names);
  const index = Math.min(chosen, Math.max(0, items.length - 1));
  const onKey = (event: React.KeyboardEvent, pick: (value: string) => void): boolean => {
    const item = items[index];
    if (!item || event.nativeEvent.isComposing) return false;
    if (event.key === "ArrowDown") setChosen((index + 1) % items.length);
    else if (event.key === "ArrowUp") setChosen((index + items.length - 1) % items.length);
    else if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey) || event.key === "Tab") {
      pick(item.value);
      setChosen(0);
    } else if (event.key === "Escape" && trigger) setDismissed(trigger.start);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  return { items, index, onKey };
}

function itemsFor(trigger: Trigger, names: readonly Mentionable[]): Suggestion[] {
  if (trigger.sign === "@") {
    return matching(names, trigger.word, (one) => one.name).map((one) => ({
      value: one.name,
      about: one.display_name === one.name ? "" : one.display_name,
      kind: one.kind,
    }));
  }
  if (trigger.sign === "/" && !/^\d/.test(trigger.word)) {
    return matching(COMMANDS, trigger.word, (one) => one).map((one) => ({
      value: one,
      about: t(`slash.${one}` as TextKey),
      kind: "command",
    }));
  }
  return [];
}

export function Suggestions({ id, given, onPick }: { id: string; given: Given; onPick: (value: string) => void }) {
  if (given.items.length === 0) return <div id={id} hidden />;
  return (
    <div id={id} className={css.list} role="listbox">
      {given.items.map((item, index) => (
        <div
          key={item.value}
          id={`${id}-${index}`}
          role="option"
          tabIndex={-1}
          aria-selected={index === given.index}
          className={css.item}
          onMouseDown={(event) => {
            event.preventDefault();
            onPick(item.value);
          }}
        >
          {item.kind === "command" ? (
            <span className={css.slash}>/</span>
          ) : (
            <Face kind={item.kind} name={item.value} size={20} />
          )}
          <b>{item.value}</b>
          <small>{item.about}</small>
        </div>
      ))}
    </div>
  );
}
