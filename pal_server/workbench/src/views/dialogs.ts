export interface Wanted {
  title: string;
  text?: string;
  confirm: string;
  /** For a text: what it begins with. */
  value?: string;
  /** What has to be typed before a dangerous thing is done. */
  typed?: string;
}

/** A text somebody types, or null. */
export async function ask(wanted: Wanted): Promise<string | null> {
  const { open } = await import("./dialog");
  return open(wanted, true);
}

/** Whether somebody agreed; with `typed` only after typing it. */
export async function confirm(wanted: Wanted): Promise<boolean> {
  const { open } = await import("./dialog");
  return (await open(wanted, wanted.typed !== undefined)) !== null;
}
