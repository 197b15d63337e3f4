/** Which build of this client the server has: the name of the first script has the hash of everything. */

const FIRST = /<script type="module"[^>]*\ssrc="([^"]+)"/;

/** Whether the page of the server begins with another script than the one that runs. */
export function isOther(page: string, ours: string | null): boolean {
  const served = FIRST.exec(page)?.[1];
  return served !== undefined && ours !== null && served !== ours;
}

/** Asks the server. Whatever it cannot say now it says another time. */
export async function hasNewBuild(): Promise<boolean> {
  const ours = document.querySelector('script[type="module"][src]')?.getAttribute("src") ?? null;
  try {
    const response = await fetch("/", { cache: "no-store" });
    return response.ok && isOther(await response.text(), ours);
  } catch {
    return false; // the link says that the server is away
  }
}
