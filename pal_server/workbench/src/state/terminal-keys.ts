/** Bytes of keys that a phone has not, as a terminal sends them. Pure. */

export const ROW = ["Esc", "Tab", "Ctrl", "←", "↑", "↓", "→", "^C", "^D"] as const;
export type RowKey = (typeof ROW)[number];

const ARROWS: Readonly<Partial<Record<RowKey, string>>> = { "↑": "A", "↓": "B", "→": "C", "←": "D" };
const PLAIN: Readonly<Partial<Record<RowKey, string>>> = { Esc: "\x1b", Tab: "\t", "^C": "\x03", "^D": "\x04" };

/** What a key of the row types; arrows as the program asked for them, and as it knows them with Ctrl held. */
export function bytesOf(key: RowKey, held: { isCtrl: boolean; isApplication: boolean }): string {
  const arrow = ARROWS[key];
  if (arrow) return held.isCtrl ? `\x1b[1;5${arrow}` : held.isApplication ? `\x1bO${arrow}` : `\x1b[${arrow}`;
  return PLAIN[key] ?? "";
}

/** What was typed while Ctrl is held on the row: the first letter becomes its control character. */
export function withCtrl(typed: string): string {
  const [first = "", ...rest] = typed;
  const code = first.toUpperCase().charCodeAt(0);
  const held = first === " " ? "\0" : code >= 0x40 && code <= 0x5f ? String.fromCharCode(code - 0x40) : first;
  return held + rest.join("");
}

/** An address a terminal may open: of the web, and nothing a program could act with. */
export function webAddress(text: string): string | null {
  try {
    const address = new URL(text);
    const isWeb = address.protocol === "http:" || address.protocol === "https:";
    return isWeb && address.username === "" && address.password === "" ? address.href : null;
  } catch {
    return null;
  }
}
