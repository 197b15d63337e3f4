import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { subjectOf } from "../state/telling";
import { clockSeconds, dateTime, t } from "../text/text";
import { useSelect, useStore } from "../ui/hooks";
import type { Event } from "../wire/contract";
import { readHistory } from "../wire/history";
import { Page } from "./page";
import css from "./table.module.css";

const BACK = 400; // positions read when the page is opened

/** What happened, newest first, from the log itself. */
export function HistoryView() {
  const store = useStore();
  const heard = useSelect((state) => state.heard);
  const rooms = useSelect((state) => state.desk.rooms);
  const [noun, setNoun] = useState("");
  const [upTo] = useState(() => store.get().desk.position);
  const { data: before = [], isPending } = useQuery({
    queryKey: ["history", upTo],
    queryFn: ({ signal }) => readHistory(Math.max(0, upTo - BACK), upTo, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const events = useMemo(() => {
    const all = new Map([...before, ...heard].filter(isHistory).map((event) => [event.position, event]));
    return [...all.values()].sort((one, other) => other.position - one.position);
  }, [before, heard]);
  const nouns = [...new Set(events.map((event) => event.kind.split(".")[0] ?? ""))].sort();
  const shown = events.filter((event) => noun === "" || event.kind.startsWith(`${noun}.`));
  return (
    <Page
      title={t("history.title")}
      actions={
        <NativeSelect
          size="xs"
          aria-label={t("history.what")}
          value={noun}
          onChange={(event) => setNoun(event.currentTarget.value)}
          data={[{ value: "", label: t("history.everything") }, ...nouns]}
        />
      }
    >
      {!isPending && shown.length === 0 && <p className={css.none}>{t("history.none")}</p>}
      {shown.length > 0 && (
        <div className={css.wrap}>
          <table className={css.table}>
            <thead>
              <tr>
                <th>{t("history.when")}</th>
                <th>{t("history.what")}</th>
                <th>{t("history.room")}</th>
                <th />
                <th data-right>{t("history.position")}</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((event) => (
                <tr key={event.position}>
                  <td className={`${css.quiet} num`} title={dateTime(event.at)}>
                    {clockSeconds(event.at)}
                  </td>
                  <td className={`${css.kind} mono`}>{event.kind}</td>
                  <td className={css.quiet}>{event.room === null ? "" : (rooms[event.room]?.name ?? event.room)}</td>
                  <td>{subjectOf(event)}</td>
                  <td data-right className={`${css.quiet} num`}>
                    {event.position}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Page>
  );
}

/** What a person does for themselves alone, as reading or beginning to write, is nobody's history. */
function isHistory(event: Event): boolean {
  return !/^(topic\.read|draft\.|saved\.|presence\.|preferences\.)/.test(event.kind);
}
