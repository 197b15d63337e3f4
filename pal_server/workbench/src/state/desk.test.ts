import { describe, expect, it } from "vitest";
import type { Event } from "../wire/contract";
import { apply, begin, type Desk, merge, withAnswered, withInteraction, withMessages, withPage } from "./desk";
import { delivery, event, glance, interaction, message, mine, run, snapshot, topic } from "./factories";

const opened = (desk: Desk): Desk => withMessages(desk, 1, [], { hasOlder: false });
const follow = (desk: Desk, ...events: Event[]): Desk => events.reduce(apply, desk);
const said = (position: number, one = message({ id: position })): Event =>
  event(position, "message.created", { ...one, deliveries: [] });

describe("rooms", () => {
  it("for a while disappear, and what was in them is asked for anew", () => {
    const before = follow(begin(snapshot()), event(1, "room.created", { id: "room_9", name: "relay" }));

    const desk = apply(before, event(2, "room.ended", { id: "room_9" }));

    expect(before.rooms.room_9).toBeDefined();
    expect(desk.rooms.room_9).toBeUndefined();
    expect(desk.isBehind).toBe(true);
  });
});

describe("messages", () => {
  it("stand in the order of their ids, each once", () => {
    const desk = follow(opened(begin(snapshot())), said(1), said(2), said(2), said(1), said(3));

    expect(desk.logs[1]?.messages.map((one) => one.id)).toEqual([1, 2, 3]);
    expect(desk.position).toBe(3);
  });

  it("of others count as unread, one's own do not", () => {
    const desk = follow(begin(snapshot()), said(1), said(2, mine({ id: 2 })), said(3));

    expect(desk.topics[1]?.unread).toBe(2);
    expect(desk.topics[1]?.last?.text).toBe("message 3");
  });

  it("bring their deliveries, which are known by their events from then on", () => {
    const told = { ...message({ id: 4 }), deliveries: [{ id: 9, agent: "kai", status: "pending", reason: "mention" }] };
    const desk = follow(begin(snapshot()), event(1, "message.created", told));

    expect(desk.deliveries[9]).toMatchObject({
      message: 4,
      topic: 1,
      agent: "kai",
      status: "pending",
      steered_into: null,
    });
    expect(follow(desk, event(2, "delivery.acked", delivery({ id: 9, status: "acked" }))).deliveries).toEqual({});
  });

  it("are not kept for a topic nobody has opened", () => {
    expect(follow(begin(snapshot()), said(1)).logs[1]).toBeUndefined();
  });

  it("are read up to a mark, which may go back", () => {
    const read = (position: number, upTo: number, unread: number) =>
      event(position, "topic.read", { topic: 1, message: upTo, unread });
    const desk = follow(begin(snapshot()), said(1), said(2), read(3, 2, 0), said(4));

    expect(desk.topics[1]).toMatchObject({ read: 2, unread: 1 });
    expect(follow(desk, read(5, 1, 2)).topics[1]).toMatchObject({ read: 1, unread: 2 });
  });

  it("that are deleted leave the list and the newest words", () => {
    const desk = follow(
      opened(begin(snapshot())),
      said(1),
      said(2),
      event(3, "message.deleted", message({ id: 2, deleted_at: 9 })),
    );

    expect(desk.logs[1]?.messages.filter((one) => one.deleted_at === null).map((one) => one.id)).toEqual([1]);
    expect(desk.topics[1]?.last?.text).toBe("message 1");
  });

  it("that were loaded later do not undo what the stream said since", () => {
    const edited = message({ id: 1, content: "new", edited_at: 5 });

    expect(merge([edited], [message({ id: 1 }), message({ id: 2 })]).map((one) => one.content)).toEqual([
      "new",
      "message 2",
    ]);
    expect(merge([message({ id: 3 })], [message({ id: 1 })]).map((one) => one.id)).toEqual([1, 3]);
  });
});

describe("a page that was asked for", () => {
  const page = { messages: [message({ id: 1 })], hasOlder: false, runs: [], deliveries: [] };

  it("has what the stream told while it was on its way, and was read before that", () => {
    const meanwhile = [said(5, message({ id: 2 })), said(6, message({ id: 3, topic: 77 }))];
    const desk = withPage(follow(begin(snapshot()), ...meanwhile), 1, page, meanwhile);

    expect(desk.logs[1]?.messages.map((one) => one.id)).toEqual([1, 2]);
  });

  it("does not undo an edit or the end of a run or delivery that came meanwhile", () => {
    const meanwhile = [
      event(5, "message.edited", message({ id: 1, content: "new", edited_at: 9 })),
      event(6, "message.edited", message({ id: 0, content: "of an earlier page", edited_at: 9 })),
      event(7, "run.finished", run({ id: 4, status: "succeeded" })),
      event(8, "delivery.acked", delivery({ id: 5, status: "acked" })),
    ];
    const answer = { ...page, runs: [run({ id: 4 }), run({ id: 3 })], deliveries: [delivery({ id: 5 })] };
    const desk = withPage(follow(begin(snapshot()), ...meanwhile), 1, answer, meanwhile);

    expect(desk.logs[1]?.messages.map((one) => one.content)).toEqual(["new"]);
    expect([desk.runs[4]?.status, desk.runs[3]?.status]).toEqual(["succeeded", "running"]);
    expect(desk.deliveries).toEqual({});
  });

  it("or an answer that comes after the events of what it did takes nothing back", () => {
    const done = follow(
      begin(snapshot()),
      event(1, "interaction.applied", interaction({ id: 5, status: "applied" })),
      event(2, "delivery.changed", delivery({ id: 6, status: "claimed", updated_at: 9 })),
    );

    expect(withInteraction(done, interaction({ id: 5, status: "answered" })).interactions[5]?.status).toBe("applied");
    expect(withAnswered(done, delivery({ id: 6, updated_at: 8 })).deliveries[6]?.status).toBe("claimed");
    expect(withInteraction(done, interaction({ id: 7 })).interactions[7]?.status).toBe("pending");
    expect(withAnswered(done, delivery({ id: 7 })).deliveries[7]?.status).toBe("pending");
  });
});

