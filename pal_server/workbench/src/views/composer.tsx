import { ActionIcon, Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { ArrowUp, AtSign, Bookmark, ChevronDown, History, NotebookPen, Paperclip, Slash, X } from "lucide-react";
import { useCallback, useEffect, useId, useMemo, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { saveForLater, writeDraft } from "../api/desk";
import { editMessage } from "../api/messages";
import { mentionables, resolveTopic } from "../api/topics";
import { isMine, LIVE } from "../state/desk";
import type { Steer } from "../state/outbox";
import { NOTHING_RECALLED, recalled, textOf } from "../state/recall";
import { ignorePassing, type State } from "../state/store";
import { complete, triggerAt } from "../state/suggest";
import { type TextKey, t } from "../text/text";
import { useLatest, useSelect, useStore } from "../ui/hooks";
import { MOD } from "../ui/keys";
import { later } from "../ui/later";
import { useMenu } from "../ui/menus";
import type { Glance, Mentionable, Message, Room } from "../wire/contract";
import { upload } from "../wire/request";
import css from "./composer.module.css";
import { Queue } from "./queue";
import { Suggestions, useSuggestions } from "./suggestions";
import { tell, tellFailure } from "./tell";

const Past = later(() => import("./past").then((found) => found.Past));
const Prompts = later(() => import("./prompts").then((found) => found.Prompts));

export type ComposerMode = { type: "write" } | { type: "reply"; to: Message } | { type: "edit"; message: Message };

interface Props {
  room: Room;
  glance: Glance;
  mode: ComposerMode;
  onMode: (mode: ComposerMode) => void;
}

const DRAFT_PAUSE = 700; // milliseconds without a key after which the server gets the draft
const STEERS: readonly Steer[] = ["queue", "steer", "interrupt"];

/** The one place to write. What is in it survives reload, other tabs and a server that is away. */
export function Composer({ room, glance, mode, onMode }: Props) {
  const store = useStore();
  const { id, archived_at } = glance.topic;
  const draft = useSelect((state) => state.desk.drafts[id]);
  const preferences = useSelect((state) => state.desk.preferences);
  const role = useSelect((state) => state.desk.me.role);
  const [text, setText] = useState(() => localStorage.getItem(keptName(id)) ?? draft?.content ?? "");
  const [cursor, setCursor] = useState(0);
  const [files, setFiles] = useState<readonly { id: string; name: string }[]>([]);
  const [storing, setStoring] = useState<readonly string[]>([]);
  const [over, setOver] = useState<"past" | "prompts" | null>(null);
  const [recall, setRecall] = useState(NOTHING_RECALLED);
  const field = useRef<HTMLTextAreaElement>(null);
  const list = useId();
  const { data: names = [] } = useQuery({
    queryKey: ["mentionables", room.id],
    queryFn: () => mentionables(room.id),
    staleTime: 60_000,
  });
  const steer = useSteer(room, id);
  const openMenu = useMenu();
  const trigger = triggerAt(text, cursor);
  const agent = useMemo(() => folderOf(text, names, glance.run?.agent ?? null), [text, names, glance.run?.agent]);
  const suggestions = useSuggestions({ trigger, names, topic: id, agent, isClosed: mode.type === "edit" });

  useEffect(() => {
    if (mode.type === "edit") setText(mode.message.content);
    if (mode.type !== "write") field.current?.focus();
  }, [mode]);

  // Written here at once, so nothing is lost; on the server soon, or when one leaves, so that other browsers have it.
  const unwritten = useRef<string | null>(null);
  const write = useCallback(() => {
    if (unwritten.current !== null) writeDraft(id, unwritten.current).catch(ignorePassing);
    unwritten.current = null;
  }, [id]);
  useEffect(() => {
    if (mode.type === "edit") return;
    const isKnown = text === (store.get().desk.drafts[id]?.content ?? "");
    if (text && !isKnown) localStorage.setItem(keptName(id), text);
    else localStorage.removeItem(keptName(id));
    unwritten.current = isKnown ? null : text;
    const timer = setTimeout(write, DRAFT_PAUSE);
    return () => clearTimeout(timer);
  }, [text, id, mode.type, store, write]);
  useEffect(() => write, [write]);

  // Another browser of this person has written on; while this one is being written in, its words stay.
  const isBegun = useRef(false);
  useEffect(() => {
    const content = draft?.content ?? "";
    if (localStorage.getItem(keptName(id)) === content) localStorage.removeItem(keptName(id));
    const isHere = document.activeElement === field.current && document.hasFocus();
    if (isBegun.current && unwritten.current === null && !isHere && mode.type !== "edit") setText(content);
    isBegun.current = true;
  }, [draft?.content, id, mode.type]);

  useEffect(() => {
    const box = field.current;
    if (!box) return;
    box.style.height = "auto";
    if (!text) return; // one line is its height anyway; to ask for it would lay out the whole page before its first paint
    box.style.height = `${Math.min(box.scrollHeight, 8 * 24 + 8)}px`;
  }, [text]);

  const insert = useLatest((value: string) => {
    const at = field.current?.selectionStart ?? text.length;
    const space = at > 0 && !/\s$/.test(text.slice(0, at)) ? " " : "";
    change(text.slice(0, at) + space + value + text.slice(at), at + space.length + value.length);
  });

  // At once, not in the next frame: by then the person may have typed on, and the cursor would go back behind that.
  const change = (next: string, at: number) => {
    flushSync(() => {
      setText(next);
      setCursor(at);
    });
    field.current?.focus();
    field.current?.setSelectionRange(at, at);
  };

  /** What was chosen in a dialog, which holds the focus until it is gone. */
  const take = (content: string) => {
    setOver(null);
    change(content, content.length);
    requestAnimationFrame(() => field.current?.focus());
  };

  const pick = (inserted: string) => {
    if (!trigger) return;
    const done = complete(text, cursor, trigger, inserted);
    change(done.text, done.cursor);
  };

  /** As in a shell: what was sent before, one after the other; what is changed then is a new message. */
  const goBack = (step: 1 | -1): boolean => {
    const from = recall.at >= 0 ? recall : { texts: sentBefore(store.get(), id), at: -1 };
    const next = recalled(from, step);
    if (next === from) return false;
    setRecall(next);
    change(textOf(next), textOf(next).length);
    return true;
  };

  const clear = () => {
    setText("");
    setFiles([]);
    setCursor(0);
    setRecall(NOTHING_RECALLED);
    onMode({ type: "write" });
  };

  const send = () => {
    const content = text.trim();
    if (mode.type === "edit") {
      if (content) editMessage(mode.message.id, content).then(clear, tellFailure);
      return;
    }
    if ((!content && files.length === 0) || storing.length > 0) return;
    const parent = mode.type === "reply" ? mode.to.id : null;
    store.send({ room: room.id, topic: id, parent, content: text, files, steer: steer.isShown ? steer.chosen : null });
    clear();
  };

  const attach = (chosen: Iterable<File>) => {
    for (const file of chosen) {
      setStoring((before) => [...before, file.name]);
      upload(file, { room: room.id })
        .then(
          ({ artifact }) => setFiles((before) => [...before, { id: artifact.id, name: artifact.name }]),
          tellFailure,
        )
        .finally(() => setStoring((before) => before.filter((name) => name !== file.name)));
    }
  };

  const onKeyDown = (event: React.KeyboardEvent) => {
    if (suggestions.onKey(event, pick)) return;
    if (event.key === "Enter" && !event.nativeEvent.isComposing) {
      const isMod = event.ctrlKey || event.metaKey;
      if (isMod || (preferences.enter_sends && !event.shiftKey)) {
        event.preventDefault();
        send();
      }
    } else if (event.key === "Escape") {
      if (mode.type !== "write") clear();
      else field.current?.blur();
      event.stopPropagation();
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      const isRecalled = recall.at >= 0 && text === textOf(recall);
      if (mode.type === "edit" || event.shiftKey || (text !== "" && !isRecalled)) return;
      if (goBack(event.key === "ArrowUp" ? 1 : -1)) event.preventDefault();
    }
  };

  useDropped(role === "viewer" || archived_at !== null ? null : attach);

  if (role === "viewer") return <p className={css.closed}>{t("composer.viewer")}</p>;
  if (archived_at !== null) {
    return (
      <p className={css.closed}>
        {t("composer.resolved")}
        <Button onClick={() => void resolveTopic(id, false).catch(tellFailure)}>{t("topic.reopen")}</Button>
      </p>
    );
  }
  return (
    <div className={css.place}>
      <Queue
        topic={id}
        onUse={(content) => change(content, content.length)}
        onEdit={(message) => onMode({ type: "edit", message })}
      />
      <form
        className={css.box}
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <Suggestions id={list} given={suggestions} onPick={pick} />
        {mode.type !== "write" && (
          <div className={css.about}>
            <span>
              {mode.type === "reply"
                ? t("composer.replying", { name: mode.to.sender.display_name || mode.to.sender.name })
                : t("composer.editing")}
            </span>
            <ActionIcon
              size={22}
              aria-label={mode.type === "reply" ? t("composer.cancelReply") : t("composer.cancel")}
              onClick={clear}
            >
              <X size={14} />
            </ActionIcon>
          </div>
        )}
        <textarea
          ref={field}
          data-composer
          rows={1}
          value={text}
          placeholder={t("composer.placeholder")}
          aria-label={t("composer.label")}
          role="combobox"
          aria-expanded={suggestions.items.length > 0}
          aria-controls={list}
          aria-autocomplete="list"
          aria-activedescendant={suggestions.items.length > 0 ? `${list}-${suggestions.index}` : undefined}
          onChange={(event) => {
            setText(event.currentTarget.value);
            setCursor(event.currentTarget.selectionStart);
          }}
          onSelect={(event) => setCursor(event.currentTarget.selectionStart)}
          onKeyDown={onKeyDown}
          onPaste={(event) => {
            if (event.clipboardData.files.length > 0) {
              event.preventDefault();
              attach(event.clipboardData.files);
            }
          }}
        />
        {(files.length > 0 || storing.length > 0) && (
          <ul className={css.files}>
            {files.map((file) => (
              <li key={file.id}>
                {file.name}
                <button
                  type="button"
                  aria-label={t("composer.removeFile", { name: file.name })}
                  onClick={() => setFiles(files.filter((one) => one.id !== file.id))}
                >
                  <X size={13} aria-hidden />
                </button>
              </li>
            ))}
            {storing.map((name) => (
              <li key={name}>{t("composer.uploading", { name })}</li>
            ))}
          </ul>
        )}
        <div className={css.bar}>
          <Attach onFiles={attach} />
          <Tool name="composer.mention" onClick={() => insert("@")}>
            <AtSign size={17} />
          </Tool>
          <Tool name="composer.command" onClick={() => insert("/")}>
            <Slash size={15} />
          </Tool>
          <Tool name="prompts.title" onClick={() => setOver("prompts")}>
            <NotebookPen size={16} />
          </Tool>
          <Tool name="composer.history" onClick={() => setOver("past")}>
            <History size={16} />
          </Tool>
          {text.trim() !== "" && mode.type === "write" && (
            <Tool
              name="composer.later"
              onClick={() =>
                void saveForLater(id, text).then(() => {
                  clear();
                  tell(t("composer.saved"));
                }, tellFailure)
              }
            >
              <Bookmark size={16} />
            </Tool>
          )}
          <span className={css.space} />
          {steer.isShown && mode.type !== "edit" && (
            <Button
              variant="subtle"
              rightSection={<ChevronDown size={14} />}
              aria-label={`${t("composer.how")}: ${steer.word(steer.chosen)}`}
              aria-haspopup="menu"
              className={css.steer ?? ""}
              onClick={(event) =>
                openMenu(
                  event.currentTarget,
                  steer.possible.map((one) => ({ label: steer.word(one), act: () => steer.choose(one) })),
                  { position: "top-end" },
                )
              }
            >
              {steer.word(steer.chosen)}
            </Button>
          )}
          <button
            type="submit"
            className={css.send}
            aria-label={mode.type === "edit" ? t("composer.save") : t("composer.send")}
            aria-keyshortcuts={preferences.enter_sends ? "Enter" : "Control+Enter"}
            data-tip={`${preferences.enter_sends ? "Enter" : `${MOD} Enter`} ${t("composer.sendHint")}`}
            disabled={text.trim() === "" && files.length === 0}
          >
            <ArrowUp size={17} aria-hidden />
          </button>
        </div>
      </form>
      {over === "past" && <Past topic={id} onClose={() => setOver(null)} onPick={take} />}
      {over === "prompts" && <Prompts written={text} onClose={() => setOver(null)} onPick={take} />}
    </div>
  );
}

/** Files dropped anywhere on the screen are for what is written; a browser would leave the client to show them. */
function useDropped(take: ((files: Iterable<File>) => void) | null): void {
  const drop = useLatest((event: DragEvent) => {
    const files = event.dataTransfer?.files;
    if (!files || files.length === 0) return;
    event.preventDefault();
    take?.(files);
  });
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
    };
    document.addEventListener("dragover", over);
    document.addEventListener("drop", drop);
    return () => {
      document.removeEventListener("dragover", over);
      document.removeEventListener("drop", drop);
    };
  }, [drop]);
}

