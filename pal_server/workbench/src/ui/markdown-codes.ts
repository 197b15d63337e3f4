/** Codes of tasks and decisions in words, as `T-12` or `shop.D-3`: what shows them decides whether they mean anything. */

/** What of the tree of a text matters here. */
export interface Node {
  type: string;
  tagName?: string;
  value?: string;
  properties?: Record<string, unknown>;
  children?: Node[];
}

// Not in a word, a path, an address or a version.
const CODE = /(?<![\w./@#-])(?:([a-z0-9][a-z0-9-]{0,31})\.)?([TD]-[1-9]\d{0,8})(?![\w/-]|\.\d)/g;
const LITERAL: ReadonlySet<string> = new Set(["a", "code", "pre"]);

/** Text with a code in it becomes text and `pal-code` elements; it comes after the allow-list, which knows none of them. */
export function rehypeCodes() {
  return (tree: Node): void => mark(tree);
}

function mark(node: Node): void {
  if (!node.children || (node.tagName !== undefined && LITERAL.has(node.tagName))) return;
  for (const child of node.children) mark(child);
  if (node.children.some(isCoded)) {
    node.children = node.children.flatMap((child) => (isCoded(child) ? parted(child.value ?? "") : [child]));
  }
}

function isCoded(node: Node): boolean {
  return node.type === "text" && /[TD]-[1-9]/.test(node.value ?? "");
}

function parted(text: string): Node[] {
  const parts: Node[] = [];
  let from = 0;
  for (const match of text.matchAll(CODE)) {
    if (match.index > from) parts.push({ type: "text", value: text.slice(from, match.index) });
    const [whole, project, code] = match;
    const properties = { code, ...(project ? { project } : {}) };
    parts.push({ type: "element", tagName: "pal-code", properties, children: [{ type: "text", value: whole }] });
    from = match.index + whole.length;
  }
  if (from < text.length) parts.push({ type: "text", value: text.slice(from) });
  return parts;
}
