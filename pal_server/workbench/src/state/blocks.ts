/** Cuts Markdown into its blocks, so that only the block that changed is read again. Pure but for what it remembers. */
import { marked } from "marked";
import remend from "remend";

const OPEN = 3; // blocks at the end that may still change: a list goes on after an empty line
const TEXTS = 300; // whole texts whose blocks are remembered

const known = new Map<string, readonly string[]>();

export function blocksOf(text: string): readonly string[] {
  const before = known.get(text);
  if (before) return before;
  const blocks = marked.lexer(text).map((token) => token.raw);
  known.set(text, blocks);
  const [oldest] = known.keys();
  if (known.size > TEXTS && oldest !== undefined) known.delete(oldest);
  return blocks;
}

/** Blocks of a text that grows at its end. What came before the last ones is never read again. */
export class Growing {
  private done = "";
  private blocks: readonly string[] = [];

  read(text: string): readonly string[] {
    if (!text.startsWith(this.done)) {
      this.done = "";
      this.blocks = [];
    }
    // Half a word of markup at the end is completed while it grows.
    const rest = marked.lexer(remend(text.slice(this.done.length))).map((token) => token.raw);
    const before = this.blocks;
    for (const block of rest.slice(0, -OPEN)) {
      if (!text.startsWith(block, this.done.length)) break;
      this.done += block;
      this.blocks = [...this.blocks, block];
    }
    return [...before, ...rest];
  }
}
