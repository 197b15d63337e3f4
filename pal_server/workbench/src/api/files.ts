import type { Routes } from "../wire/contract";
import { request } from "../wire/request";

export interface FilesWanted {
  q?: string;
  room?: string;
  run?: string;
  mime?: string;
  state?: string;
  after?: string | null;
}

export const listFiles = (wanted: FilesWanted): Promise<Routes["GET /api/artifacts"]["answer"]> =>
  request("GET /api/artifacts", { query: { ...wanted, limit: 60 } });

export const revokeFile = (id: string) => request("POST /api/artifacts/{id}/revoke", { params: { id } });

export const cleanUpFiles = () => request("POST /api/artifacts/cleanup").then((cleaned) => cleaned.removed);
