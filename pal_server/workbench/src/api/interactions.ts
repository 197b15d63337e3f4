import type { AnswerInteraction, Interaction } from "../wire/contract";
import { request } from "../wire/request";

/** Carries the hash of what was shown, so that nothing else is answered. */
export function answer(asked: Interaction, given: Omit<AnswerInteraction, "hash">): Promise<Interaction> {
  return request("POST /api/interactions/{id}/answer", {
    params: { id: asked.id },
    body: { ...given, hash: asked.hash },
  }).then((answered) => answered.interaction);
}

export const listRules = () => request("GET /api/approval-rules", { query: { limit: 200 } });

export const revokeRule = (id: number) => request("POST /api/approval-rules/{id}/revoke", { params: { id } });
