import type { Filters } from "../routes";
import type { Wanted } from "../state/board";
import { t } from "../text/text";
import { useSelect } from "../ui/hooks";
import { AgentChoice, Choice, FilterBar, type Option, optionsOf, ProjectChoice, StateChoice } from "./filter-bar";
import { useFilters } from "./filters";

/** What of the address narrows tasks. */
export function wantedOf({ project, agent, owner, kind, q }: Filters): Wanted {
  return { project, agent, owner, type: kind, q };
}

interface Props {
  /** What `state` may be here, beside nothing; `every` says what nothing means. */
  states: readonly Option[];
  every?: string;
  /** The types of the tasks that are known. */
  types: readonly string[];
}

/** What tasks are narrowed by, on the board as in the list. */
export function TaskFilters({ states, every, types }: Props) {
  const [{ kind = "" }] = useFilters();
  const users = useSelect((found) => found.desk.users);
  const kinds = new Set([...types, ...(kind ? [kind] : [])]);
  return (
    <FilterBar find={t("task.find")}>
      <ProjectChoice />
      <AgentChoice />
      <Choice name="owner" label={t("task.owner")} every={t("task.anyOwner")} of={optionsOf(Object.keys(users))} />
      {kinds.size > 0 && <Choice name="kind" label={t("task.type")} every={t("task.anyType")} of={optionsOf(kinds)} />}
      <StateChoice of={states} {...(every !== undefined && { every })} />
    </FilterBar>
  );
}
