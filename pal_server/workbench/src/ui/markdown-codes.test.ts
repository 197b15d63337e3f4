import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import ReactMarkdown from "react-markdown";
import { expect, it } from "vitest";
import { rehypeCodes } from "./markdown-codes";
import { readGfm } from "./markdown-gfm";
import { safe } from "./markdown-safe";

function shown(text: string): string {
  const given = {
    remarkPlugins: [readGfm] as never[],
    rehypePlugins: [...safe("https://pal.example"), rehypeCodes] as never[],
    skipHtml: true,
  };
  return renderToStaticMarkup(createElement(ReactMarkdown, given, text));
}

const codesIn = (text: string) => [...shown(text).matchAll(/<pal-code ([^>]*)>([^<]*)</g)].map((one) => one.slice(1));

it("codes are found in words, with the project they name", () => {
  expect(codesIn("After T-12, see **D-3** and shop.T-4.")).toEqual([
    ['code="T-12"', "T-12"],
    ['code="D-3"', "D-3"],
    ['code="T-4" project="shop"', "shop.T-4"],
  ]);
  expect(shown("After T-12.")).toBe('<p>After <pal-code code="T-12">T-12</pal-code>.</p>');
});

it.each([
  ["code", "`T-1` and\n\n```\nT-1\n```"],
  ["a link", "[T-1](https://example.com) https://example.com/T-1"],
  ["another word", "COVID-19 AT-1 T-1x T-01 T-1-2 t-1 T-0"],
  ["a path or a version", "docs/T-1 T-1/notes T-1.5 x@T-1 #T-1"],
])("none is found in %s", (_, text) => {
  expect(codesIn(text)).toEqual([]);
});

it("what somebody writes makes no such element by itself", () => {
  expect(shown('<pal-code code="T-1">click</pal-code>')).not.toContain("pal-code");
});
