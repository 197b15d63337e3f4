"""Tasks in the client: the topic says which one it is and where it stands, the list has those of a project."""

import os
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.person import PHONE, SOON, Person
from tests.support.stack import Stack

Come = Callable[..., Person]


def test_a_task_is_seen_moved_and_started_where_it_is_talked_about(come: Come, room: str, stack: Stack) -> None:
    stack.api.post("/api/projects", {"key": room, "room": room, "name": "Shop"})
    planned = {"project": room, "title": "Sell tea", "agent": "demo", "acceptance": ["the page lists it"]}
    first = stack.api.post("/api/tasks", planned)["task"]
    topic = stack.api.post(f"/api/rooms/{room}/topics", {"title": "Pour it"})["topic"]["id"]
    me = come().go(f"/r/{room}/{topic}")
    me.click("More for this topic")
    me.click("Make it a task", role="menuitem")
    expect(me.page.locator("button[data-task]")).to_contain_text("T-2", timeout=SOON)
    stack.api.call("PATCH", "/api/tasks/T-2", {"project": room, "depends_on": ["T-1"]})
    me.go(f"/tasks?project={room}")
    rows = me.page.locator("tr[data-task]")
    expect(rows).to_have_count(2, timeout=SOON)
    me.sees("comes after T-1", where=rows.nth(1))
    picture(me, "list")

    rows.nth(0).get_by_role("link").click()
    chip = me.page.locator("button[data-task]")
    expect(chip).to_contain_text("Backlog", timeout=SOON)
    chip.click()
    me.sees("the page lists it")
    picture(me, "chip")
    me.click("Waiting", role="menuitem")
    me.page.get_by_role("dialog").get_by_role("textbox").fill("for the leaves")
    me.page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(chip).to_contain_text("Waiting", timeout=SOON)
    chip.click()
    me.sees("for the leaves")
    me.click("Start demo on it", role="menuitem")
    expect(chip).to_contain_text("To review", timeout=SOON)  # told by the stream, when the run has ended

    stack.api.call("PATCH", f"/api/tasks/{first['id']}", {"status": "done"})
    expect(chip).to_contain_text("Done", timeout=SOON)
    chip.click()
    me.click("All tasks of", role="menuitem")
    expect(rows.nth(1)).to_contain_text("Ready", timeout=SOON)
    me.page.get_by_label("State", exact=True).select_option("done")
    expect(rows).to_have_count(1, timeout=SOON)
    expect(rows).to_contain_text("Sell tea")
    picture(me, "done")
    me.page.get_by_label("State", exact=True).select_option("")
    me.click("New task")
    me.page.get_by_role("dialog").get_by_role("textbox").fill("Count it")
    me.page.get_by_role("dialog").get_by_role("button", name="Plan it").click()
    expect(rows.nth(2)).to_contain_text("T-3 Count it", timeout=SOON)


def picture(me: Person, name: str) -> None:
    """For eyes, when `TEST_PICTURES` names a folder: as it is, dark, and on a phone."""
    if folder := os.environ.get("TEST_PICTURES"):
        me.page.screenshot(path=Path(folder) / f"tasks-{name}.png")
        before = me.page.viewport_size
        me.page.emulate_media(color_scheme="dark")
        me.page.screenshot(path=Path(folder) / f"tasks-{name}-dark.png")
        me.page.emulate_media(color_scheme="light")
        me.page.set_viewport_size(PHONE)
        me.page.screenshot(path=Path(folder) / f"tasks-{name}-phone.png")
        if before:
            me.page.set_viewport_size(before)
