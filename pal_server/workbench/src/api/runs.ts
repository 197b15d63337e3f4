import type { ChooseForRun, Run } from "../wire/contract";
import { request } from "../wire/request";

export const stopRun = (id: number): Promise<Run> =>
  request("POST /api/runs/{id}/stop", { params: { id } }).then((answer) => answer.run);

export const killRun = (id: number): Promise<Run> =>
  request("POST /api/runs/{id}/kill", { params: { id } }).then((answer) => answer.run);

export const restartRun = (id: number): Promise<Run> =>
  request("POST /api/runs/{id}/restart", { params: { id } }).then((answer) => answer.run);

export const listRuns = (query: { after?: string | null; agent?: string | null; status?: string | null }) =>
  request("GET /api/runs", { query: { ...query, limit: 50 } });

export const runPrompt = (id: number): Promise<string> =>
  request("GET /api/runs/{id}/prompt", { params: { id } }).then((answer) => answer.prompt);

export const chooseForRun = (id: number, choice: ChooseForRun["choice"]) =>
  request("POST /api/runs/{id}/choose", { params: { id }, body: { choice } });
