import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { listAllDecisions } from "../api/projects";
import { projectsOf } from "../state/projects";
import { type TextKey, t } from "../text/text";
import { useSelect } from "../ui/hooks";
import type { Decision } from "../wire/contract";
import { DECISION_STATES, OneDecision, Propose } from "./decision";
import { FilterBar, ProjectChoice, StateChoice } from "./filter-bar";
import { useFilters } from "./filters";
import { useFresh } from "./fresh";
import { Page } from "./page";
import css from "./project.module.css";

/** What waits for people to settle it, in every project, and what holds; what holds no longer is folded. */
export function DecisionsView() {
  const [{ q = "", project = "", state = "" }] = useFilters();
  const [isProposing, setProposing] = useState(false);
  const known = useSelect((found) => found.desk.projects);
  const role = useSelect((found) => found.desk.me.role);
  const projects = useMemo(() => projectsOf({ projects: known }), [known]);
  const own = project ? projects.filter((one) => one.key === project) : projects;
  const mayWrite = role !== "viewer";
  return (
    <Page
      title={t("decisions.title")}
      actions={
        mayWrite &&
        own.length > 0 && (
          <Button variant="filled" onClick={() => setProposing(true)} data-new>
            {t("decisions.propose")}
          </Button>
        )
      }
    >
      <FilterBar find={t("decisions.find")}>
        <ProjectChoice />
        <StateChoice of={DECISION_STATES.map((value) => ({ value, label: t(`decisions.${value}` as TextKey) }))} />
      </FilterBar>
      <div className={css.decisions}>
        {DECISION_STATES.filter((status) => !state || status === state).map((status) => (
          <Part key={status} {...{ status, q, project, mayWrite }} isFolded={!state && FOLDED.has(status)} />
        ))}
      </div>
      {isProposing && <Propose projects={own} onClose={() => setProposing(false)} />}
    </Page>
  );
}

/** They hold no longer, or never did. */
const FOLDED: ReadonlySet<Decision["status"]> = new Set(["rejected", "superseded"]);

interface PartProps {
  status: Decision["status"];
  q: string;
  project: string;
  mayWrite: boolean;
  /** Its decisions are asked for when somebody opens it. */
  isFolded: boolean;
}

function Part({ status, q, project, mayWrite, isFolded }: PartProps) {
  const [isOpen, setOpen] = useState(false);
  const query = useInfiniteQuery({
    queryKey: ["decisions", "everywhere", status, q, project],
    queryFn: ({ pageParam, signal }) => listAllDecisions({ status, q, project, after: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    placeholderData: (before) => before,
    enabled: !isFolded || isOpen,
  });
  useFresh(["decisions", "everywhere"], "decision");
  const found = query.data?.pages.flatMap((page) => page.decisions) ?? [];
  const title = t(`decisions.of.${status}`);
  const content = (
    <>
      {query.isError && (
        <p role="alert">
          {query.error.message} <Button onClick={() => void query.refetch()}>{t("app.tryAgain")}</Button>
        </p>
      )}
      {query.isSuccess && found.length === 0 && (
        <p className={css.none}>{t(q || project ? "decisions.nothing" : `decisions.none.${status}`)}</p>
      )}
      <ul className={css.list}>
        {found.map((one) => (
          <OneDecision key={one.id} one={one} mayWrite={mayWrite} withProject />
        ))}
      </ul>
      {query.hasNextPage && <Button onClick={() => void query.fetchNextPage()}>{t("files.more")}</Button>}
    </>
  );
  return (
    <section className={css.part} aria-label={title} data-decisions={status}>
      {isFolded ? (
        <details onToggle={(event) => setOpen(event.currentTarget.open)}>
          <summary>
            <h2>{title}</h2>
          </summary>
          {content}
        </details>
      ) : (
        <>
          <header>
            <h2>{title}</h2>
          </header>
          {content}
        </>
      )}
    </section>
  );
}
