import { newId } from "../state/store";
import type { ChangeTask, Task } from "../wire/contract";
import { request } from "../wire/request";

export const listTasks = (
  query: {
    project?: string | null;
    status?: Task["status"] | null;
    agent?: string | null;
    owner?: string | null;
    type?: string | null;
    q?: string;
    archived?: boolean;
    after?: string | null;
    limit?: number;
  },
  signal?: AbortSignal,
) => request("GET /api/tasks", { query: { limit: 100, ...query }, signal: signal ?? null });

/** The task that a topic is; null when it is none. */
export const taskOf = (topic: number): Promise<Task | null> =>
  request("GET /api/tasks", { query: { topic, limit: 1 } }).then((found) => found.tasks[0] ?? null);

/** With `force` also while it comes after something that is not done. */
export const startTask = (id: string, force = false) =>
  request("POST /api/tasks/{task}/start", { params: { task: id }, body: { force, client_id: newId() } });

export const changeTask = (id: string, wanted: ChangeTask): Promise<Task> =>
  request("PATCH /api/tasks/{task}", { params: { task: id }, body: wanted }).then((changed) => changed.task);

/** For good; its conversation stays, archived. */
export const deleteTask = (id: string) => request("DELETE /api/tasks/{task}", { params: { task: id } });

export const moveTask = (id: string, status: Task["status"], note = ""): Promise<Task> =>
  changeTask(id, { status, waiting_note: note });

export const createTask = (project: string, title: string, status: "backlog" | "ready" = "backlog"): Promise<Task> =>
  request("POST /api/tasks", { body: { project, title, status, client_id: newId() } }).then((made) => made.task);

/** The topic becomes a task of its room's project, with all that was said in it. */
export const promoteTopic = (topic: number): Promise<Task> =>
  request("POST /api/topics/{id}/task", { params: { id: topic }, body: { client_id: newId() } }).then(
    (made) => made.task,
  );
