import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import ReactMarkdown from "react-markdown";
import { expect, it } from "vitest";
import { withFormulas } from "../state/formulas";
import { rehype, remark } from "./markdown-formulas";
import { safe } from "./markdown-safe";

function shown(text: string): string {
  const given = {
    remarkPlugins: remark as never[],
    rehypePlugins: [...safe("https://pal.example"), ...rehype] as never[],
    skipHtml: true,
  };
  return renderToStaticMarkup(createElement(ReactMarkdown, given, withFormulas(text) ?? text));
}

it("a formula is set, in its line or on one of its own", () => {
  expect(shown("so $x^2$ it is")).toContain('class="katex"');
  expect(shown("$$\n\\sum_i x_i\n$$")).toContain('class="katex-display"');
  expect(shown("it costs $5 and $10")).toBe("<p>it costs $5 and $10</p>");
});

it.each([
  ["a link", "$\\href{javascript:alert(1)}{x}$"],
  ["an address", "$\\url{https://tracker.example/?secret}$"],
  ["a picture", "$\\includegraphics{https://tracker.example/p.png}$"],
  ["an attribute", "$\\htmlData{x=1}{y} \\htmlStyle{position:fixed}{y} \\htmlId{a}{y} \\htmlClass{b}{y}$"],
  ["markup in words", "$\\text{<img src=x onerror=alert(1)>}$"],
  ["markup beside it", "<script>alert(1)</script> $x$ <img src=x onerror=alert(1)>"],
  ["a block that says it is one", "```math\n\\href{javascript:alert(1)}{x}\n```"],
])("%s in a formula is nothing but text", (_, text) => {
  const markup = shown(text);

  expect(markup).not.toMatch(/<(a|img|script|iframe|style|form|use|image)\b/i);
  expect(markup).not.toMatch(/<[^>]*\s(on\w+|href|src|xlink:href|data-\w+|id)=/i);
  expect(markup).not.toMatch(/<[^>]*position:\s*fixed/i);
});

it("what defines itself without end, or wants to be larger than the page, ends", () => {
  expect(shown("$\\def\\a{\\a\\a}\\a$").length).toBeLessThan(5_000);
  expect(shown("$\\rule{99999em}{99999em}$")).not.toContain("99999em;");
});
