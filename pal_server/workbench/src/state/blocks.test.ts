import { expect, it } from "vitest";
import { blocksOf, Growing } from "./blocks";

const TEXT =
  "# Title\n\nA *first* paragraph.\n\n- one\n- two\n\n  still two\n\n```py\nx = 1\n\ny = 2\n```\n\nThe **end** is near.";

it("a text that grows sign by sign has in the end the blocks it has as a whole", () => {
  const growing = new Growing();
  let seen: readonly string[] = [];
  for (let length = 1; length <= TEXT.length; length += 1) seen = growing.read(TEXT.slice(0, length));

  expect(seen).toEqual(blocksOf(TEXT));
});

it("a text that was replaced is read anew", () => {
  const growing = new Growing();
  growing.read(`${TEXT}\n\n${TEXT}`);

  expect(growing.read("other")).toEqual(["other"]);
});

it("what is half written at the end is completed", () => {
  expect(new Growing().read("so **bold")).toEqual(["so **bold**"]);
});
