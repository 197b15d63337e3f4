import { ActionIcon, Button } from "@mantine/core";
import { Bookmark, Clock3, Merge, Pencil, X } from "lucide-react";
import { useMemo, useState } from "react";
import { cancelDelivery, doNext, mergeInto } from "../api/deliveries";
import { dropSaved } from "../api/desk";
import { isMine } from "../state/desk";
import { t } from "../text/text";
import { useSelect } from "../ui/hooks";
import type { Message } from "../wire/contract";
import css from "./queue.module.css";
import { tellFailure } from "./tell";

const SHOWN = 3;

interface Props {
  topic: number;
  onUse: (content: string) => void;
  /** Change what waits before anybody reads it. */
  onEdit: (message: Message) => void;
}

/** What waits for an agent in this topic, and what was kept for later: one line each, on the composer. */
export function Queue({ topic, onUse, onEdit }: Props) {
  const deliveries = useSelect((state) => state.desk.deliveries);
  const messages = useSelect((state) => state.desk.logs[topic]?.messages);
  const allSaved = useSelect((state) => state.desk.saved);
  const runs = useSelect((state) => state.desk.runs);
  const me = useSelect((state) => state.desk.me);
  const [isOpen, setOpen] = useState(false);
  const waiting = useMemo(() => {
    const busy = new Set(
      Object.values(runs)
        .filter((run) => run.topic === topic && run.ended_at === null)
        .map((run) => run.agent),
    );
    return Object.values(deliveries)
      .filter(
        (one) => one.topic === topic && one.status === "pending" && busy.has(one.agent) && one.steered_into === null,
      )
      .sort((one, other) => other.ahead - one.ahead || one.id - other.id);
  }, [deliveries, runs, topic]);
  const saved = Object.values(allSaved)
    .filter((one) => one.topic === topic)
    .sort((one, other) => one.place - other.place);
  if (waiting.length === 0 && saved.length === 0) return null;
  const shown = isOpen ? waiting : waiting.slice(0, SHOWN);
  return (
    <ul className={css.queue}>
      {shown.map((one, index) => {
        const before = waiting[index - 1];
        const said = messages?.find((message) => message.id === one.message);
        return (
          <li key={one.id}>
            <Clock3 size={14} aria-hidden />
            <b>{t("composer.queued", { agent: one.agent })}</b>
            <span>{said?.content ?? ""}</span>
            {index > 0 && (
              <Button variant="subtle" size="compact-sm" onClick={() => void doNext(one.id).catch(tellFailure)}>
                {t("composer.sendNow")}
              </Button>
            )}
            {before && before.agent === one.agent && (
              <ActionIcon
                size={26}
                data-tip={t("composer.merge")}
                aria-label={t("composer.merge")}
                onClick={() => void mergeInto(one.id, before.id).catch(tellFailure)}
              >
                <Merge size={14} />
              </ActionIcon>
            )}
            {said && isMine(me, said) && (
              <ActionIcon
                size={26}
                data-tip={t("message.edit")}
                aria-label={t("message.edit")}
                onClick={() => onEdit(said)}
              >
                <Pencil size={14} />
              </ActionIcon>
            )}
            <ActionIcon
              size={26}
              aria-label={t("composer.dropQueued")}
              onClick={() => void cancelDelivery(one.id).catch(tellFailure)}
            >
              <X size={15} />
            </ActionIcon>
          </li>
        );
      })}
      {waiting.length > SHOWN && !isOpen && (
        <li>
          <Button variant="subtle" size="compact-sm" onClick={() => setOpen(true)}>
            {t("composer.moreQueued", { n: waiting.length - SHOWN })}
          </Button>
        </li>
      )}
      {saved.map((one) => (
        <li key={`saved ${one.id}`}>
          <Bookmark size={14} aria-hidden />
          <b>{t("composer.saved")}</b>
          <span>{one.content}</span>
          <Button
            variant="subtle"
            size="compact-sm"
            onClick={() => {
              onUse(one.content);
              dropSaved(one.id).catch(tellFailure);
            }}
          >
            {t("composer.useSaved")}
          </Button>
          <ActionIcon
            size={26}
            aria-label={t("message.drop")}
            onClick={() => void dropSaved(one.id).catch(tellFailure)}
          >
            <X size={15} />
          </ActionIcon>
        </li>
      ))}
    </ul>
  );
}
