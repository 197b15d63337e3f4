import { describe, expect, it } from "vitest";
import type { Task } from "../wire/contract";
import { columnsOf, fits, heard, meaningOf, placed, shown, type Tasks } from "./board";
import { event, task } from "./factories";

const known = (...tasks: Task[]): Tasks => Object.fromEntries(tasks.map((one) => [one.id, one]));
const codes = (tasks: readonly Task[] | undefined) => tasks?.map((one) => one.code);

describe("tasks", () => {
  const before = known(task({ id: "a" }), task({ id: "b", code: "T-2", status: "ready" }));

  it("are as their last event says, and gone when they are deleted", () => {
    const after = heard(before, [
      event(1, "task.updated", task({ id: "a", status: "review" })),
      event(2, "task.created", task({ id: "c", code: "T-3" })),
      event(3, "run.started", { id: "a" }),
      event(4, "task.deleted", { id: "b" }),
    ]);

    expect(codes(columnsOf(shown(after, {})).get("review"))).toEqual(["T-1"]);
    expect(Object.keys(after)).toEqual(["a", "c"]);
    expect(heard(before, [event(5, "topic.updated", {})])).toBe(before);
  });

  it("moved here are there at once, and back when the move is taken away", () => {
    const moved = shown(before, { a: { status: "ready", order: 0.5 } });

    expect(codes(columnsOf(moved).get("ready"))).toEqual(["T-1", "T-2"]);
    expect(codes(columnsOf(shown(before, {})).get("backlog"))).toEqual(["T-1"]);
  });

  it("follow an answer until the stream says something newer", () => {
    const answered = { a: task({ id: "a", status: "done", updated_at: 5 }) };
    const foreign = event(1, "task.updated", task({ id: "a", status: "review", updated_at: 6 }));

    expect(shown(before, answered)[0]?.status).toBe("done");
    expect(shown(heard(before, [foreign]), answered)[0]?.status).toBe("review");
  });

  it("moved here stay where they were put while others change them", () => {
    const after = heard(before, [event(1, "task.updated", task({ id: "a", title: "Another", status: "done" }))]);

    expect(shown(after, { a: { status: "ready", order: 3 } })[0]).toMatchObject({ title: "Another", status: "ready" });
  });

  it("are found by what they are and say", () => {
    const tea = task({
      id: "a",
      code: "T-7",
      title: "Sell Tea",
      body: "green",
      owner: "ada",
      agent: "kai",
      type: "bug",
    });

    for (const wanted of [{}, { q: "TEA" }, { q: "t-7" }, { q: "gree" }, { owner: "ada", type: "bug", agent: "kai" }]) {
      expect(fits(tea, wanted)).toBe(true);
    }
    for (const wanted of [{ q: "milk" }, { owner: "lin" }, { agent: "rue" }, { type: "docs" }, { project: "bar" }]) {
      expect(fits(tea, wanted)).toBe(false);
    }
  });
});

describe("a column", () => {
  it("is in the order of its cards, and older ones are first where that is the same", () => {
    const cards = [
      task({ id: "c", code: "T-3", order: 2 }),
      task({ id: "b", code: "T-2", order: 1, created_at: 9 }),
      task({ id: "a", code: "T-1", order: 1, created_at: 3 }),
    ];

    expect(codes(columnsOf(cards).get("backlog"))).toEqual(["T-1", "T-2", "T-3"]);
  });
});

describe("a card that is dropped", () => {
  const card = task({ id: "x", order: 9 });
  const column = (...orders: number[]) => orders.map((order, at) => task({ id: `t${at}`, order }));
  const dropped = (cards: Task[], at: number) => {
    const orders = new Map(placed(cards, at, card).map((one) => [one.id, one.order]));
    const all = [...cards, card].map((one) => ({ ...one, order: orders.get(one.id) ?? one.order }));
    return columnsOf(all)
      .get("backlog")
      ?.map((one) => one.id);
  };

  it("is given a number between its neighbours and changes nothing else", () => {
    const cards = column(1, 2, 3);

    expect(placed(cards, 0, card)).toEqual([{ id: "x", order: 0 }]);
    expect(placed(cards, 1, card)).toEqual([{ id: "x", order: 1.5 }]);
    expect(placed(cards, 3, card)).toEqual([{ id: "x", order: 4 }]);
    expect(placed([], 0, card)).toEqual([{ id: "x", order: 9 }]);
  });

  it("makes room where no number lies between them", () => {
    expect(dropped(column(1, 1, 1, 2), 1)).toEqual(["t0", "x", "t1", "t2", "t3"]);
    expect(dropped(column(1, 1, 1), 2)).toEqual(["t0", "t1", "x", "t2"]);
    expect(dropped(column(1, 1 + 1e-16, 5), 1)).toEqual(["t0", "x", "t1", "t2"]);
  });

  it("stands where it was put however often one puts another before it", () => {
    let cards = column(1, 2);
    for (let turn = 0; turn < 200; turn += 1) {
      const next = task({ id: `n${turn}`, order: 0 });
      const orders = new Map(placed(cards, 1, next).map((one) => [one.id, one.order]));
      cards = [...cards, next].map((one) => ({ ...one, order: orders.get(one.id) ?? one.order }));
      cards.sort((one, other) => one.order - other.order);

      expect(cards[1]?.id).toBe(next.id);
    }
  });

  it("means what the column says", () => {
    const mine = task({ id: "a", agent: "kai" });

    expect(meaningOf(mine, "backlog", false)).toBe("place");
    expect(meaningOf(mine, "in_progress", false)).toBe("start");
    expect(meaningOf(mine, "in_progress", true)).toBe("move");
    expect(meaningOf(task({ id: "a" }), "in_progress", false)).toBe("move");
    expect(meaningOf(mine, "waiting", false)).toBe("explain");
    expect(meaningOf(mine, "done", false)).toBe("move");
  });
});
