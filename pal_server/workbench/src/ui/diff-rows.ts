/** Reads a unified diff and finds what changed within its lines. Pure. */

export interface Hunk {
  header: string;
  before: number;
  after: number;
  lines: readonly string[];
}

export interface Row {
  key: string;
  sign: " " | "+" | "-";
  before: number | null;
  after: number | null;
  parts: readonly { text: string; isChanged: boolean }[];
}

/** A piece of a line in one colour; `look` is class names, or nothing. */
export interface Token {
  text: string;
  look: string;
}

const HEADER = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@ ?(.*)$/;
const FILE_LINE =
  /^(diff --git |index |--- |\+\+\+ |new file |deleted file |similarity |rename |Binary |\\ No newline)/;

export function parseDiff(text: string): readonly Hunk[] {
  const hunks: { header: string; before: number; after: number; lines: string[] }[] = [];
  let current: { header: string; before: number; after: number; lines: string[] } | null = null;
  for (const line of text.replace(/\n$/, "").split("\n")) {
    const header = HEADER.exec(line);
    if (header) {
      current = { header: header[3] ?? "", before: Number(header[1]), after: Number(header[2]), lines: [] };
      hunks.push(current);
    } else if (current === null && FILE_LINE.test(line)) {
      // what git says of the file itself
    } else {
      if (current === null) {
        current = { header: "", before: 1, after: 1, lines: [] };
        hunks.push(current);
      }
      if (!line.startsWith("\\ ")) current.lines.push(line);
    }
  }
  return hunks;
}

export function rowsOf(hunk: Hunk): Row[] {
  const rows: Row[] = [];
  let { before, after } = hunk;
  for (let index = 0; index < hunk.lines.length; ) {
    const line = hunk.lines[index] ?? "";
    if (line[0] !== "-" && line[0] !== "+") {
      rows.push(row(" ", before, after, [{ text: line.slice(1), isChanged: false }]));
      before += 1;
      after += 1;
      index += 1;
      continue;
    }
    const gone: string[] = [];
    const come: string[] = [];
    while (hunk.lines[index]?.startsWith("-")) gone.push(hunk.lines[index++]?.slice(1) ?? "");
    while (hunk.lines[index]?.startsWith("+")) come.push(hunk.lines[index++]?.slice(1) ?? "");
    const isPaired = gone.length === come.length;
    gone.forEach((text, place) => {
      rows.push(row("-", before++, null, isPaired ? changedParts(text, come[place] ?? "") : whole(text)));
    });
    come.forEach((text, place) => {
      rows.push(row("+", null, after++, isPaired ? changedParts(text, gone[place] ?? "") : whole(text)));
    });
  }
  return rows;
}

/** A line cut where it begins and ends to differ from its other version, at the borders of words. */
export function changedParts(text: string, other: string): { text: string; isChanged: boolean }[] {
  const ours = text.match(/\w+|\s+|./gu) ?? [];
  const theirs = other.match(/\w+|\s+|./gu) ?? [];
  let start = 0;
  while (start < ours.length && ours[start] === theirs[start]) start += 1;
  let end = 0;
  while (end < ours.length - start && end < theirs.length - start && ours.at(-1 - end) === theirs.at(-1 - end))
    end += 1;
  const middle = ours.slice(start, ours.length - end).join("");
  if (start + end === 0 || middle.length > text.length * 0.8) return whole(text);
  return [
    { text: ours.slice(0, start).join(""), isChanged: false },
    { text: middle, isChanged: true },
    { text: ours.slice(ours.length - end).join(""), isChanged: false },
  ].filter((part) => part.text !== "");
}

/** Both sides of a hunk as texts, to be coloured: a string may go over several lines. */
export function sidesOf(rows: readonly Row[]): { before: string; after: string } {
  const side = (other: Row["sign"]) =>
    rows
      .filter((one) => one.sign !== other)
      .map(lineOf)
      .join("\n");
  return { before: side("+"), after: side("-") };
}

export function lineOf({ parts }: Row): string {
  return parts.map((part) => part.text).join("");
}

/** What has one colour and is changed or not, in order: the ends of both cut the line. */
export function piecesOf(parts: Row["parts"], tokens: readonly Token[]): (Token & { isChanged: boolean })[] {
  const pieces: (Token & { isChanged: boolean })[] = [];
  let index = 0;
  let used = 0;
  for (const { text, isChanged } of parts) {
    for (let at = 0; at < text.length; ) {
      const token = tokens[index];
      const left = token ? token.text.length - used : text.length - at;
      const length = Math.min(left, text.length - at);
      if (length > 0) pieces.push({ text: text.slice(at, at + length), look: token?.look ?? "", isChanged });
      at += length;
      used += length;
      if (token && used >= token.text.length) {
        index += 1;
        used = 0;
      }
    }
  }
  return pieces;
}

function whole(text: string): { text: string; isChanged: boolean }[] {
  return text === "" ? [] : [{ text, isChanged: false }];
}

function row(sign: Row["sign"], before: number | null, after: number | null, parts: Row["parts"]): Row {
  return { key: `${sign}${before ?? ""}:${after ?? ""}`, sign, before, after, parts };
}
