import { expect, it } from "vitest";
import { message } from "./factories";
import { heightOf } from "./heights";
import type { Item } from "./timeline";

const said = (content: string, isJoined = false): Item => ({
  key: "m1",
  type: "message",
  message: message({ id: 1, content }),
  isJoined,
  at: 0,
});

it("more words need more room, more so where a line holds few of them", () => {
  const words = "word ".repeat(60);

  expect(heightOf(said("short"), 90)).toBeLessThan(heightOf(said(words), 90));
  expect(heightOf(said(words), 90)).toBeLessThan(heightOf(said(words), 40));
});

it("lines count, and who goes on speaking needs no name", () => {
  expect(heightOf(said("a\nb\nc"), 90)).toBeGreaterThan(heightOf(said("a b c"), 90));
  expect(heightOf(said("a", true), 90)).toBeLessThan(heightOf(said("a"), 90));
});

it("what is folded counts no more than what is shown of it", () => {
  expect(heightOf(said("x\n".repeat(50_000)), 90)).toBe(heightOf(said("x\n".repeat(3_000)), 90));
});
