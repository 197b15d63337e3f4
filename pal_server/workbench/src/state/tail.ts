/** The end of a long text, from the beginning of a block. It moves rarely: what is shown stays where it is. */
export function tailOf(text: string, length: number): string {
  if (text.length <= 2 * length) return text;
  const from = Math.floor((text.length - length) / length) * length;
  const block = text.indexOf("\n\n", from);
  return text.slice(block >= 0 && block < from + length ? block + 2 : from);
}
