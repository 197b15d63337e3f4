import { describe, expect, it } from "vitest";
import { runEvent as told } from "./factories";
import { applyEvents, byFile, countLines, EMPTY } from "./run-view";

const view = (...events: ReturnType<typeof told>[]) => applyEvents(EMPTY, events);

describe("a run", () => {
  it("has its words in one piece, however they came", () => {
    const shown = view(
      told(1, "message", "Hello ", { id: "a" }),
      told(2, "message", "wor", { id: "a" }),
      told(3, "message", "second", { id: "b" }),
      told(4, "message", "Hello world", { id: "a", replaces: true }),
    );

    expect(shown.texts.map((one) => one.text)).toEqual(["Hello world", "second"]);
  });

  it("takes every event once", () => {
    const first = view(told(1, "message", "one", { id: "a" }));

    expect(applyEvents(first, [told(1, "message", "one", { id: "a" })])).toBe(first);
    expect(
      applyEvents(first, [told(1, "message", "one"), told(2, "message", " two", { id: "a" })]).texts[0]?.text,
    ).toBe("one two");
  });

  it("joins a tool, its command and what came back into one step", () => {
    const shown = view(
      told(1, "tool_call", null, { id: "t", name: "Bash", kind: "execute", title: "run tests" }),
      told(2, "command", "pytest -q", { id: "t", command: "pytest -q" }),
      told(9, "tool_result", "2 failed", { id: "t", status: "failed", exit: 1 }),
    );

    expect(shown.steps).toHaveLength(1);
    expect(shown.steps[0]).toMatchObject({
      kind: "command",
      title: "pytest -q",
      state: "failed",
      exit: 1,
      output: "2 failed",
      endedAt: 9000,
    });
  });

  it("says what became of its files, several edits of one together", () => {
    const diff = "@@ -1 +1,2 @@\n-a\n+b\n+c\n";
    const shown = view(
      told(1, "file_change", null, { path: "b.py", change: "add", diff }),
      told(2, "file_change", null, { path: "a.py", change: "edit", diff }),
      told(3, "file_change", null, { path: "b.py", change: "edit", diff }),
    );

    expect(
      byFile(shown.changes).map(({ path, change, added, removed, diffs }) => [
        path,
        change,
        added,
        removed,
        diffs.length,
      ]),
    ).toEqual([
      ["a.py", "edit", 2, 1, 1],
      ["b.py", "add", 4, 2, 2],
    ]);
    expect(countLines("--- a/x\n+++ b/x\n+one\n")).toEqual([1, 0]);
  });

  it("keeps list, plan, use and helpers as they were told last", () => {
    const shown = view(
      told(1, "todo", null, {
        entries: [
          { text: "one", status: "completed" },
          { text: "two", status: "strange" },
        ],
      }),
      told(2, "usage", null, {
        input_tokens: 10,
        output_tokens: 5,
        cost_usd: 0.5,
        model: "m",
        context_used: 1,
        context_size: 4,
      }),
      told(3, "subagent", "search", { id: "s", state: "started" }),
      told(4, "subagent", null, { id: "s", state: "ended" }),
      told(5, "plan", "1. do it"),
    );

    expect(shown.todo.map((entry) => entry.status)).toEqual(["completed", "pending"]);
    expect(shown).toMatchObject({ tokens: 15, cost: 0.5, model: "m", context: { used: 1, size: 4 }, plan: "1. do it" });
    expect(shown.lanes).toEqual([{ id: "s", name: "search", isOpen: false }]);
  });

  it("shows plainly what it does not know", () => {
    expect(view(told(1, "hologram", null, { x: 1 })).steps[0]).toMatchObject({ kind: "notice", title: "hologram" });
  });

  it("survives data of any shape", () => {
    const odd: unknown[] = [null, 7, "text", [], { id: 4 }, { entries: "no" }, { paths: [1, null] }];
    for (const kind of [
      "message",
      "tool_call",
      "tool_result",
      "command",
      "file_change",
      "todo",
      "usage",
      "subagent",
      "status",
    ]) {
      const events = odd.map((data, index) => told(index + 1, kind, null, (data ?? {}) as Record<string, unknown>));
      expect(applyEvents(EMPTY, events).seq).toBe(odd.length);
    }
  });
});
