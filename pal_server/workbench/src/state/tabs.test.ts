import { createMemoryHistory } from "@tanstack/react-router";
import { describe, expect, it } from "vitest";
import { TabKeeper } from "./tab-keeper";
import {
  closed,
  closedOthers,
  landing,
  moved,
  NONE,
  numbered,
  opened,
  parse,
  pinned,
  reopened,
  stepped,
  type Tabs,
  visited,
} from "./tabs";

let made = 0;
const visit = (tabs: Tabs, href: string, tab?: string) =>
  visited(tabs, { href, tab, view: `view ${++made}`, fresh: `new ${made}` });
/** Tabs a, b, c and so on with a page of that name each; the first is in sight. */
const of = (...names: string[]): Tabs => ({
  ...NONE,
  open: names.map((id) => ({ id, href: `/${id}`, view: id, isPinned: false })),
  active: names[0] ?? "",
});
/** `[a] b! c`: the one in sight in brackets, pinned ones marked. */
const told = ({ open, active }: Tabs) =>
  open
    .map((one) => `${one.href.slice(1)}${one.isPinned ? "!" : ""}`)
    .map((name, at) => (open[at]?.id === active ? `[${name}]` : name))
    .join(" ");

describe("a page that is shown", () => {
  it("makes the first tab, and replaces what the one in sight has", () => {
    const first = visit(NONE, "/needs");

    expect(told(first)).toBe("[needs]");
    expect(told(visit(first, "/runs?run=4"))).toBe("[runs?run=4]");
  });

  it("brings the tab into sight that its entry of the history belongs to, with the page it had then", () => {
    const after = visit(of("a", "b"), "/earlier", "b");

    expect(told(after)).toBe("a [earlier]");
    expect(after.open[1]?.view).toMatch(/^view/);
  });

  it("brings a tab back that was closed", () => {
    const left = closed(of("a", "b", "c"), "b");

    const after = visit(left, "/b", "b");

    expect(told(after)).toBe("a [b] c");
    expect(after.closed).toEqual([]);
  });
});

describe("a pinned tab", () => {
  const tabs = pinned(of("a", "b", "c"), "a", true);

  it("keeps its page: another is shown beside it, where that is already or in a new one", () => {
    expect(landing(tabs, "/a?run=3")?.id).toBe("a");
    expect(landing(tabs, "/x")).toBeUndefined();
    expect(landing(tabs, "/c")?.id).toBe("c");
    expect(told(visit(tabs, "/a?run=3"))).toBe("[a?run=3!] b c");
    expect(told(visit(tabs, "/x", "a"))).toBe("a! [x] b c");
    expect(told(visit(tabs, "/c", "a"))).toBe("a! b [c]");
  });

  it("may go from one page of the settings to the next", () => {
    const settings = pinned(visit(NONE, "/settings/you"), `new ${made}`, true);

    expect(told(visit(settings, "/settings/bots"))).toBe("[settings/bots!]");
  });

  it("stands before the others, in the order of pinning", () => {
    const two = pinned(tabs, "c", true);

    expect(told(two)).toBe("[a!] c! b");
    expect(told(pinned(two, "a", false))).toBe("c! [a] b");
    expect(told(pinned(two, "nobody", true))).toBe("[a!] c! b");
  });
});

describe("tabs", () => {
  it("are opened at the end, behind the one in sight", () => {
    expect(told(opened(of("a", "b"), { id: "x", href: "/x", view: "x" }))).toBe("[a] b x");
  });

  it("are closed to the next, or to the one before; the last one stays", () => {
    const tabs = { ...of("a", "b", "c"), active: "b" };

    expect(told(closed(tabs, "a"))).toBe("[b] c");
    expect(told(closed(tabs, "b"))).toBe("a [c]");
    expect(told(closed(closed(tabs, "b"), "c"))).toBe("[a]");
    expect(told(closed(of("a"), "a"))).toBe("[a]");
    expect(told(closedOthers(pinned({ ...of("a", "b", "c", "d"), active: "c" }, "d", true), "b"))).toBe("d! [b]");
  });

  it("are opened again where they were, the one that was closed last first", () => {
    const left = closed(closed(of("a", "b", "c", "d"), "b"), "d");

    expect(told(reopened(left))).toBe("a c [d]");
    expect(told(reopened(reopened(left)))).toBe("a [b] c d");
    expect(reopened(of("a")).open).toHaveLength(1);
  });

  it("are moved among their kind", () => {
    const tabs = pinned(of("a", "b", "c", "d"), "a", true);

    expect(told(moved(tabs, "d", 1))).toBe("[a!] d b c");
    expect(told(moved(tabs, "d", 0))).toBe("[a!] d b c");
    expect(told(moved(tabs, "b", 99))).toBe("[a!] c d b");
    expect(told(moved(tabs, "a", 3))).toBe("[a!] b c d");
  });

  it("are stepped through around the end, and have numbers of which nine is the last", () => {
    const tabs = of("a", "b", "c");

    expect(stepped(tabs, 1)?.id).toBe("b");
    expect(stepped(tabs, -1)?.id).toBe("c");
    expect([1, 3, 4, 9].map((n) => numbered(tabs, n)?.id)).toEqual(["a", "c", undefined, "c"]);
    expect(stepped(NONE, 1)).toBeUndefined();
  });

  it("come back from what was kept, and only what can be one", () => {
    const tabs = pinned({ ...of("a", "b"), active: "b" }, "b", true);

    expect(told(parse(JSON.stringify(tabs)))).toBe("[b!] a");
    const strange = [null, 3, { id: "x" }, { id: "y", href: "//elsewhere", view: "", isPinned: false }];
    expect(told(parse(JSON.stringify({ open: [...strange, ...of("a").open], active: "x" })))).toBe("[a]");
    for (const text of [null, "", "null", "3", "{", '{"open":{}}']) expect(parse(text)).toEqual(NONE);
  });
});

