import { NativeSelect } from "@mantine/core";
import type { ReactNode } from "react";
import type { Filters } from "../routes";
import { projectsOf } from "../state/projects";
import { t } from "../text/text";
import { useSelect } from "../ui/hooks";
import css from "./filter-bar.module.css";
import { useFilters } from "./filters";
import { Find } from "./find";

interface Props {
  /** What the field for words is called; none: there is no such field. */
  find?: string;
  children: ReactNode;
}

/** What a list is narrowed by: words, and a choice or more. All of it is in the address. */
export function FilterBar({ find, children }: Props) {
  const [{ q = "" }, set] = useFilters();
  return (
    <div className={css.bar} role="search">
      {find !== undefined && <Find label={find} value={q} onChange={(words) => set({ q: words })} />}
      {children}
    </div>
  );
}

export interface Option {
  value: string;
  label: string;
}

interface ChoiceProps {
  /** The filter it sets. */
  name: keyof Filters;
  label: string;
  /** What is said when it leaves nothing out. */
  every: string;
  of: readonly Option[];
}

export function Choice({ name, label, every, of }: ChoiceProps) {
  const [{ [name]: value = "" }, set] = useFilters();
  return (
    <NativeSelect
      size="xs"
      aria-label={label}
      value={value}
      onChange={(event) => set({ [name]: event.currentTarget.value })}
      data={[{ value: "", label: every }, ...of]}
    />
  );
}

/** Each by its own name. */
export function optionsOf(names: Iterable<string>): Option[] {
  return [...names].sort((one, other) => one.localeCompare(other)).map((value) => ({ value, label: value }));
}

export function AgentChoice() {
  const agents = useSelect((state) => state.desk.agents);
  return (
    <Choice name="agent" label={t("runs.agent")} every={t("runs.filterAgent")} of={optionsOf(Object.keys(agents))} />
  );
}

export function RoomChoice() {
  const rooms = useSelect((state) => state.desk.rooms);
  const of = Object.values(rooms).map((one) => ({ value: one.id, label: one.name }));
  return <Choice name="room" label={t("history.room")} every={t("files.anyRoom")} of={of} />;
}

export function ProjectChoice() {
  const projects = useSelect((state) => state.desk.projects);
  const of = projectsOf({ projects }).map((one) => ({ value: one.key, label: one.name }));
  return <Choice name="project" label={t("task.project")} every={t("task.anyProject")} of={of} />;
}

export function StateChoice({ of, every = t("wall.anyState") }: { of: readonly Option[]; every?: string }) {
  return <Choice name="state" label={t("runs.state")} every={every} of={of} />;
}
