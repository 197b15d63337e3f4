/** An event of the log in one line. An unknown kind is shown as it is, never dropped. Pure. */
import type { Event } from "../wire/contract";

export function subjectOf(event: Event): string {
  const data = event.data;
  const parts = [data.title, data.content, data.name, data.key, data.agent, data.user, data.status]
    .filter((part): part is string => typeof part === "string" && part !== "")
    .slice(0, 3);
  const sender = data.sender as { name?: unknown } | undefined;
  if (typeof sender?.name === "string") parts.unshift(`${sender.name}:`);
  const id = typeof data.id === "number" ? `${event.kind.split(".")[0]} ${data.id}` : "";
  return [id, ...parts].filter(Boolean).join(" ").slice(0, 300) || JSON.stringify(data).slice(0, 300);
}
