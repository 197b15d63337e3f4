import { newId } from "../state/store";
import type { Mentionable, Topic } from "../wire/contract";
import { request } from "../wire/request";

export const createTopic = (room: string): Promise<Topic> =>
  request("POST /api/rooms/{room}/topics", { params: { room }, body: { client_id: newId() } }).then(
    (made) => made.topic,
  );

export const renameTopic = (id: number, title: string) =>
  request("PATCH /api/topics/{id}", { params: { id }, body: { title } });

export const resolveTopic = (id: number, archived: boolean) =>
  request("PATCH /api/topics/{id}", { params: { id }, body: { archived } });

export const mentionables = (room: string): Promise<Mentionable[]> =>
  request("GET /api/rooms/{room}/mentionables", { params: { room }, query: { limit: 200 } }).then(
    (found) => found.mentionables,
  );

export const findPaths = (topic: number, agent: string, q: string, signal: AbortSignal): Promise<string[]> =>
  request("GET /api/topics/{id}/paths", { params: { id: topic }, query: { agent, q, limit: 8 }, signal }).then(
    (found) => found.paths,
  );

export const topicCommands = (topic: number) =>
  request("GET /api/topics/{id}/commands", { params: { id: topic } }).then((found) => found.agents);
