import { newId } from "../state/store";
import type { ChangeProject, Decision, DecisionsAnswer, Doc, DocAnswer, Project } from "../wire/contract";
import { request } from "../wire/request";

export const createProject = (key: string, goal: string): Promise<Project> =>
  request("POST /api/projects", { body: { key, goal, client_id: newId() } }).then((made) => made.project);

export const changeProject = (project: string, wanted: ChangeProject): Promise<Project> =>
  request("PATCH /api/projects/{project}", { params: { project }, body: wanted }).then((changed) => changed.project);

/** What its runs of the last 30 days used. */
export const usageOf = (project: string) =>
  request("GET /api/usage", { query: { by: "agent", project, limit: 1 } }).then((found) => found.total);

export const listDecisions = (
  project: string,
  wanted: { q: string; status: string; after: string | null },
  signal: AbortSignal,
): Promise<DecisionsAnswer> =>
  request("GET /api/projects/{project}/decisions", { params: { project }, query: { ...wanted, limit: 50 }, signal });

/** Of all projects, or of the one with this key. */
export const listAllDecisions = (
  wanted: { q: string; project: string; status: Decision["status"]; after: string | null },
  signal: AbortSignal,
): Promise<DecisionsAnswer> => request("GET /api/decisions", { query: { ...wanted, limit: 50 }, signal });

export const proposeDecision = (project: string, title: string, rationale: string): Promise<Decision> =>
  request("POST /api/projects/{project}/decisions", {
    params: { project },
    body: { title, rationale, client_id: newId() },
  }).then((made) => made.decision);

export const answerDecision = (one: Decision, decision: "approve" | "deny", reason: string | null) =>
  request("POST /api/projects/{project}/decisions/{decision}/answer", {
    params: { project: one.project, decision: one.code },
    body: { decision, reason },
  });

export const supersedeDecision = (one: Decision) =>
  request("POST /api/projects/{project}/decisions/{decision}/supersede", {
    params: { project: one.project, decision: one.code },
    body: {},
  });

export const listDocs = (project: string): Promise<readonly Doc[]> =>
  request("GET /api/projects/{project}/docs", { params: { project }, query: { limit: 200 } }).then(
    (found) => found.docs,
  );

export const readDoc = (project: string, doc: string): Promise<DocAnswer> =>
  request("GET /api/projects/{project}/docs/{doc}", { params: { project, doc } });

export const writeDoc = (project: string, doc: string, content: string) =>
  request("PUT /api/projects/{project}/docs/{doc}", { params: { project, doc }, body: { content } });

export const changeDoc = (project: string, doc: string, wanted: { inject?: boolean; archived?: boolean }) =>
  request("PATCH /api/projects/{project}/docs/{doc}", { params: { project, doc }, body: wanted });