describe("everything else", () => {
  it("is the thing as the event has it", () => {
    const desk = follow(
      begin(snapshot()),
      event(1, "run.started", run({ id: 4 })),
      event(2, "interaction.opened", interaction({ id: 5 })),
      event(3, "topic.changed", topic({ title: "Named" })),
      event(4, "presence.began", { user: "lin" }, null),
      event(5, "draft.written", { topic: 1, content: "half", updated_at: 1 }, null),
      event(6, "run.finished", run({ id: 4, status: "succeeded" })),
    );

    expect(desk.runs[4]?.status).toBe("succeeded");
    expect(desk.interactions[5]?.status).toBe("pending");
    expect(desk.topics[1]).toMatchObject({
      topic: { title: "Named" },
      run: { id: 4, status: "succeeded" },
      agents: ["kai"],
    });
    expect(desk.present).toEqual({ lin: true });
    expect(desk.drafts[1]?.content).toBe("half");
  });

  it("keeps deliveries for as long as somebody has to look at them", () => {
    const open = follow(begin(snapshot()), event(1, "delivery.created", delivery({ id: 1 })));
    const done = follow(open, event(2, "delivery.acked", delivery({ id: 1, status: "acked" })));
    const bad = follow(open, event(2, "delivery.interrupted", delivery({ id: 1, status: "interrupted" })));

    expect([open, done, bad].map((desk) => Object.keys(desk.deliveries).length)).toEqual([1, 0, 1]);
  });

  it("of an unknown kind is kept to be shown, and goes on", () => {
    const desk = follow(begin(snapshot()), event(1, "weather.changed", { wind: 3 }), said(2));

    expect(desk.unknown.map((one) => one.kind)).toEqual(["weather.changed"]);
    expect(desk.topics[1]?.unread).toBe(1);
  });

  it("in a room that was out of sight asks for a new snapshot", () => {
    expect(follow(begin(snapshot()), event(1, "member.joined", {}, "room_new")).isBehind).toBe(true);
    expect(follow(begin(snapshot()), said(1, message({ id: 1, topic: 77 }))).isBehind).toBe(true);
  });
});

describe("a stream that is cut", () => {
  /** Numbers that look random and are the same in every run. */
  function chance(seed: number): () => number {
    let state = seed;
    return () => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state / 2_147_483_648;
    };
  }

  function story(next: () => number, length: number): Event[] {
    let id = 0;
    return Array.from({ length }, (_, index): Event => {
      const position = index + 1;
      const dice = next();
      const known = Math.max(1, Math.floor(next() * id));
      if (dice < 0.5 || id === 0) {
        id += 1;
        return said(position, next() < 0.3 ? mine({ id }) : message({ id }));
      }
      if (dice < 0.6)
        return event(
          position,
          "message.edited",
          message({ id: known, content: `edit ${position}`, edited_at: position }),
        );
      if (dice < 0.7) return event(position, "topic.read", { topic: 1, message: known, unread: id - known });
      if (dice < 0.8)
        return event(position, "run.changed", run({ id: known, status: next() < 0.5 ? "running" : "failed" }));
      if (dice < 0.9)
        return event(position, "delivery.changed", delivery({ id: known, status: next() < 0.5 ? "pending" : "acked" }));
      return event(position, "interaction.answered", interaction({ id: known, status: "answered" }));
    });
  }

  it("fifty times, and resumed from its position or before it, ends where one that was never cut ends", () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const next = chance(seed);
      const events = story(next, 400);
      const whole = events.reduce(apply, opened(begin(snapshot())));

      let cut = opened(begin(snapshot()));
      for (let times = 0; times < 50; times += 1) {
        const back = Math.floor(next() * 5); // a server that sends some of it again
        const from = Math.max(0, cut.position - back);
        cut = events.slice(from, from + back + Math.ceil(next() * 12)).reduce(apply, cut);
      }
      cut = events.slice(cut.position).reduce(apply, cut);

      expect(cut).toEqual(whole);
    }
  });

  it("and a snapshot taken meanwhile leave nothing out and nothing twice", () => {
    const events = [said(1), said(2), said(3)];
    const later = begin(snapshot({ position: 2, topics: [glance({ unread: 2, last: null })] }));

    expect(events.reduce(apply, later).topics[1]?.unread).toBe(3);
  });
});
