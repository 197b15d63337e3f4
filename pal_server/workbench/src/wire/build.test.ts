import { expect, it } from "vitest";
import { isOther } from "./build";

const page = (name: string) => `<head><script type="module" crossorigin src="/assets/${name}.js"></script></head>`;

it("another first script is another build", () => {
  expect(isOther(page("index-b"), "/assets/index-a.js")).toBe(true);
});

it.each([
  ["the same one", page("index-a"), "/assets/index-a.js"],
  ["a page without a client", "<h1>not built</h1>", "/assets/index-a.js"],
  ["a page that began in another way", page("index-a"), null],
])("%s is none", (_, served, ours) => {
  expect(isOther(served, ours)).toBe(false);
});
