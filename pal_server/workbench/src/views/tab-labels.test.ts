import { describe, expect, it } from "vitest";
import { begin } from "../state/desk";
import { glance, snapshot, topic } from "../state/factories";
import { standingOf } from "../state/glances";
import { aboutOf } from "../state/subjects";
import type { Project, Room, Run } from "../wire/contract";
import { labelOf } from "./tab-labels";

describe("the address of a page", () => {
  it("tells what it is about", () => {
    expect(aboutOf("/r/plat%20form/7?run=3")).toEqual({ type: "topic", room: "plat form", topic: 7 });
    expect(aboutOf("/r/platform")).toEqual({ type: "room", room: "platform" });
    expect(aboutOf("/runs/12")).toEqual({ type: "run", run: 12 });
    expect(aboutOf("/runs/live")).toEqual({ type: "place", to: "/runs/live" });
    expect(aboutOf("/terminals/terminal_x")).toEqual({ type: "terminal", terminal: "terminal_x" });
    expect(aboutOf("/projects/tea")).toEqual({ type: "project", project: "tea" });
    expect(aboutOf("/settings/bots")).toEqual({ type: "place", to: "/settings" });
    expect(aboutOf("/r/50%")).toEqual({ type: "room", room: "50%" });
  });
});

describe("a tab", () => {
  const rooms = [{ id: "room_1", name: "platform", default_topic: 1 } as Room];
  const topics = [
    glance({ topic: topic({ id: 1, room: "room_1", title: "General", is_default: true }) }),
    glance({ topic: topic({ id: 2, room: "room_1", title: "Retry storm" }), unread: 3 }),
  ];
  const runs = [{ id: 9, room: "room_1", topic: 2, agent: "kai", status: "running" } as Run];
  const projects = [{ id: "project_t", key: "tea", name: "Tea shop", archived_at: null } as Project];
  const desk = begin(snapshot({ rooms, topics, runs, projects }));
  const known = { ...desk, missing: new Set([404]) };
  const label = (href: string) => labelOf(href, known, standingOf(desk, []), []);

  it("has the name of what it shows, and says where that is", () => {
    const named = (href: string) => [label(href).title, label(href).about];

    expect(named("/r/platform/2")).toEqual(["Retry storm", "platform"]);
    expect(named("/r/platform")).toEqual(["platform", "General"]);
    expect(named("/r/platform/1")).toEqual(["platform", "General"]);
    expect(named("/runs/9")).toEqual(["Run 9", "kai, Retry storm"]);
    expect(named("/projects/tea")).toEqual(["Tea shop", ""]);
    expect(named("/needs")).toEqual(["Needs you", ""]);
    expect(named("/settings/no-such-page")).toEqual(["Settings", ""]);
  });

  it("tells how that stands", () => {
    expect(label("/r/platform/2")).toMatchObject({ unread: 3, isGone: false });
    expect(label("/runs/9").status).toBe("running");
  });

  it("says when there is no such thing; what is not known yet may be there", () => {
    const gone = ["/r/platform/404", "/r/closed/2", "/projects/coffee", "/nowhere"];

    expect(gone.filter((href) => !label(href).isGone)).toEqual([]);
    expect(["/r/platform/500", "/runs/1", "/terminals/terminal_x"].filter((href) => label(href).isGone)).toEqual([]);
  });
});
