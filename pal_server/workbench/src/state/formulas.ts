/**
 * Finds the formulas in Markdown and writes them in the one way that is read as such: `$$…$$`. Pure.
 *
 * People and agents write `$x$`, `$$x$$`, `\(x\)` and `\[x\]`; they also write "$5 and $10", which is none: a formula
 * in single signs begins and ends with something else than a space, and no digit follows it. Code is left as it is.
 */

const CODE = /(`+)[^`](?:[\s\S]*?[^`])?\1(?!`)/;
const DOUBLE = /\$\$([\s\S]+?)\$\$/;
const ROUND = /\\\(([\s\S]+?)\\\)/;
const SQUARE = /\\\[([\s\S]+?)\\\]/;
const SINGLE = /(?<![\\$\w])\$(?![\s$])((?:\\.|[^$\n\\])+?)(?<!\s)\$(?![\d\w$])/;
const ANY = new RegExp([CODE, DOUBLE, ROUND, SQUARE, SINGLE].map((one) => one.source).join("|"), "g");
const LONGEST = 20_000; // characters of a block that is looked at
const FENCE = /^ {0,3}(```|~~~)/;

/** Whether a text is worth looking at. */
export function mayHoldFormulas(text: string): boolean {
  return /\$|\\[([]/.test(text);
}

/** The block with its formulas in double signs, or null when it has none. */
export function withFormulas(block: string): string | null {
  if (block.length > LONGEST || !mayHoldFormulas(block) || FENCE.test(block)) return null;
  let count = 0;
  const text = block.replace(ANY, (whole, code, double, round, square, single) => {
    if (code !== undefined) return whole;
    count += 1;
    const display = square ?? (double !== undefined && isAlone(block, whole) ? double : undefined);
    if (display !== undefined) return `\n\n$$\n${display.trim()}\n$$\n\n`;
    return `$$${(double ?? round ?? single).trim()}$$`;
  });
  return count > 0 ? text : null;
}

/** Whether nothing else stands on the lines of a formula: then it is a line of its own. */
function isAlone(block: string, whole: string): boolean {
  const at = block.indexOf(whole);
  const before = block.slice(block.lastIndexOf("\n", at - 1) + 1, at);
  const after = block.slice(at + whole.length).split("\n")[0] ?? "";
  return before.trim() === "" && after.trim() === "";
}
