import { Modal, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { searchMessages } from "../api/messages";
import { isMine } from "../state/desk";
import { ago, t } from "../text/text";
import { useNow, useSelect } from "../ui/hooks";
import type { Message } from "../wire/contract";
import css from "./past.module.css";

const KEPT = 100;
const NONE: readonly Message[] = [];

/** What this person sent before, newest first; words find older ones on the server. */
export function Past({
  topic,
  onPick,
  onClose,
}: {
  topic: number;
  onPick: (content: string) => void;
  onClose: () => void;
}) {
  const me = useSelect((state) => state.desk.me);
  const logs = useSelect((state) => state.desk.logs);
  const [words, setWords] = useState("");
  const now = useNow();
  const { data: found = NONE } = useQuery({
    queryKey: ["past", words],
    queryFn: ({ signal }) => searchMessages(words, signal),
    enabled: words.trim().length > 1,
  });
  const own = useMemo(() => {
    const here = Object.values(logs).flatMap((log) => log.messages);
    const all = new Map(
      [...here, ...found].filter((one) => isMine(me, one) && one.deleted_at === null).map((one) => [one.content, one]),
    );
    return [...all.values()]
      .filter((one) => one.content.toLowerCase().includes(words.trim().toLowerCase()))
      .sort((one, other) => Number(other.topic === topic) - Number(one.topic === topic) || other.id - one.id)
      .slice(0, KEPT);
  }, [logs, found, me, words, topic]);
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("composer.history")}
      closeButtonProps={{ "aria-label": t("confirm.close") }}
    >
      <TextInput
        data-autofocus
        aria-label={t("composer.findHistory")}
        placeholder={t("composer.findHistory")}
        value={words}
        onChange={(event) => setWords(event.currentTarget.value)}
        onKeyDown={(event) => {
          const [first] = own;
          if (event.key === "Enter" && first) onPick(first.content);
        }}
      />
      <ul className={css.list}>
        {own.map((one) => (
          <li key={one.id}>
            <button type="button" onClick={() => onPick(one.content)}>
              <span>{one.content}</span>
              <time>{ago(one.created_at, now)}</time>
            </button>
          </li>
        ))}
        {own.length === 0 && <li className={css.none}>{t("composer.noHistory")}</li>}
      </ul>
    </Modal>
  );
}