/** What a message does to the run that is at work in the topic, as far as its program can. */
function useSteer(room: Room, topic: number) {
  const runs = useSelect((state) => state.desk.runs);
  const agents = useSelect((state) => state.desk.agents);
  const computers = useSelect((state) => state.desk.computers);
  const [picked, setPicked] = useState<Steer | null>(null);
  const live = useMemo(
    () => Object.values(runs).find((run) => run.topic === topic && LIVE.has(run.status)),
    [runs, topic],
  );
  const runtime = live ? agents[live.agent]?.runtime : undefined;
  const computer = live?.computer ? computers[live.computer] : undefined;
  const can = computer?.runtimes.find((one) => one.name === runtime)?.capabilities.live_input !== false;
  const possible = STEERS.filter((one) => one !== "steer" || can);
  const wanted = picked ?? room.busy;
  const chosen = possible.includes(wanted) ? wanted : "queue";
  return {
    isShown: live !== undefined,
    possible,
    chosen,
    choose: setPicked,
    word: (one: Steer) => t(`composer.${one}` as TextKey, { agent: live?.agent ?? "" }),
  };
}

function Tool({ name, onClick, children }: { name: TextKey; onClick: () => void; children: React.ReactNode }) {
  return (
    <ActionIcon data-tip={t(name)} aria-label={t(name)} onClick={onClick}>
      {children}
    </ActionIcon>
  );
}

