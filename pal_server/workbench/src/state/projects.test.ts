import { describe, expect, it } from "vitest";
import type { Project, Room } from "../wire/contract";
import { apply, begin } from "./desk";
import { event, glance, snapshot, topic } from "./factories";
import { activityOf, grouped, projectNamed, projectsOf } from "./projects";

const project = (key: string, given: Partial<Project> = {}) =>
  ({ id: `project_${key}`, key, archived_at: null, ...given }) as Project;
const room = (name: string, of: string | null) => ({ id: name, name, project: of }) as Room;

describe("projects", () => {
  const desk = begin(snapshot({ projects: [project("tea"), project("shop"), project("old", { archived_at: 1 })] }));

  it("are listed by key without archived ones, and found by key or id", () => {
    expect(projectsOf(desk).map((one) => one.key)).toEqual(["shop", "tea"]);
    expect(projectNamed(desk, "old")).toBe(projectNamed(desk, "project_old"));
    expect(projectNamed(desk, "none")).toBeUndefined();
  });

  it("follow the log", () => {
    const after = apply(desk, event(1, "project.changed", project("tea", { archived_at: 2 }), null));

    expect(projectsOf(after).map((one) => one.key)).toEqual(["shop"]);
  });

  it("have their rooms; others come last", () => {
    const rooms = [room("a", "project_tea"), room("b", null), room("c", "project_old")].map((one) => ({ room: one }));

    const groups = grouped(projectsOf(desk), rooms);

    expect(groups.map((one) => [one.project?.key ?? null, one.rooms.map((given) => given.room.name)])).toEqual([
      ["shop", []],
      ["tea", ["a"]],
      [null, ["b", "c"]],
    ]);
  });

  it("show where something happened last", () => {
    const last = (id: number, at: number) => glance({ topic: topic({ id, room: "a" }), last: { at } as never });
    const state = {
      rooms: { a: room("a", "project_tea"), b: room("b", null) },
      topics: {
        1: last(1, 10),
        2: last(2, 30),
        3: glance({ topic: topic({ id: 3, room: "a", archived_at: 5 }) }),
        4: glance({ topic: topic({ id: 4, room: "b" }) }),
      },
    };

    const { newest, open } = activityOf(state, "project_tea", 5);

    expect(newest.map((one) => one.topic.id)).toEqual([2, 1]);
    expect(open).toBe(2);
  });
});
