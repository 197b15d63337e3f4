import type { FoundItem } from "../wire/contract";
import { request } from "../wire/request";

const AT_ONCE = 100; // codes the server looks up in one request
type Waiting = { resolve: (found: FoundItem | null) => void; reject: (error: unknown) => void };

/** Codes with their projects that were asked for since the last request. */
let asked = new Map<string, Waiting[]>();

/** What a code with its project (`shop.T-3`) means; null: nothing, or nothing one may know. Those of one moment are one request. */
export function findItem(code: string): Promise<FoundItem | null> {
  return new Promise((resolve, reject) => {
    if (asked.size === 0) queueMicrotask(flush);
    asked.set(code, [...(asked.get(code) ?? []), { resolve, reject }]);
  });
}

function flush(): void {
  const all = [...asked];
  asked = new Map();
  for (let from = 0; from < all.length; from += AT_ONCE) void look(all.slice(from, from + AT_ONCE));
}

async function look(codes: readonly [string, Waiting[]][]): Promise<void> {
  try {
    const { items } = await request("GET /api/items", { query: { codes: codes.map(([code]) => code).join(",") } });
    const found = new Map(items.map((item) => [item.said, item]));
    for (const [code, waiting] of codes) for (const one of waiting) one.resolve(found.get(code) ?? null);
  } catch (error) {
    for (const [, waiting] of codes) for (const one of waiting) one.reject(error);
  }
}