describe("tabs and the history", () => {
  const begin = (kept: Record<string, string>, at: string) => {
    const stored = new Map(Object.entries(kept));
    const history = createMemoryHistory({ initialEntries: [at] });
    const keep = {
      read: (name: string) => stored.get(name) ?? null,
      write: (name: string, text: string) => void stored.set(name, text),
    };
    const keeper = new TabKeeper(history, keep);
    return { history, keeper, told: () => told(keeper.get()), kept: () => Object.fromEntries(stored) };
  };

  it("go together: Back leads to the tab one was in, also to one that was closed", () => {
    const { history, keeper, told } = begin({}, "/needs");
    history.push("/runs");
    keeper.open("/files", true);
    expect([told(), history.location.href]).toEqual(["[runs] files", "/runs"]);
    keeper.number(2);
    history.push("/files?q=a");
    expect([told(), history.location.href]).toEqual(["runs [files?q=a]", "/files?q=a"]);

    history.back();
    history.back();
    expect([told(), history.location.href]).toEqual(["[runs] files", "/runs"]);
    history.forward();
    expect(told()).toBe("runs [files]");
    keeper.close(keeper.get().active);
    expect([told(), history.location.href]).toEqual(["[runs]", "/runs"]);
    history.back();
    expect([told(), history.location.href]).toEqual(["runs [files]", "/files"]);
  });

  it("have no second entry for the page one is on", () => {
    const { history } = begin({}, "/needs");
    history.push("/runs");
    history.push("/runs");

    history.back();

    expect(history.location.href).toBe("/needs");
  });

  it("name one visit for as long as one comes back to it", () => {
    const { history, keeper } = begin({}, "/needs");
    const view = keeper.get().open[0]?.view;
    keeper.open("/runs", false);
    keeper.step(-1);

    expect([history.location.href, history.location.state.view]).toEqual(["/needs", view]);
  });

  it("are there again after a load; an address from elsewhere opens where it is, or in the one in sight", () => {
    const kept = { user: "ada", "tabs.ada": JSON.stringify({ ...of("needs", "runs", "files"), active: "runs" }) };

    expect(begin(kept, "/").history.location.href).toBe("/runs");
    expect(begin(kept, "/files").told()).toBe("needs runs [files]");
    expect(begin(kept, "/r/a/4?message=9").told()).toBe("needs [r/a/4?message=9] files");
    const again = begin(kept, "/usage");
    expect(begin(again.kept(), "/").told()).toBe("needs [usage] files");
  });

  it("are each user's own", () => {
    const kept = {
      user: "ada",
      "tabs.ada": JSON.stringify(of("needs")),
      "tabs.lin": JSON.stringify(of("runs", "files")),
    };
    const { keeper, history, told, kept: now } = begin(kept, "/");

    expect([keeper.belongTo("ada"), history.location.href]).toEqual([false, "/needs"]);
    expect([keeper.belongTo("lin"), history.location.href]).toEqual([true, "/runs"]);
    expect(told()).toBe("[runs] files");
    history.push("/usage");
    expect(begin(now(), "/").told()).toBe("[usage] files");
    expect(now()["tabs.ada"]).toBe(kept["tabs.ada"]);
  });

  it("of somebody new begin with where the load began", () => {
    const { keeper, history, told, kept } = begin({}, "/runs?state=failed");
    expect(kept()).toEqual({});

    const view = keeper.get().open[0]?.view;

    expect(keeper.belongTo("ada")).toBe(false);

    expect(keeper.get().open[0]?.view).toBe(view);
    expect([told(), history.location.href]).toEqual(["[runs?state=failed]", "/runs?state=failed"]);
    expect(begin(kept(), "/").told()).toBe("[runs?state=failed]");
  });
});
