import { afterEach, expect, it, vi } from "vitest";
import { readHistory } from "./history";

afterEach(() => vi.unstubAllGlobals());

/** A stream that says these pieces; it goes on for ever unless it `ends`. */
function given(pieces: string[], { ends = false } = {}): void {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
      if (ends) controller.close();
    },
  });
  vi.stubGlobal("fetch", async () => ({ body }));
}

const BEGIN = ": position 4\nid: 4\nretry: 1000\n\n";
const told = (position: number) => `id: ${position}\nevent: x.y\ndata: {"position":${position},"kind":"x.y"}\n\n`;
const read = async () => (await readHistory(4, 9, new AbortController().signal)).map((event) => event.position);

it("is read to the last position, in whatever pieces it comes", async () => {
  const all = BEGIN + told(5) + told(9) + told(10);
  given([all.slice(0, 50), all.slice(50, 70), all.slice(70)]);

  expect(await read()).toEqual([5, 9]);
});

it("ends when the stream has caught up, though the last position is out of sight", async () => {
  given([BEGIN, told(7), ": beat\n\n"]);

  expect(await read()).toEqual([7]);
});

it("that breaks off is no history", async () => {
  given([BEGIN, told(7)], { ends: true });

  await expect(read()).rejects.toThrow("ended before");
});
