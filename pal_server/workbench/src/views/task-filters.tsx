import { NativeSelect } from "@mantine/core";
import { useMemo } from "react";
import type { Filters } from "../routes";
import type { Wanted } from "../state/board";
import { projectsOf } from "../state/projects";
import { t } from "../text/text";
import { useSelect } from "../ui/hooks";
import css from "./files.module.css";
import { Find } from "./find";

/** What of the address narrows tasks. */
export function wantedOf({ project, agent, owner, kind, q }: Filters): Wanted {
  return { project, agent, owner, type: kind, q };
}

interface Props {
  filters: Filters;
  set: (wanted: Filters) => void;
  /** What `state` may be here, beside nothing; `every` says what nothing means. */
  states: readonly { value: string; label: string }[];
  every: string;
  /** The types of the tasks that are known. */
  types: readonly string[];
}

/** What tasks are narrowed by, on the board as in the list. */
export function TaskFilters({ filters, set, states, every, types }: Props) {
  const { q = "", project = "", agent = "", owner = "", kind = "", state = "" } = filters;
  const known = useSelect((found) => found.desk.projects);
  const agents = useSelect((found) => found.desk.agents);
  const users = useSelect((found) => found.desk.users);
  const projects = useMemo(() => projectsOf({ projects: known }), [known]);
  const kinds = [...new Set([...types, ...(kind ? [kind] : [])])].sort();
  return (
    <div className={css.filters} role="search">
      <Find label={t("task.find")} value={q} onChange={(words) => set({ q: words })} />
      <Choice
        label={t("task.project")}
        value={project}
        every={t("task.anyProject")}
        of={projects.map((one) => ({ value: one.key, label: one.name }))}
        onChange={(value) => set({ project: value })}
      />
      <Choice
        label={t("runs.agent")}
        value={agent}
        every={t("runs.filterAgent")}
        of={namesOf(agents)}
        onChange={(value) => set({ agent: value })}
      />
      <Choice
        label={t("task.owner")}
        value={owner}
        every={t("task.anyOwner")}
        of={namesOf(users)}
        onChange={(value) => set({ owner: value })}
      />
      {kinds.length > 0 && (
        <Choice
          label={t("task.type")}
          value={kind}
          every={t("task.anyType")}
          of={kinds.map((value) => ({ value, label: value }))}
          onChange={(value) => set({ kind: value })}
        />
      )}
      <Choice
        label={t("runs.state")}
        value={state}
        every={every}
        of={states}
        onChange={(value) => set({ state: value })}
      />
    </div>
  );
}

function namesOf(things: Readonly<Record<string, unknown>>): { value: string; label: string }[] {
  return Object.keys(things)
    .sort()
    .map((value) => ({ value, label: value }));
}

function Choice(props: {
  label: string;
  value: string;
  every: string;
  of: readonly { value: string; label: string }[];
  onChange: (value: string) => void;
}) {
  const { label, value, every, of, onChange } = props;
  return (
    <NativeSelect
      size="xs"
      aria-label={label}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      data={[{ value: "", label: every }, ...of]}
    />
  );
}
