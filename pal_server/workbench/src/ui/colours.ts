/** Colours for lines of code: what highlight.js says of a text, cut at its line ends. Loaded with the first diff. */
import { common, createLowlight } from "lowlight";
import type { Token } from "./diff-rows";

type Node = ReturnType<ReturnType<typeof createLowlight>["highlight"]>["children"][number];

const lowlight = createLowlight(common);
const LONGEST = 200_000; // characters that are looked at; longer ones stay plain

/** The lines of a file of that name, each as its tokens; null for a language nobody knows here. */
export function colour(code: string, path: string): readonly (readonly Token[])[] | null {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  const language = name.slice(name.lastIndexOf(".") + 1);
  if (code.length > LONGEST || !lowlight.registered(language)) return null;
  const lines: Token[][] = [[]];
  walk(lowlight.highlight(language, code).children, "", (text, look) => {
    text.split("\n").forEach((part, index) => {
      if (index > 0) lines.push([]);
      if (part !== "") lines.at(-1)?.push({ text: part, look });
    });
  });
  return lines;
}

function walk(nodes: readonly Node[], look: string, take: (text: string, look: string) => void): void {
  for (const node of nodes) {
    if (node.type === "text") take(node.value, look);
    else if (node.type === "element") {
      const own = node.properties.className;
      walk(node.children, Array.isArray(own) ? own.join(" ") : look, take);
    }
  }
}
