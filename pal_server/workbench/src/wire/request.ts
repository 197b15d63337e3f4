import type { Problem, Routes } from "./contract";

/** A refusal of the server, or that it could not be reached (`code` "unreachable"). */
export class Refused extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status: number,
    readonly facts: Record<string, unknown> = {},
  ) {
    super(message);
  }

  /** There is no such thing, or this person may not know of it. */
  get isMissing(): boolean {
    return this.status === 404;
  }

  /** Worth saying again, unchanged: the server was away or busy. */
  get isPassing(): boolean {
    return this.code === "unreachable" || this.code === "unavailable" || this.code === "rate_limited";
  }
}

type Key = keyof Routes;
type Params = Record<string, string | number>;
type Query = Record<string, string | number | boolean | null | undefined>;
interface Options<K extends Key> {
  params?: Params;
  query?: Query;
  body?: Routes[K]["body"];
  signal?: AbortSignal | null;
}

let onLoggedOut: () => void = () => {};

/** What happens when the server does not know us any more. */
export function whenLoggedOut(act: () => void): void {
  onLoggedOut = act;
}

/** The one way to ask the server: `request("PATCH /api/rooms/{room}", { params: { room }, body: { title } })`. */
export async function request<K extends Key>(route: K, options: Options<K> = {}): Promise<Routes[K]["answer"]> {
  const [method, template] = route.split(" ") as [string, string];
  // A reading has no headers of its own, so that what the page asked for before any script ran is taken for the answer.
  const init: RequestInit = { method, signal: options.signal ?? null };
  if (method !== "GET") {
    init.body = JSON.stringify(options.body ?? {});
    init.headers = { "X-Pal-Client": "workbench", "Content-Type": "application/json" };
  }
  let response: Response;
  try {
    response = await fetch(pathOf(template, options.params) + queryOf(options.query), init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refused("unreachable", "The server cannot be reached.", 0);
  }
  if (response.ok) return (await response.json()) as Routes[K]["answer"];
  throw await refusalOf(response);
}

/** Store a file; its content is the body. */
export async function upload(file: File, query: Query): Promise<{ artifact: { id: string; name: string } }> {
  let response: Response;
  try {
    response = await fetch(`/api/artifacts${queryOf({ name: file.name, mime: file.type || null, ...query })}`, {
      method: "POST",
      headers: { "X-Pal-Client": "workbench", "Content-Type": "application/octet-stream" },
      body: file,
    });
  } catch {
    throw new Refused("unreachable", "The server cannot be reached.", 0);
  }
  if (response.ok) return response.json();
  throw await refusalOf(response);
}

function pathOf(template: string, params: Params = {}): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params[name])));
}

function queryOf(query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : "";
}

async function refusalOf(response: Response): Promise<Refused> {
  const problem: Partial<Problem> = await response.json().then(
    (body) => body.error ?? {},
    () => ({}),
  );
  if (response.status === 401) onLoggedOut();
  return new Refused(
    problem.code ?? "internal",
    problem.message ?? `The server answered ${response.status}.`,
    response.status,
    problem.facts ?? {},
  );
}
