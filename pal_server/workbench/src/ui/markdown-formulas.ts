/**
 * Formulas, set by KaTeX. Loaded with the first one.
 *
 * It runs after the allow-list and takes nothing but the text of a formula. Commands that make links, load pictures or
 * set attributes are off, what defines itself without end is cut off, and nothing is larger than a few lines.
 */
import "katex/dist/katex.min.css";
import type { KatexOptions } from "katex";
import rehypeKatex from "rehype-katex";
import remarkMath from "remark-math";

export const LIMITS: KatexOptions = {
  trust: false,
  strict: "ignore",
  throwOnError: false,
  maxExpand: 200,
  maxSize: 20,
  errorColor: "var(--bad)",
};

export const remark: readonly unknown[] = [[remarkMath, { singleDollarTextMath: false }]];
export const rehype: readonly unknown[] = [[rehypeKatex, LIMITS]];
