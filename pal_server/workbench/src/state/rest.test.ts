import { describe, expect, it } from "vitest";
import { countNeeds, needsOf } from "./attention";
import { apply, begin, isMine } from "./desk";
import { delivery, event, glance, interaction, ME, message, mine, run, snapshot, topic } from "./factories";
import { lookIn, standingOf, statusOf, topicsOf } from "./glances";
import { isQuiet, noticeOf } from "./notices";
import * as outbox from "./outbox";
import { complete, matching, triggerAt } from "./suggest";
import { subjectOf, telling } from "./telling";
import { timelineOf } from "./timeline";

const sending = (clientId: string, given: Partial<outbox.Sending> = {}): outbox.Sending => ({
  clientId,
  room: "room_1",
  topic: 1,
  parent: null,
  content: clientId,
  files: [],
  steer: null,
  at: 99_000,
  state: "waiting",
  reason: "",
  ...given,
});

describe("the outbox", () => {
  it("sends one at a time in each topic, in order", () => {
    const box = [sending("a"), sending("b"), sending("c", { topic: 2 }), sending("d", { topic: 3, state: "refused" })];

    expect(outbox.due(box).map((one) => one.clientId)).toEqual(["a", "c"]);
    expect(outbox.due(outbox.changed(box, "a", { state: "sending" })).map((one) => one.clientId)).toEqual(["c"]);
  });

  it("lets go of what has arrived, whoever told first", () => {
    const box = [sending("a"), sending("b")];

    expect(outbox.arrived(box, mine({ id: 1, client_id: "a" })).map((one) => one.clientId)).toEqual(["b"]);
    expect(outbox.arrived(box, mine({ id: 1 }))).toBe(box);
  });

  it("survives a reload; what was on its way is sent again under its id", () => {
    const kept = outbox.parse(JSON.stringify([sending("a", { state: "sending" }), sending("b", { state: "refused" })]));

    expect(kept.map((one) => [one.clientId, one.state])).toEqual([
      ["a", "waiting"],
      ["b", "refused"],
    ]);
    expect(outbox.parse("no json")).toEqual([]);
  });
});

describe("the timeline", () => {
  const lay = (given: Partial<Parameters<typeof timelineOf>[0]>) =>
    timelineOf({
      messages: [],
      runs: [],
      sending: [],
      readUpTo: null,
      isMine: (one) => isMine(ME, one),
      ...given,
    }).filter((item) => item.type !== "day");

  it("puts a run after what set it off, with its last words inside", () => {
    const items = lay({
      messages: [
        message({ id: 1 }),
        message({ id: 3, run: 2, sender: { kind: "agent", name: "kai", display_name: "", origin: "" } }),
      ],
      runs: [run({ id: 2, created_at: 1000 })],
    });

    expect(items.map((item) => item.key)).toEqual(["m1", "r2"]);
    expect(items[1]).toMatchObject({ words: { id: 3 } });
  });

  it("joins what one speaker says within five minutes", () => {
    const items = lay({ messages: [message({ id: 1 }), message({ id: 2 }), message({ id: 3, created_at: 9e6 })] });

    expect(items.map((item) => "isJoined" in item && item.isJoined)).toEqual([false, true, false]);
  });

  it("marks where the unread begins, and not on one's own words", () => {
    const items = lay({ messages: [message({ id: 1 }), mine({ id: 2 }), message({ id: 3 })], readUpTo: 1 });

    expect(items.map((item) => item.type)).toEqual(["message", "message", "unread", "message"]);
  });

  it("ends with what is on its way", () => {
    expect(lay({ messages: [message({ id: 1 })], sending: [sending("a")] }).at(-1)?.key).toBe("sa");
  });
});

describe("what needs somebody", () => {
  const desk = begin(
    snapshot({
      topics: [
        glance({ topic: topic({ id: 1 }) }),
        glance({
          topic: topic({ id: 2 }),
          unread: 1,
          run: { id: 1, agent: "kai", status: "succeeded" },
          last: words(5),
        }),
        glance({ topic: topic({ id: 3 }), unread: 1, run: { id: 2, agent: "kai", status: "failed" }, last: words(6) }),
      ],
      interactions: [
        interaction({ id: 1, kind: "question", created_at: 1 }),
        interaction({ id: 2, created_at: 2 }),
        interaction({ id: 3, created_at: 3, deny_at: 100 }),
        interaction({ id: 4, status: "answered" }),
        interaction({ id: 5, created_at: 0, run: null, agent: null }),
      ],
      deliveries: [delivery({ id: 9, status: "interrupted", topic: 4, updated_at: 4 })],
    }),
  );

  function words(at: number) {
    return { message: 1, sender: { kind: "agent" as const, name: "kai", display_name: "", origin: "" }, text: "", at };
  }

  it("comes in the order of what its waiting costs", () => {
    expect(needsOf(desk, 10).map((need) => need.key)).toEqual(["i3", "i2", "i1", "d9", "i5", "t3", "t2"]);
    expect(countNeeds(needsOf(desk, 10))).toBe(5);
  });

  it("is gone everywhere once it is answered", () => {
    const answered = apply(desk, event(1, "interaction.answered", interaction({ id: 3, status: "answered" })));

    expect(needsOf(answered, 10).map((need) => need.key)).not.toContain("i3");
  });

  it("shows in the state of its topic before anything else", () => {
    const state = begin(
      snapshot({
        topics: [glance({ run: { id: 1, agent: "kai", status: "running" } })],
        interactions: [interaction({ id: 1 })],
      }),
    );

    const running = glance({ run: { id: 1, agent: "kai", status: "running" } });
    const quiet = standingOf(begin(snapshot()), []);
    expect(statusOf(running, standingOf(state, needsOf(state, 0)))).toBe("waiting");
    expect(statusOf(running, quiet)).toBe("running");
    expect(statusOf(glance({ topic: topic({ archived_at: 1 }) }), quiet)).toBe("resolved");
  });

  it("lists topics by their newest activity, resolved ones last", () => {
    const state = begin(
      snapshot({
        topics: [
          glance({ topic: topic({ id: 1, archived_at: 5 }), last: words(9) }),
          glance({ topic: topic({ id: 2 }), last: words(3) }),
          glance({ topic: topic({ id: 3 }), last: words(7) }),
        ],
      }),
    );

    expect(topicsOf(state, "room_1", "all").map((one) => one.topic.id)).toEqual([3, 2, 1]);
    expect(topicsOf(state, "room_1", "resolved").map((one) => one.topic.id)).toEqual([1]);
  });
});

