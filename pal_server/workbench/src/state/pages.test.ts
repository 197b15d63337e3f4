import { describe, expect, it } from "vitest";
import { helloCommand, onboardCommand } from "./agent-command";
import { run, runEvent } from "./factories";
import { lastLines } from "./last-lines";
import { NOTHING_RECALLED, type Recall, recalled, textOf } from "./recall";
import { applyEvents, EMPTY } from "./run-view";
import { complete, pathWords, topicLink, triggerAt } from "./suggest";
import { wallOf } from "./wall";

describe("the wall", () => {
  const runs = Object.fromEntries(
    [
      run({ id: 1, agent: "kai", room: "r1", computer: "m1", status: "running" }),
      run({ id: 2, agent: "rue", room: "r2", computer: "m1", status: "waiting" }),
      run({ id: 3, agent: "kai", room: "r2", computer: "m2", status: "starting" }),
      run({ id: 4, agent: "kai", room: "r1", computer: "m1", status: "succeeded" }),
    ].map((one) => [one.id, one]),
  );
  const ids = (filter: Parameters<typeof wallOf>[1]) => wallOf(runs, filter).map((one) => one.id);

  it("has every live run, those that wait for somebody first, the rest in its place", () => {
    expect(ids({})).toEqual([2, 1, 3]);
  });

  it("is narrowed by agent, room, computer and state, all at once", () => {
    expect(ids({ agent: "kai" })).toEqual([1, 3]);
    expect(ids({ room: "r2" })).toEqual([2, 3]);
    expect(ids({ computer: "m1", state: "waiting" })).toEqual([2]);
    expect(ids({ agent: "kai", room: "r2", computer: "m1" })).toEqual([]);
  });

  it("shows the end of what was done and said, each step as one line", () => {
    const view = applyEvents(EMPTY, [runEvent(1, "status", "thinking"), runEvent(2, "command", "ls\n-la")]);
    const later = applyEvents(view, [
      { ...runEvent(3, "message", "not this"), lane: "helper" },
      runEvent(4, "message", "one\n\ntwo\nthree"),
    ]);

    expect(lastLines(view, 3)).toEqual(["ls", "thinking"]);
    expect(lastLines(later, 3)).toEqual(["one", "two", "three"]);
    expect(lastLines(later, 9)).toEqual(["ls", "one", "two", "three"]);
    expect(lastLines(EMPTY, 3)).toEqual([]);
  });
});

describe("the command that makes an agent", () => {
  const agent = { key: "kai", name: "Kai", runtime: "demo", computer: "studio-1", command: "", folder: "" };

  it("has what was chosen and nothing else", () => {
    expect(onboardCommand(agent)).toBe(
      "pal console agents onboard --key kai --name Kai --runtime demo --computer-id studio-1",
    );
    expect(onboardCommand({ ...agent, key: "", name: "", computer: "" })).toBe(
      "pal console agents onboard --key KEY --runtime demo",
    );
  });

  it("is one shell line, whatever was typed", () => {
    expect(onboardCommand({ ...agent, name: "it's; rm -rf ~", folder: "/my work" })).toContain(
      `--name 'it'\\''s; rm -rf ~' --runtime demo --computer-id studio-1 --cwd '/my work'`,
    );
    expect(helloCommand("kai", "general")).toBe("pal cli send --room general '@kai hello'");
  });
});

describe("what is completed", () => {
  it("is a path after an at, a word after a slash, in any script", () => {
    expect(triggerAt("look at @src/ap", 15)).toEqual({ sign: "@", word: "src/ap", start: 8 });
    expect(triggerAt("#修复", 3)).toEqual({ sign: "#", word: "修复", start: 0 });
    expect(triggerAt("/rev", 4)).toEqual({ sign: "/", word: "rev", start: 0 });
    expect(triggerAt("/etc/passwd", 11)).toBeNull();
    expect(triggerAt("mail me@here", 12)).toBeNull();
  });

  it("takes the place of what was typed, with one space after it", () => {
    const trigger = triggerAt("see @ap now", 7);
    if (!trigger) throw new Error("nothing to complete");

    expect(complete("see @ap now", 7, trigger, pathWords("src/a`b.py"))).toEqual({
      text: "see ``src/a`b.py`` now",
      cursor: 19,
    });
  });

  it("links a topic so that signs in its title stay text", () => {
    expect(topicLink("a [b](http://x) `c`", "http://pal/r/general/3")).toBe(
      "[#a \\[b\\](http://x) \\`c\\`](http://pal/r/general/3)",
    );
  });
});

describe("what was sent before", () => {
  it("comes back one by one and ends in the empty field", () => {
    let recall: Recall = { ...NOTHING_RECALLED, texts: ["newest", "older"] };
    const seen: string[] = [];
    for (const step of [1, 1, 1, -1, -1, -1] as const) {
      recall = recalled(recall, step);
      seen.push(textOf(recall));
    }

    expect(seen).toEqual(["newest", "older", "older", "newest", "", ""]);
  });
});
