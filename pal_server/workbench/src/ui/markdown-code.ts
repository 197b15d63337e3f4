/** Colours for code in messages: classes on the words of a block whose language is named. Loaded with the first code. */
import highlight from "rehype-highlight";

export const remark: readonly unknown[] = [];
// Made once: it begins with all its languages, which takes longer than to colour a block.
const colour = highlight({ detect: false });

export const rehype: readonly unknown[] = [() => colour];
