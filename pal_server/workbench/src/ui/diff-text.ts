/** Reads a unified diff as any agent gives it, and says it anew so that every number in it is true. Pure. */

interface Hunk {
  header: string;
  before: number;
  after: number;
  lines: string[];
}

const CONTEXT = 40; // characters of the words after a hunk's numbers; in two columns there is no place for more
const HEADER = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@ ?(.*)$/;
const FILE_LINE =
  /^(diff --git |index |--- |\+\+\+ |new file |deleted file |similarity |rename |Binary |\\ No newline)/;

/** One patch of one file without a name, its hunks counted; empty when nothing is in it. */
export function patchOf(text: string): string {
  const hunks = hunksOf(text).filter(({ lines }) => lines.length > 0);
  return hunks.length === 0 ? "" : `--- a\n+++ b\n${hunks.map(render).join("")}`;
}

function hunksOf(text: string): Hunk[] {
  const hunks: Hunk[] = [];
  if (text === "") return hunks;
  let current: Hunk | null = null;
  for (const line of text.replace(/\n$/, "").split("\n")) {
    const header = HEADER.exec(line);
    if (header) {
      current = { header: header[3] ?? "", before: Number(header[1]), after: Number(header[2]), lines: [] };
      hunks.push(current);
    } else if (current !== null || !FILE_LINE.test(line)) {
      if (current === null) {
        current = { header: "", before: 1, after: 1, lines: [] };
        hunks.push(current);
      }
      if (!line.startsWith("\\ ")) current.lines.push(/^[ +-]/.test(line) ? line : ` ${line}`);
    }
  }
  return hunks;
}

function render({ header, before, after, lines }: Hunk): string {
  const gone = lines.filter((line) => !line.startsWith("+")).length;
  const come = lines.filter((line) => !line.startsWith("-")).length;
  const at = (start: number, count: number) => `${count === 0 && start === 1 ? 0 : start},${count}`;
  const words = header.length > CONTEXT ? `${header.slice(0, CONTEXT - 1)}…` : header;
  return `@@ -${at(before, gone)} +${at(after, come)} @@${words && ` ${words}`}\n${lines.join("\n")}\n`;
}
