import { expect, it } from "vitest";
import { colour } from "./colours";
import { lineOf, parseDiff, piecesOf, rowsOf, sidesOf } from "./diff-rows";

it("code is coloured by the name of its file, line by line", () => {
  const lines = colour('def f():\n    """two\n    lines"""\n    return 1', "a/b.py");

  expect(lines?.map((line) => line.map((token) => token.text).join(""))).toEqual([
    "def f():",
    '    """two',
    '    lines"""',
    "    return 1",
  ]);
  expect(lines?.[2]?.at(-1)?.look).toContain("hljs-string");
  expect(colour("x", "a/b.unknown")).toBeNull();
});

it("colours and changed words cut a line where either ends, and nothing of it is lost", () => {
  const [hunk] = parseDiff('@@ -1,2 +1,2 @@\n-x = claim("a")\n+x = claim("a", again=True)\n y = 2');
  const rows = hunk ? rowsOf(hunk) : [];
  const { before, after } = sidesOf(rows);
  const tokens = colour(after, "x.py");
  const row = rows[1];
  const pieces = row ? piecesOf(row.parts, tokens?.[0] ?? []) : [];

  expect([before, after]).toEqual(['x = claim("a")\ny = 2', 'x = claim("a", again=True)\ny = 2']);
  expect(pieces.map((piece) => piece.text).join("")).toBe(row && lineOf(row));
  expect(pieces.some((piece) => piece.isChanged && piece.look.includes("literal"))).toBe(true);
  expect(piecesOf([{ text: "plain", isChanged: false }], [])).toEqual([{ text: "plain", look: "", isChanged: false }]);
});
