import { Fragment, useEffect, useMemo, useState } from "react";
import { t } from "../text/text";
import css from "./diff.module.css";
import { type Hunk, parseDiff, piecesOf, type Row, rowsOf, sidesOf, type Token } from "./diff-rows";

type Colour = (code: string, path: string) => readonly (readonly Token[])[] | null;
let loaded: Colour | null = null;

/** Colours come with the first diff; until then, and where there are none, the text is plain. */
function useColour(): Colour | null {
  const [colour, setColour] = useState<Colour | null>(() => loaded);
  useEffect(() => {
    if (colour) return;
    import("./colours").then((made) => {
      loaded = made.colour;
      setColour(() => made.colour);
    }, console.warn);
  }, [colour]);
  return colour;
}

interface Line {
  row: Row;
  tokens: readonly Token[];
}

/** A unified diff as GitHub shows it: numbers, colours, changed words; long lines wrap. Everything in it is text. */
export function Diff({ text, path = "", isSplit = false }: { text: string; path?: string; isSplit?: boolean }) {
  const hunks = useMemo(() => parseDiff(text), [text]);
  const colour = useColour();
  const lines = useMemo(() => hunks.map((hunk) => linesOf(hunk, path, colour)), [hunks, path, colour]);
  return (
    <div className={css.diff} data-split={isSplit || undefined}>
      {hunks.map((hunk, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: hunks do not move
        <Fragment key={index}>
          <HunkHead hunk={hunk} before={hunks[index - 1]} />
          {isSplit ? <Split lines={lines[index] ?? []} /> : <Unified lines={lines[index] ?? []} />}
        </Fragment>
      ))}
    </div>
  );
}

/** How much lies between this part and the one before, and in what it is. */
function HunkHead({ hunk, before }: { hunk: Hunk; before: Hunk | undefined }) {
  const end = before ? before.before + before.lines.filter((line) => !line.startsWith("+")).length : 1;
  const left = hunk.before - end;
  if (left <= 0 && !hunk.header) return null;
  return (
    <div className={css.hunk}>
      {left > 0 && <span>{t("diff.unmodified", { n: left })}</span>}
      {hunk.header && <code>{hunk.header}</code>}
    </div>
  );
}

function linesOf(hunk: Hunk, path: string, colour: Colour | null): Line[] {
  const rows = rowsOf(hunk);
  const { before, after } = sidesOf(rows);
  const gone = colour?.(before, path);
  const come = colour?.(after, path);
  let [left, right] = [0, 0];
  return rows.map((row) => {
    const tokens = (row.sign === "-" ? gone?.[left] : come?.[right]) ?? [];
    if (row.sign !== "+") left += 1;
    if (row.sign !== "-") right += 1;
    return { row, tokens };
  });
}

function Unified({ lines }: { lines: readonly Line[] }) {
  return lines.map((line) => (
    <div key={line.row.key} className={css.row} data-sign={line.row.sign}>
      <span className={css.number}>{line.row.sign === "-" ? line.row.before : line.row.after}</span>
      <Code line={line} />
    </div>
  ));
}

function Split({ lines }: { lines: readonly Line[] }) {
  const pairs: [Line | null, Line | null][] = [];
  let removed: Line[] = [];
  for (const line of lines) {
    const { sign } = line.row;
    if (sign === "-") removed.push(line);
    else if (sign === "+") pairs.push([removed.shift() ?? null, line]);
    else {
      for (const left of removed) pairs.push([left, null]);
      removed = [];
      pairs.push([line, line]);
    }
  }
  for (const left of removed) pairs.push([left, null]);
  return pairs.map(([left, right]) => (
    <div key={`${left?.row.key}|${right?.row.key}`} className={css.pair}>
      <div className={css.row} data-sign={left?.row.sign ?? "none"}>
        <span className={css.number}>{left?.row.before}</span>
        {left ? <Code line={left} /> : <span />}
      </div>
      <div className={css.row} data-sign={right?.row.sign ?? "none"}>
        <span className={css.number}>{right?.row.after}</span>
        {right ? <Code line={right} /> : <span />}
      </div>
    </div>
  ));
}

function Code({ line: { row, tokens } }: { line: Line }) {
  const pieces = piecesOf(row.parts, tokens);
  return (
    <code>
      <span className="sr">{row.sign === "+" ? "+ " : row.sign === "-" ? "- " : ""}</span>
      {pieces.map((piece, index) => {
        const Mark = !piece.isChanged ? "span" : row.sign === "-" ? "del" : "ins";
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: parts of a line do not move
          <Mark key={index} className={piece.look || undefined}>
            {piece.text}
          </Mark>
        );
      })}
      {pieces.length === 0 && "\u00a0"}
    </code>
  );
}