describe("notices", () => {
  const messages = [mine({ id: 1 }), message({ id: 2 })];
  const desk = { ...begin(snapshot()), logs: { 1: { messages, hasOlder: false } } };
  const notice = (given: ReturnType<typeof event>, minute = 600) =>
    noticeOf(desk, given, minute, (one) => isMine(ME, one))?.text ?? null;

  it("come for what needs somebody, mentions and the ends of one's own runs, and for nothing else", () => {
    expect(notice(event(1, "interaction.opened", interaction({ id: 1 })))).toBe("ask.wantsApproval");
    expect(notice(event(1, "message.created", message({ id: 2, mentions: ["ada"] })))).toBe("notify.mention");
    expect(notice(event(1, "run.finished", run({ id: 1, status: "failed", message: 1 })))).toBe("notify.failed");
    expect(notice(event(1, "message.created", message({ id: 2 })))).toBeNull();
    expect(notice(event(1, "run.finished", run({ id: 1, status: "succeeded", message: 2 })))).toBeNull();
    expect(notice(event(1, "run.finished", run({ id: 1, status: "cancelled", message: 1 })))).toBeNull();
  });

  it("lead to the card, the words or the run, and of a run nobody knows who asked for it is asked", () => {
    const of = (given: ReturnType<typeof event>) => noticeOf(desk, given, 600, (one) => isMine(ME, one));

    expect(of(event(1, "interaction.opened", interaction({ id: 1, message: 7 })))?.shows).toEqual({ message: 7 });
    expect(of(event(1, "message.created", message({ id: 3, mentions: ["ada"] })))?.shows).toEqual({ message: 3 });
    expect(of(event(1, "run.finished", run({ id: 4, status: "failed", message: 1 })))).toMatchObject({
      shows: { run: 4 },
      onlyFor: null,
    });
    expect(of(event(1, "run.finished", run({ id: 4, status: "failed", message: 8 })))?.onlyFor).toBe(8);
  });

  it("are silent in quiet hours, also over midnight", () => {
    expect([isQuiet(1320, 420, 60), isQuiet(1320, 420, 600), isQuiet(60, 120, 90), isQuiet(null, null, 1)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });
});

describe("completing", () => {
  it("knows a name or command before the cursor, and no address", () => {
    expect(triggerAt("hello @de", 9)).toEqual({ sign: "@", word: "de", start: 6 });
    expect(triggerAt("/st", 3)?.sign).toBe("/");
    expect(triggerAt("mail a@b", 8)).toBeNull();
    expect(triggerAt("and/or", 6)).toBeNull();
  });

  it("puts the name in place and leaves the rest", () => {
    const trigger = triggerAt("hi @de there", 6);

    expect(trigger && complete("hi @de there", 6, trigger, "@demo")).toEqual({ text: "hi @demo there", cursor: 9 });
    expect(matching(["kai", "makai", "rue"], "ka", (name) => name)).toEqual(["kai", "makai"]);
    expect(lookIn("Retry storm platform", "plat ret")).toBe(true);
  });
});

it("an event is told in one line", () => {
  const said = telling(event(1, "message.created", message({ id: 4, topic: 7, content: "hi" })));
  expect([said.text, said.who, said.agent, said.topic, said.run]).toEqual(["happened.said", "lin", null, 7, null]);
  const ended = telling(event(1, "run.finished", run({ id: 3, topic: 7, agent: "kai", status: "failed" })));
  expect([ended.given.status, ended.agent, ended.run]).toEqual(["failed", "kai", 3]);
  expect(telling(event(1, "weather.changed", { wind: 3 })).text).toBeNull();
  expect(subjectOf(event(1, "message.created", message({ id: 4, content: "hi" })))).toBe("message 4 lin: hi");
  expect(subjectOf(event(1, "weather.changed", { wind: 3 }))).toBe('{"wind":3}');
});