function Attach({ onFiles }: { onFiles: (files: Iterable<File>) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Tool name="composer.attach" onClick={() => input.current?.click()}>
        <Paperclip size={17} />
      </Tool>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        onChange={(event) => {
          onFiles(event.currentTarget.files ?? []);
          event.currentTarget.value = "";
        }}
      />
    </>
  );
}

/** In whose folder a file that is named here lies: the agent that is called, else the one that worked here, else the first. */
function folderOf(text: string, names: readonly Mentionable[], worked: string | null): string | null {
  const agents = names.filter((one) => one.kind === "agent").map((one) => one.name);
  const called = agents.find((name) => new RegExp(`(^|\\s)[@＠]${name.replace(/[.]/g, "\\.")}(?![\\w-])`).test(text));
  if (called) return called;
  return worked !== null && agents.includes(worked) ? worked : (agents[0] ?? null);
}

/** What this person sent in the topic, newest first, each text once; also what is on its way. */
function sentBefore({ desk, sending }: State, topic: number): string[] {
  const own = (desk.logs[topic]?.messages ?? []).filter((one) => isMine(desk.me, one) && one.deleted_at === null);
  const all = [...own, ...sending.filter((one) => one.topic === topic)].map((one) => one.content).reverse();
  return [...new Set(all)].filter((content) => content !== "");
}

function keptName(topic: number): string {
  return `pal.draft.${topic}`;
}
