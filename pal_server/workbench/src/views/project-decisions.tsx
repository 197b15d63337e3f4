import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { listDecisions } from "../api/projects";
import { type TextKey, t } from "../text/text";
import type { Project } from "../wire/contract";
import { DECISION_STATES, OneDecision, Propose } from "./decision";
import { useFresh } from "./fresh";
import css from "./project.module.css";

/** What was settled and what waits for it, newest first. */
export function Decisions({ project, mayWrite }: { project: Project; mayWrite: boolean }) {
  const [q, setWords] = useState("");
  const [status, setStatus] = useState("");
  const [isProposing, setProposing] = useState(false);
  const query = useInfiniteQuery({
    queryKey: ["decisions", project.id, q, status],
    queryFn: ({ pageParam, signal }) => listDecisions(project.id, { q, status, after: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    placeholderData: (before) => before,
  });
  useFresh(["decisions", project.id], "decision");
  const found = query.data?.pages.flatMap((page) => page.decisions) ?? [];
  return (
    <section className={css.part} aria-label={t("decisions.title")}>
      <header>
        <h2>{t("decisions.title")}</h2>
        <TextInput
          size="xs"
          type="search"
          aria-label={t("decisions.find")}
          placeholder={t("decisions.find")}
          value={q}
          onChange={(event) => setWords(event.currentTarget.value)}
        />
        <NativeSelect
          size="xs"
          aria-label={t("runs.state")}
          value={status}
          onChange={(event) => setStatus(event.currentTarget.value)}
          data={[
            { value: "", label: t("wall.anyState") },
            ...DECISION_STATES.map((value) => ({ value, label: t(`decisions.${value}` as TextKey) })),
          ]}
        />
        {mayWrite && <Button onClick={() => setProposing(true)}>{t("decisions.propose")}</Button>}
      </header>
      {query.isError && <p role="alert">{query.error.message}</p>}
      {query.isSuccess && found.length === 0 && (
        <p className={css.none}>{t(q || status ? "decisions.nothing" : "decisions.none")}</p>
      )}
      <ul className={css.list}>
        {found.map((one) => (
          <OneDecision key={one.code} one={one} mayWrite={mayWrite} />
        ))}
      </ul>
      {query.hasNextPage && <Button onClick={() => void query.fetchNextPage()}>{t("files.more")}</Button>}
      {isProposing && <Propose projects={[project]} onClose={() => setProposing(false)} />}
    </section>
  );
}
