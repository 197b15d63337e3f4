/** Colours for code in messages: classes on the words of a block whose language is named. Loaded with the first code. */
import highlight from "rehype-highlight";

export const remark: readonly unknown[] = [];
export const rehype: readonly unknown[] = [[highlight, { detect: false }]];
