import { newId } from "../state/store";
import type { Task } from "../wire/contract";
import { request } from "../wire/request";

export const listTasks = (query: {
  project?: string | null;
  status?: Task["status"] | null;
  agent?: string | null;
  q?: string;
  after?: string | null;
}) => request("GET /api/tasks", { query: { ...query, limit: 100 } });

/** The task that a topic is; null when it is none. */
export const taskOf = (topic: number): Promise<Task | null> =>
  request("GET /api/tasks", { query: { topic, limit: 1 } }).then((found) => found.tasks[0] ?? null);

export const startTask = (id: string) =>
  request("POST /api/tasks/{task}/start", { params: { task: id }, body: { client_id: newId() } });

export const moveTask = (id: string, status: Task["status"], note = "") =>
  request("PATCH /api/tasks/{task}", { params: { task: id }, body: { status, waiting_note: note } });

export const createTask = (project: string, title: string): Promise<Task> =>
  request("POST /api/tasks", { body: { project, title, client_id: newId() } }).then((made) => made.task);

/** The topic becomes a task of its room's project, with all that was said in it. */
export const promoteTopic = (topic: number): Promise<Task> =>
  request("POST /api/topics/{id}/task", { params: { id: topic }, body: { client_id: newId() } }).then(
    (made) => made.task,
  );
