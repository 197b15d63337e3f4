import type { Identity } from "../wire/contract";
import { request } from "../wire/request";

export const listBots = () => request("GET /api/bots", { query: { limit: 200 } }).then((found) => found.bots);

export const checkBot = (id: string) => request("POST /api/bots/{id}/check", { params: { id } });

export const unbindBot = (id: string) => request("POST /api/bots/{id}/unbind", { params: { id } });

export const forgetBot = (id: string) => request("POST /api/bots/{id}/forget", { params: { id } });

/** Everybody a platform's bots know; with `asked` those who were refused once and may be let in. All pages of it. */
export async function listIdentities(platform: string, standing: "asked" | null): Promise<Identity[]> {
  const found: Identity[] = [];
  for (let after: string | null = null; ; ) {
    const page: { identities: Identity[]; next: string | null } = await request("GET /api/identities", {
      query: { platform, standing, after, limit: 200 },
    });
    found.push(...page.identities);
    if (page.next === null) return found;
    after = page.next;
  }
}

export const putIdentity = (one: {
  platform: string;
  external_id: string;
  name?: string;
  allowed?: boolean;
  level?: Identity["level"];
  quota?: number | null;
  user?: string | null;
}) => request("POST /api/identities", { body: one });

export const removeIdentity = (platform: string, external_id: string) =>
  request("POST /api/identities/remove", { body: { platform, external_id } });
