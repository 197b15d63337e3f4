import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bytesOf, webAddress, withCtrl } from "../state/terminal-keys";
import type { Terminal } from "./contract";
import { type Socket, TerminalLine } from "./terminal-line";

const TERMINAL = { id: "term_1", cols: 80, rows: 24 } as Terminal;
const hello = (from: number, more: object = {}) =>
  JSON.stringify({ type: "hello", terminal: TERMINAL, may_type: true, cols: 80, rows: 24, from, ...more });
const textOf = (data: string | Uint8Array) => (typeof data === "string" ? data : new TextDecoder().decode(data));
const bytes = (text: string) => new TextEncoder().encode(text);

/** A line whose other end is here. */
function scene() {
  const opened: { path: string; socket: Socket; sent: (string | Uint8Array)[] }[] = [];
  const seen: unknown[][] = [];
  const note =
    (name: string) =>
    (...given: unknown[]) =>
      void seen.push([name, ...given]);
  const line = new TerminalLine(
    "term_1",
    (path) => {
      const sent: (string | Uint8Array)[] = [];
      const socket: Socket = { send: (data) => sent.push(data), close: () => {}, onmessage: null, onclose: null };
      opened.push({ path, socket, sent });
      return socket;
    },
    {
      hello: ({ isNew, mayType }) => seen.push(["hello", isNew, mayType]),
      output: (data) => seen.push(["output", new TextDecoder().decode(data)]),
      size: note("size"),
      state: note("state"),
      closed: note("closed"),
      away: (retryAt) => seen.push(["away", retryAt !== null]),
      waits: note("waits"),
      dropped: note("dropped"),
    },
  );
  line.start();
  const last = () => opened.at(-1) ?? opened[0];
  const say = (data: string | Uint8Array) => last()?.socket.onmessage?.(data);
  return { line, opened, seen, say, cut: (code = 1006) => last()?.socket.onclose?.(code) };
}

describe("a terminal's line", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("goes on where it was, and shows nothing twice", () => {
    const { opened, seen, say, cut } = scene();
    say(hello(100));
    say(bytes("abc"));
    cut();
    vi.runOnlyPendingTimers();
    say(hello(103));
    say(bytes("d"));

    expect(opened.map((one) => one.path.replace(/typist=[0-9a-f]{24}/, "typist=us"))).toEqual([
      "/api/terminals/term_1/ws?typist=us",
      "/api/terminals/term_1/ws?typist=us&from=103",
    ]);
    expect(seen).toEqual([
      ["away", false],
      ["hello", true, true],
      ["output", "abc"],
      ["away", true],
      ["away", false],
      ["hello", false, true],
      ["output", "d"],
    ]);
  });

  it("begins anew when what was between is gone", () => {
    const { opened, seen, say, cut } = scene();
    say(hello(0));
    say(bytes("abc"));
    say(hello(5_000));
    say(bytes("xyz"));
    cut();
    vi.runOnlyPendingTimers();

    expect(seen.filter(([name]) => name === "hello")).toEqual([
      ["hello", true, true],
      ["hello", true, true],
    ]);
    expect(opened.at(-1)?.path).toContain("&from=5003");
  });

  it("keeps what is typed before it is there and while it is away, in order", () => {
    const { line, opened, seen, say, cut } = scene();
    line.type("pw");
    line.type("d\r");
    say(hello(0));
    line.type("ls\r");
    line.resize(100, 30);
    cut();
    line.type("id\r");
    vi.runOnlyPendingTimers();
    say(hello(0, { typed: 7 }));

    expect(opened.map((one) => one.sent.map(textOf))).toEqual([
      ["pwd\r", "ls\r", '{"type":"resize","cols":100,"rows":30}'],
      ["id\r"],
    ]);
    expect(seen.filter(([name]) => name === "waits").map(([, count]) => count)).toEqual([2, 4, 0, 3, 0]);
  });

  it("says again what was not taken when the connection broke, once", () => {
    const { line, opened, say, cut } = scene();
    say(hello(0));
    line.type("é\rls\r");
    say('{"type":"typed","bytes":3}');
    line.type("pwd\r");
    say(hello(9, { typed: 3 })); // something that was printed is gone, and nothing that was typed
    cut();
    line.type("id\r");
    vi.runOnlyPendingTimers();
    say(hello(9, { typed: 6 }));
    say('{"type":"typed","bytes":13}');
    cut();
    vi.runOnlyPendingTimers();
    say(hello(9, { typed: 13 }));

    expect(opened.map((one) => one.sent.map(textOf))).toEqual([["é\rls\r", "pwd\r"], ["pwd\r", "id\r"], []]);
  });

  it("says so when a new server does not know what was taken, and goes on with what comes next", () => {
    const { line, opened, seen, say, cut } = scene();
    say(hello(0));
    line.type("ls\r");
    cut();
    vi.runOnlyPendingTimers();
    say(hello(0));
    line.type("pwd\r");
    cut();
    vi.runOnlyPendingTimers();
    say(hello(0, { typed: 4 }));

    expect(seen.filter(([name]) => name === "dropped").length).toBe(1);
    expect(opened.map((one) => one.sent.map(textOf))).toEqual([["ls\r"], ["pwd\r"], []]);
  });

  it.each([
    ["waited too long", 60_001, "ls\r", true],
    ["is too much", 0, "x".repeat((1 << 20) + 1), true],
    ["is not ours to type", 0, "ls\r", false],
  ])("drops the whole of what %s, and says so", (_, passed, text, mayType) => {
    const { line, opened, seen, say } = scene();
    line.type("rm -rf ");
    vi.setSystemTime(Date.now() + passed);
    line.type(text);
    say(hello(0, { may_type: mayType }));

    expect(opened[0]?.sent).toEqual([]);
    expect(seen.at(-1)).toEqual(["dropped"]);
  });

  it("ends with the terminal, or with the right to look", () => {
    for (const end of ["closed", "refused"] as const) {
      const { opened, seen, say, cut } = scene();
      say(hello(0));
      if (end === "closed") say('{"type":"closed","reason":"it ended","exit":3}');
      cut(end === "closed" ? 1000 : 1008);
      vi.runAllTimers();

      expect(opened.length).toBe(1);
      expect(seen.at(-1)).toEqual(end === "closed" ? ["closed", "it ended", 3] : ["closed", "", null]);
    }
  });

  it("lets pass what it does not know", () => {
    const { seen, say } = scene();
    for (const text of ["no json", "null", "7", '{"type":"later"}']) say(text);

    expect(seen).toEqual([]);
  });
});

describe("keys and addresses", () => {
  it("arrows are sent as the program asked for them", () => {
    expect(bytesOf("↑", { isCtrl: false, isApplication: false })).toBe("\x1b[A");
    expect(bytesOf("↑", { isCtrl: false, isApplication: true })).toBe("\x1bOA");
    expect(bytesOf("←", { isCtrl: true, isApplication: true })).toBe("\x1b[1;5D");
    expect(bytesOf("Esc", { isCtrl: false, isApplication: false })).toBe("\x1b");
  });

  it("a letter with Ctrl is its control character", () => {
    expect([withCtrl("c"), withCtrl("C"), withCtrl("["), withCtrl(" "), withCtrl("文")]).toEqual([
      "\x03",
      "\x03",
      "\x1b",
      "\0",
      "文",
    ]);
  });

  it("only addresses of the web are opened", () => {
    expect(webAddress("https://example.org/a?b")).toBe("https://example.org/a?b");
    for (const bad of ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "http://a:b@c/", "/login"])
      expect(webAddress(bad)).toBeNull();
  });
});
