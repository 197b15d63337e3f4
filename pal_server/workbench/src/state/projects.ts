/** Projects, their rooms and what happened there, as lists show them. Pure. */
import type { Glance, Project, Room } from "../wire/contract";
import type { Desk } from "./desk";
import { activity } from "./glances";

/** Those one may go to, by key. */
export function projectsOf(desk: Pick<Desk, "projects">): Project[] {
  return Object.values(desk.projects)
    .filter((one) => one.archived_at === null)
    .sort((one, other) => one.key.localeCompare(other.key));
}

/** An address names a project by its key or its id. */
export function projectNamed(desk: Pick<Desk, "projects">, name: string): Project | undefined {
  return Object.values(desk.projects).find((one) => one.key === name || one.id === name);
}

export interface Group<R> {
  /** None: rooms of no project. */
  project: Project | null;
  rooms: R[];
}

/** Rooms in their order, under their projects by key; those of no project, or of an archived one, come last. */
export function grouped<R extends { room: Room }>(projects: readonly Project[], rooms: readonly R[]): Group<R>[] {
  const of = (id: string | null) => rooms.filter(({ room }) => room.project === id);
  const groups: Group<R>[] = projects.map((project) => ({ project, rooms: of(project.id) }));
  const known = new Set(projects.map((one) => one.id));
  const rest = rooms.filter(({ room }) => room.project === null || !known.has(room.project));
  return [...groups, { project: null, rooms: rest }];
}

/** Topics of its rooms in which something happened last, and how many of them are open. */
export function activityOf(
  desk: Pick<Desk, "rooms" | "topics">,
  project: string,
  limit: number,
): { newest: Glance[]; open: number } {
  const mine = Object.values(desk.topics).filter(({ topic }) => desk.rooms[topic.room]?.project === project);
  const newest = mine
    .filter((one) => one.last !== null)
    .sort((one, other) => activity(other) - activity(one))
    .slice(0, limit);
  return { newest, open: mine.filter(({ topic }) => topic.archived_at === null).length };
}
