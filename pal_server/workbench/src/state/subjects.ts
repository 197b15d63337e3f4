/** What a page of the client is about, by its address. Pure. */
import { pathOf } from "./tabs";

export type Subject =
  | { type: "room"; room: string }
  | { type: "topic"; room: string; topic: number }
  | { type: "run"; run: number }
  | { type: "terminal"; terminal: string }
  | { type: "project"; project: string }
  /** One of the places beside the rooms, by its path. */
  | { type: "place"; to: string };

export function aboutOf(href: string): Subject {
  const [first = "", second = "", third = ""] = pathOf(href).slice(1).split("/").map(decoded);
  if (first === "r" && second !== "") {
    return third === "" ? { type: "room", room: second } : { type: "topic", room: second, topic: Number(third) };
  }
  if (first === "runs" && Number(second) > 0) return { type: "run", run: Number(second) };
  if (first === "terminals" && second !== "") return { type: "terminal", terminal: second };
  if (first === "projects") return { type: "project", project: second };
  if (first === "runs" && second !== "") return { type: "place", to: `/${first}/${second}` };
  return { type: "place", to: `/${first}` };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // as somebody typed it
  }
}
