import { Button, NativeSelect, TextInput } from "@mantine/core";
import { Plus } from "lucide-react";
import { memo, type ReactNode, useState } from "react";
import type { Status } from "../state/board";
import { t } from "../text/text";
import { IconButton } from "../ui/icon-button";
import type { Project } from "../wire/contract";
import css from "./board.module.css";
import { wordOf } from "./task-chip";
import { tellFailure } from "./tell";

interface Props {
  status: Status;
  count: number;
  /** Where a task planned here may belong; none: none is planned here. */
  projects: readonly Project[];
  isAdding: boolean;
  setAdding: (isAdding: boolean) => void;
  onAdd: (project: string, title: string) => Promise<unknown>;
  innerRef: (element: HTMLElement | null) => void;
  isOver: boolean;
  children: ReactNode;
  [data: `data-${string}`]: string | boolean | undefined;
}

/** One column: what it is, what stands in it, and a field for another one. */
export function BoardColumn(props: Props) {
  const { status, count, projects, isAdding, setAdding, onAdd, innerRef, isOver, children, ...rest } = props;
  const id = `column-${status}`;
  return (
    <section className={css.column} aria-labelledby={id} data-column={status} data-over={isOver || undefined}>
      <header className={css.columnHead}>
        <h2 id={id}>{wordOf(status)}</h2>
        <span>{count}</span>
        {projects.length > 0 && (
          <IconButton
            label={t("board.addTo", { column: wordOf(status) })}
            onClick={() => setAdding(true)}
            data-add={status}
          >
            <Plus size={15} aria-hidden />
          </IconButton>
        )}
      </header>
      {isAdding && <QuickAdd projects={projects} onAdd={onAdd} onClose={() => setAdding(false)} />}
      <div ref={innerRef} className={css.cards} {...rest}>
        {children}
      </div>
    </section>
  );
}

const QuickAdd = memo(function QuickAdd(props: {
  projects: readonly Project[];
  onAdd: Props["onAdd"];
  onClose: () => void;
}) {
  const { projects, onAdd, onClose } = props;
  const [title, setTitle] = useState("");
  const [chosen, setProject] = useState("");
  const project = (projects.find((one) => one.key === chosen) ?? projects[0])?.key ?? "";
  // The field is free at once, so that Enter pressed twice plans one task; what was not planned is there again.
  const add = () => {
    const said = title.trim();
    if (said === "") return;
    setTitle("");
    onAdd(project, said).catch((error: unknown) => {
      setTitle((typed) => typed || said);
      tellFailure(error);
    });
  };
  return (
    <form
      className={css.add}
      onSubmit={(event) => {
        event.preventDefault();
        add();
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <TextInput
        size="xs"
        autoFocus
        aria-label={t("board.title")}
        placeholder={t("board.title")}
        value={title}
        onChange={(event) => setTitle(event.currentTarget.value)}
      />
      {projects.length > 1 && (
        <NativeSelect
          size="xs"
          aria-label={t("task.project")}
          value={project}
          onChange={(event) => setProject(event.currentTarget.value)}
          data={projects.map((one) => ({ value: one.key, label: one.name }))}
        />
      )}
      <div>
        <Button type="submit" variant="filled" size="compact-sm" disabled={title.trim() === ""}>
          {t("task.plan")}
        </Button>
        <Button size="compact-sm" onClick={onClose}>
          {t("confirm.cancel")}
        </Button>
      </div>
    </form>
  );
});
