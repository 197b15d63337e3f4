import { newId } from "../state/store";
import type { ChangePreferences } from "../wire/contract";
import { request } from "../wire/request";

export const writeDraft = (topic: number, content: string) =>
  request("PUT /api/topics/{id}/draft", { params: { id: topic }, body: { content } });

export const saveForLater = (topic: number, content: string) =>
  request("POST /api/saved", { body: { topic, content, client_id: newId() } });

export const dropSaved = (id: number) => request("DELETE /api/saved/{id}", { params: { id } });

export const moveSaved = (id: number, place: number) =>
  request("PATCH /api/saved/{id}", { params: { id }, body: { place } });

export const changePreferences = (wanted: ChangePreferences) => request("PATCH /api/preferences", { body: wanted });

export const savePrompt = (name: string, content: string) =>
  request("PUT /api/saved-prompts/{name}", { params: { name }, body: { content } });

export const dropPrompt = (name: string) => request("DELETE /api/saved-prompts/{name}", { params: { name } });
