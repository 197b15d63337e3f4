import type { OpenTerminal, Terminal } from "../wire/contract";
import { request } from "../wire/request";

export const openTerminal = (wanted: OpenTerminal): Promise<Terminal> =>
  request("POST /api/terminals", { body: wanted }).then((made) => made.terminal);

export const getTerminal = (id: string): Promise<Terminal> =>
  request("GET /api/terminals/{id}", { params: { id } }).then((found) => found.terminal);

export const closeTerminal = (id: string) => request("POST /api/terminals/{id}/close", { params: { id } });
