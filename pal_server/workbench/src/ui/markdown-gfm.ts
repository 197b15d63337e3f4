import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";
import type {} from "remark-parse"; // its settings, which are set below
import type { Data, Processor } from "unified";

// Both are made of many parts, which takes longer than reading a short text with them does.
const SYNTAX = gfm();
const NODES = gfmFromMarkdown();

/**
 * Markdown as GitHub reads it: tables, task lists, footnotes, addresses without signs, words crossed out. `remark-gfm` would
 * bring how it is written, too, which nobody here does and which is as much again.
 */
export function readGfm(this: Processor): void {
  const data: Data = this.data();
  data.micromarkExtensions = [...(data.micromarkExtensions ?? []), SYNTAX];
  data.fromMarkdownExtensions = [...(data.fromMarkdownExtensions ?? []), NODES];
}
