import { SegmentedControl } from "@mantine/core";
import { useMemo, useRef, useState } from "react";
import type { byFile } from "../state/run-view";
import { t } from "../text/text";
import { useKept } from "../ui/hooks";
import { type Change, changesOf, Diffs } from "./diffs";
import css from "./run-changes.module.css";

type Files = ReturnType<typeof byFile>;

/** What a run changed: its files by folder, and all their diffs in one view below. */
export function RunChanges({ files }: { files: Files }) {
  const [isSplit, setSplit] = useKept("diff.split", false);
  const [isWrapped, setWrapped] = useKept("diff.wrapped", true);
  const [top, setTop] = useState("");
  const goTo = useRef<((id: string) => void) | null>(null);
  const changes = useMemo(() => files.flatMap((file) => changesOf(file.path, file.change, file.diffs)), [files]);
  const current = changes.find((change) => change.id === top)?.path ?? changes[0]?.path;
  if (files.length === 0) return <p className={css.none}>{t("panel.noChanges")}</p>;
  return (
    <div className={css.changes}>
      <div className={css.bar}>
        <span>{t("panel.files", { n: files.length })}</span>
        <label>
          <input type="checkbox" checked={isWrapped} onChange={(event) => setWrapped(event.currentTarget.checked)} />
          {t("diff.wrapped")}
        </label>
        <SegmentedControl
          size="xs"
          value={isSplit ? "split" : "unified"}
          onChange={(value) => setSplit(value === "split")}
          data={[
            { value: "unified", label: t("panel.unified") },
            { value: "split", label: t("panel.split") },
          ]}
        />
      </div>
      <div className={css.body}>
        {(files.length > 1 || changes.length === 0) && (
          <Tree files={files} current={current} changes={changes} onChoose={(id) => goTo.current?.(id)} />
        )}
        <Diffs
          className={css.diffs}
          label={t("panel.changes")}
          changes={changes}
          isSplit={isSplit}
          isWrapped={isWrapped}
          onTop={setTop}
          goTo={goTo}
        />
      </div>
    </div>
  );
}

interface TreeProps {
  files: Files;
  changes: readonly Change[];
  current: string | undefined;
  onChoose: (id: string) => void;
}

/** Files come sorted by path, so those of a folder stand together; its name is said once. */
function Tree({ files, changes, current, onChoose }: TreeProps) {
  const first = new Map(changes.map((change) => [change.path, change.id]).reverse() as [string, string][]);
  let folder = "";
  return (
    <ul className={css.files} aria-label={t("panel.files", { n: files.length })} tabIndex={-1}>
      {files.map((file) => {
        const slash = file.path.lastIndexOf("/") + 1;
        const id = first.get(file.path);
        const isNew = file.path.slice(0, slash) !== folder;
        folder = file.path.slice(0, slash);
        return (
          <li key={file.path}>
            {isNew && folder !== "" && <small>{folder}</small>}
            <button
              type="button"
              disabled={id === undefined}
              onClick={() => id !== undefined && onChoose(id)}
              aria-current={file.path === current || undefined}
              title={id === undefined ? t("panel.noDiff") : file.path}
            >
              <i data-change={file.change} className="mono">
                {file.change === "add" ? "A" : file.change === "delete" ? "D" : "M"}
              </i>
              <span>{file.path.slice(slash)}</span>
              {file.added + file.removed > 0 && (
                <em className="num mono">
                  <ins>+{file.added}</ins> <del>-{file.removed}</del>
                </em>
              )}
            </button>
          </li>
        );
      })}
    </ul>
  );
}
