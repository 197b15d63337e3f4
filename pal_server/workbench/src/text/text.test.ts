import { expect, it } from "vitest";
import { en } from "./en";
import { zh } from "./zh";

it("both languages name the same values", () => {
  const values = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
  for (const [key, text] of Object.entries(en)) expect(values(zh[key as keyof typeof zh]), key).toEqual(values(text));
});

const SOURCES: Record<string, string> = import.meta.glob("../**/*.{ts,tsx}", {
  query: "?raw",
  import: "default",
  eager: true,
});

it("every text is used", () => {
  const code = Object.entries(SOURCES)
    .filter(([name]) => !name.includes("/text/"))
    .map(([, text]) => text)
    .join("\n");
  const parts = [...code.matchAll(/`([\w.]+\.)\$\{/g)].map((found) => found[1] ?? "");
  const unused = Object.keys(en).filter(
    (key) => !code.includes(`"${key}"`) && !parts.some((part) => key.startsWith(part)) && !key.startsWith("time."),
  );

  expect(unused).toEqual([]);
});
