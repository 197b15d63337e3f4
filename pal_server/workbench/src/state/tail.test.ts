import { expect, it } from "vitest";
import { tailOf } from "./tail";

it("the end of a long text begins with a block and stays while the text grows on", () => {
  const text = Array.from({ length: 100 }, (_, number) => `paragraph ${number}`).join("\n\n");
  const tail = tailOf(text, 300);

  expect(tail.length).toBeLessThan(700);
  expect(tail).toMatch(/^paragraph \d+\n\n/);
  expect(tailOf(`${text} and`, 300)).toBe(`${tail} and`);
  expect(tailOf("short", 300)).toBe("short");
});
