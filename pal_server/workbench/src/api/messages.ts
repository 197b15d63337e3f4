import type { ChooseForDraft } from "../wire/contract";
import { request } from "../wire/request";

export const editMessage = (id: number, content: string) =>
  request("PATCH /api/messages/{id}", { params: { id }, body: { content } });

export const deleteMessage = (id: number) => request("DELETE /api/messages/{id}", { params: { id } });

export const trace = (id: number) => request("GET /api/messages/{id}/trace", { params: { id } });

export const searchMessages = (q: string, signal: AbortSignal) =>
  request("GET /api/messages", { query: { q, limit: 20 }, signal }).then((found) => found.messages);

/** One message of a topic, or nothing where there is none. */
export const messageOf = (topic: number, id: number) =>
  request("GET /api/messages", { query: { topic, after: id - 1, limit: 1 } }).then((found) =>
    found.messages.find((one) => one.id === id),
  );

export const chooseForDraft = (id: number, choice: ChooseForDraft["choice"]) =>
  request("POST /api/messages/{id}/draft", { params: { id }, body: { choice } });
