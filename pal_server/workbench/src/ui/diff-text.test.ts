import { describe, expect, it } from "vitest";
import { bundledLanguages, languageOf } from "./diff-languages";
import { patchOf } from "./diff-text";

describe("a diff", () => {
  it("is said anew, its hunks counted, without what git says of the file", () => {
    const given =
      "diff --git a/x b/x\nindex 1..2\n--- a/x\n+++ b/x\n@@ -3,9 +3 @@ def f():\n same\n-turn = claim()\n+turn = claim(again)\n+more\n\\ No newline at end of file\n";

    expect(patchOf(given)).toBe(
      "--- a\n+++ b\n@@ -3,2 +3,3 @@ def f():\n same\n-turn = claim()\n+turn = claim(again)\n+more\n",
    );
  });

  it("without a head is read too", () => {
    expect(patchOf("+one\n+two")).toBe("--- a\n+++ b\n@@ -0,0 +1,2 @@\n+one\n+two\n");
    expect(patchOf("-one")).toBe("--- a\n+++ b\n@@ -1,1 +0,0 @@\n-one\n");
  });

  it("has no line that could be taken for another file's, whatever is written in it", () => {
    const patch = patchOf("@@ -1 +1 @@\n--- a/other\n+++ b/other\nFrom 1234 Mon\ndiff --git a/x b/x\n");

    expect(patch.split("\n").slice(2)).toEqual([
      "@@ -1,3 +1,3 @@",
      "--- a/other",
      "+++ b/other",
      " From 1234 Mon",
      " diff --git a/x b/x",
      "",
    ]);
  });

  it("with nothing in it is nothing", () => {
    expect([patchOf(""), patchOf("diff --git a/x b/x\nBinary files differ\n")]).toEqual(["", ""]);
  });

  it("has a language of the short list, or none", () => {
    expect(["zsh", "yml", "objective-cpp", "python", "cobol", "constructor", "text"].map(languageOf)).toEqual([
      "shellscript",
      "yaml",
      "cpp",
      "python",
      "text",
      "text",
      "text",
    ]);
    expect(Object.keys(bundledLanguages).length).toBeLessThan(50);
  });
});
