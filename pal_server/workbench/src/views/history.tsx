import { Button } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { subjectOf, type Telling, telling } from "../state/telling";
import { clockSeconds, dateTime, t } from "../text/text";
import { useSelect, useStore } from "../ui/hooks";
import type { Event } from "../wire/contract";
import { readHistory } from "../wire/history";
import { AgentChoice, Choice, FilterBar, optionsOf, RoomChoice } from "./filter-bar";
import { UNFILTERED, useFilters } from "./filters";
import css from "./history.module.css";
import { Page } from "./page";
import table from "./table.module.css";

const BACK = 400; // positions read at a time
const SHOWN = 500; // rows at a time; more come when they are asked for

interface Line {
  event: Event;
  told: Telling;
  words: string;
}

/** What happened, newest first, from the log itself, as far back as somebody looks. */
export function HistoryView() {
  const store = useStore();
  const heard = useSelect((state) => state.heard);
  const rooms = useSelect((state) => state.desk.rooms);
  const [{ kind = "", room = "", agent = "", q = "" }, set] = useFilters();
  const [midnight] = useState(() => new Date().setHours(0, 0, 0, 0));
  const [newest] = useState(() => store.get().desk.position);
  const [spans, setSpans] = useState(1);
  const pages = useQueries({
    queries: Array.from({ length: spans }, (_, span) => {
      const upTo = newest - span * BACK;
      return {
        queryKey: ["history", upTo],
        queryFn: ({ signal }: { signal: AbortSignal }) => readHistory(Math.max(0, upTo - BACK), upTo, signal),
        staleTime: Number.POSITIVE_INFINITY,
      };
    }),
  });
  const isPending = pages.some((page) => page.isPending);
  const failed = pages.find((page) => page.isError);
  const before = pages.flatMap((page) => page.data ?? []);
  const lines = useMemo(() => {
    const all = new Map([...before, ...heard].filter(isHistory).map((event) => [event.position, event]));
    return [...all.values()].sort((one, other) => other.position - one.position).map(lineOf);
  }, [before, heard]);
  const nouns = [...new Set(lines.map(({ event }) => nounOf(event)))].sort();
  const wanted = q.trim().toLowerCase();
  const found = lines.filter(
    ({ event, told, words }) =>
      (kind === "" || nounOf(event) === kind) &&
      (room === "" || event.room === room) &&
      (agent === "" || told.agent === agent) &&
      (wanted === "" || `${words} ${told.who ?? ""}`.toLowerCase().includes(wanted)),
  );
  const isFiltered = kind !== "" || room !== "" || agent !== "" || wanted !== "";
  const hasMore = newest - spans * BACK > 0;
  const older = () => setSpans(spans + 1);
  return (
    <Page title={t("history.title")}>
      <FilterBar find={t("history.find")}>
        <RoomChoice />
        <AgentChoice />
        <Choice
          name="kind"
          label={t("history.what")}
          every={t("history.everything")}
          of={optionsOf(new Set([...nouns, ...(kind ? [kind] : [])]))}
        />
      </FilterBar>
      {failed && (
        <p className={table.none} role="alert">
          {failed.error?.message} <Button onClick={() => void failed.refetch()}>{t("app.tryAgain")}</Button>
        </p>
      )}
      {!isPending && !failed && found.length === 0 && (
        <div className={table.none}>
          <p>{t(isFiltered ? "history.nothingFound" : "history.none")}</p>
          {isFiltered && <Button onClick={() => set(UNFILTERED)}>{t("files.clear")}</Button>}
        </div>
      )}
      {found.length > 0 && (
        <div className={table.wrap}>
          <table className={`${table.table} ${css.history}`}>
            <thead>
              <tr>
                <th>{t("history.when")}</th>
                <th>{t("history.happened")}</th>
                <th>{t("history.room")}</th>
                <th>{t("history.what")}</th>
                <th data-right>{t("history.position")}</th>
              </tr>
            </thead>
            <tbody>
              {found.slice(0, SHOWN * spans).map(({ event, told, words }) => (
                <tr key={event.position}>
                  <td className={`${table.quiet} num`} title={dateTime(event.at)}>
                    {event.at < midnight ? dateTime(event.at) : clockSeconds(event.at)}
                  </td>
                  <td className={css.words}>
                    <Subject told={told} room={event.room === null ? null : (rooms[event.room]?.name ?? null)}>
                      {words}
                    </Subject>
                  </td>
                  <td className={table.quiet}>{event.room === null ? "" : (rooms[event.room]?.name ?? event.room)}</td>
                  <td className={`${table.kind} ${css.kind} mono`}>{event.kind}</td>
                  <td data-right className={`${table.quiet} num`}>
                    {event.position}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {hasMore && (
        <div className={css.more}>
          <Button loading={isPending} onClick={older}>
            {t("history.older")}
          </Button>
        </div>
      )}
    </Page>
  );
}

/** A line leads to what it is about. */
function Subject({ told, room, children }: { told: Telling; room: string | null; children: string }) {
  if (told.run !== null)
    return (
      <Link to="/runs/$id" params={{ id: String(told.run) }}>
        {children}
      </Link>
    );
  if (told.topic !== null && room !== null)
    return (
      <Link to="/r/$room/$topic" params={{ room, topic: String(told.topic) }}>
        {children}
      </Link>
    );
  return children;
}

function lineOf(event: Event): Line {
  const told = telling(event);
  return { event, told, words: told.text ? t(told.text, told.given) : subjectOf(event) };
}

const nounOf = (event: Event): string => event.kind.split(".")[0] ?? "";

/** What a person does for themselves alone, as reading or beginning to write, is nobody's history. */
function isHistory(event: Event): boolean {
  return !/^(topic\.read|draft\.|saved\.|presence\.|preferences\.)/.test(event.kind);
}
