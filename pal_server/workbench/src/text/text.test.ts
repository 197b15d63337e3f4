import { expect, it } from "vitest";
import { en, type TextKey } from "./en";
import { zh } from "./zh";

it("both languages have the same texts, and none is empty or left in English", () => {
  expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
  for (const [key, text] of Object.entries(zh)) expect(text.trim(), key).not.toBe("");
  // What has no words of its own: only values and signs.
  const same = Object.keys(en).filter(
    (key) => /[a-z]{4}/.test(en[key as TextKey].replace(/\{\w+\}/g, "")) && en[key as TextKey] === zh[key as TextKey],
  );

  expect(same).toEqual([]);
});

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
