import { Fragment, useMemo } from "react";
import css from "./diff.module.css";
import { type Hunk, parseDiff, type Row, rowsOf } from "./diff-rows";

/** A unified diff as GitHub shows it: numbers, colours, changed words; long lines wrap. Everything in it is text. */
export function Diff({ text, isSplit = false }: { text: string; isSplit?: boolean }) {
  const hunks = useMemo(() => parseDiff(text), [text]);
  return (
    <div className={css.diff} data-split={isSplit || undefined}>
      {hunks.map((hunk, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: hunks do not move
        <Fragment key={index}>
          {hunk.header && <div className={css.hunk}>{hunk.header}</div>}
          {isSplit ? <Split hunk={hunk} /> : <Unified hunk={hunk} />}
        </Fragment>
      ))}
    </div>
  );
}

function Unified({ hunk }: { hunk: Hunk }) {
  return rowsOf(hunk).map((row) => (
    <div key={row.key} className={css.row} data-sign={row.sign}>
      <span className={css.number}>{row.sign === "-" ? row.before : row.after}</span>
      <Line row={row} />
    </div>
  ));
}

function Split({ hunk }: { hunk: Hunk }) {
  const rows = rowsOf(hunk);
  const pairs: [Row | null, Row | null][] = [];
  let removed: Row[] = [];
  for (const row of rows) {
    if (row.sign === "-") removed.push(row);
    else if (row.sign === "+") pairs.push([removed.shift() ?? null, row]);
    else {
      for (const left of removed) pairs.push([left, null]);
      removed = [];
      pairs.push([row, row]);
    }
  }
  for (const left of removed) pairs.push([left, null]);
  return pairs.map(([left, right]) => (
    <div key={`${left?.key}|${right?.key}`} className={css.pair}>
      <div className={css.row} data-sign={left?.sign ?? "none"}>
        <span className={css.number}>{left?.before}</span>
        {left ? <Line row={left} /> : <span />}
      </div>
      <div className={css.row} data-sign={right?.sign ?? "none"}>
        <span className={css.number}>{right?.after}</span>
        {right ? <Line row={right} /> : <span />}
      </div>
    </div>
  ));
}

function Line({ row }: { row: Row }) {
  return (
    <code>
      <span className="sr">{row.sign === "+" ? "+ " : row.sign === "-" ? "- " : ""}</span>
      {row.parts.map((part, index) => {
        const Mark = row.sign === "-" ? "del" : "ins";
        // biome-ignore lint/suspicious/noArrayIndexKey: parts of a line do not move
        return part.isChanged ? <Mark key={index}>{part.text}</Mark> : <Fragment key={index}>{part.text}</Fragment>;
      })}
      {row.parts.length === 0 && "\u00a0"}
    </code>
  );
}
