"""TB-2: the board: cards are moved by mouse and keys, go back when the server refuses, and follow what others do."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.person import DESKTOP, PHONE, SOON, Person
from tests.support.stack import Stack, eventually

Come = Callable[..., Person]


@pytest.fixture
def shop(stack: Stack, room: str) -> str:
    """The key of a project with three tasks in its backlog; the second one comes after the first."""
    stack.api.post("/api/projects", {"key": f"b{room}", "room": room})
    for title in ("Sell tea", "Pour it", "Count it"):
        stack.api.post("/api/tasks", {"project": f"b{room}", "title": title})
    change(stack, f"b{room}", "T-2", depends_on=["T-1"])
    return f"b{room}"


def change(stack: Stack, project: str, code: str, **said: Any) -> None:
    stack.api.call("PATCH", f"/api/tasks/{code}", {"project": project, **said})


def column(me: Person, status: str) -> Locator:
    return me.page.locator(f"[data-column={status}]")


def stand(me: Person, status: str, *codes: str) -> None:
    """These cards are in this column, in this order."""
    cards = column(me, status).locator("[data-task]")
    expect(cards).to_have_count(len(codes), timeout=SOON)
    for at, code in enumerate(codes):
        expect(cards.nth(at)).to_have_attribute("data-task", code, timeout=SOON)


def card(me: Person, code: str) -> Locator:
    return me.page.locator(f"[data-task='{code}']")


def said(me: Person, words: str) -> None:
    """What those hear who do not see."""
    expect(me.page.locator("[aria-live=assertive]")).to_contain_text(words, timeout=SOON)


def carry(me: Person, code: str, to: Locator) -> None:
    """By the mouse, in steps as a hand does."""
    start, end = card(me, code).bounding_box(), to.bounding_box()
    assert start is not None
    assert end is not None
    me.page.mouse.move(start["x"] + 60, start["y"] + 12)
    me.page.mouse.down()
    me.page.mouse.move(start["x"] + 72, start["y"] + 18, steps=3)
    expect(card(me, code)).to_have_attribute("data-dragging", "true", timeout=SOON)
    me.page.mouse.move(end["x"] + end["width"] / 2, end["y"] + 90, steps=12)
    expect(to).to_have_attribute("data-over", "true", timeout=SOON)
    me.page.mouse.up()
    expect(me.page.locator("[data-dragging]")).to_have_count(0, timeout=SOON)


def test_cards_are_moved_by_mouse_and_keys_and_stand_where_the_server_says(come: Come, stack: Stack, shop: str) -> None:
    me = come().go(f"/board?project={shop}")
    stand(me, "backlog", "T-1", "T-2", "T-3")
    picture(me, "board")

    carry(me, "T-3", column(me, "review"))
    stand(me, "review", "T-3")
    card(me, "T-1").focus()
    me.press("Space")
    said(me, "T-1 lifted, in Backlog, place 1")
    me.press("ArrowDown")
    said(me, "T-1 is over Backlog, place 2")
    me.press("Space")
    stand(me, "backlog", "T-2", "T-1")
    expect(card(me, "T-1")).to_be_focused()
    me.press("Space")
    said(me, "lifted")
    me.press("Escape")
    said(me, "T-1 is back where it was")

    def is_stored() -> bool:
        found = {one["code"]: one for one in stack.api.get("/api/tasks", project=shop)["tasks"]}
        return found["T-3"]["status"] == "review" and found["T-1"]["order"] > found["T-2"]["order"]

    eventually("the server has what is shown already", is_stored)
    me.page.reload()
    stand(me, "backlog", "T-2", "T-1")
    stand(me, "review", "T-3")


def test_what_the_server_refuses_goes_back_and_what_others_do_is_followed(come: Come, stack: Stack, shop: str) -> None:
    me = come().go(f"/board?project={shop}")
    stand(me, "backlog", "T-1", "T-2", "T-3")

    carry(me, "T-2", column(me, "in_progress"))
    me.sees(re.compile("T-2 comes after T-1"), where=me.page.get_by_role("alert"))
    stand(me, "backlog", "T-1", "T-2", "T-3")
    carry(me, "T-3", column(me, "waiting"))
    me.page.get_by_role("dialog").get_by_role("textbox").fill("for the leaves")
    me.page.get_by_role("dialog").get_by_role("button", name="Save").click()
    me.sees("for the leaves", where=card(me, "T-3"))

    change(stack, shop, "T-1", status="done")  # somebody else: it moves, and what came after it is ready
    stand(me, "done", "T-1")
    stand(me, "ready", "T-2")
    column(me, "ready").get_by_role("button", name="Plan a task in Ready").click()
    field = column(me, "ready").get_by_role("textbox")
    field.fill("Sweep up")
    me.page.route("**/api/tasks", lambda route: route.abort())
    me.press("Enter")
    me.sees("The server cannot be reached.", where=me.page.get_by_role("alert"))
    expect(field).to_have_value("Sweep up", timeout=SOON)
    me.page.unroute("**/api/tasks")
    me.press("Enter Enter")
    stand(me, "ready", "T-2", "T-4")
    change(stack, shop, "T-4", agent="demo")
    card(me, "T-4").get_by_role("button", name="Start demo on T-4").click()
    stand(me, "review", "T-4")

    card(me, "T-2").get_by_role("button", name="More for T-2").click()
    me.click("Edit", role="menuitem")
    form = me.page.get_by_role("dialog")
    form.get_by_label("What to do").fill("Slowly.")
    form.get_by_label("What has to be true then").fill("it is hot\nit is tea")
    form.get_by_label("Verification", exact=True).fill("make tea")
    form.get_by_label("Owner").select_option("owner")
    form.get_by_label("Type").fill("chore")
    form.get_by_role("button", name="Save").click()
    me.sees("chore", where=card(me, "T-2"))
    plan = stack.api.get("/api/tasks/T-2", project=shop)["task"]
    assert (plan["body"], plan["acceptance"], plan["verification"]) == (
        "Slowly.",
        ["it is hot", "it is tea"],
        "make tea",
    )
    assert (plan["owner"], plan["depends_on"]) == ("owner", ["T-1"])

    me.page.get_by_role("searchbox").fill("sweep")
    stand(me, "ready")
    me.page.reload()  # the address has the filter
    stand(me, "review", "T-4")
    stand(me, "ready")
    me.page.set_viewport_size(PHONE)
    me.page.get_by_role("button", name=re.compile("^To review")).click()
    card(me, "T-4").get_by_role("button", name="More for T-4").click()
    me.click("Move to Done", role="menuitem")
    me.page.get_by_role("button", name=re.compile("^Done")).click()
    stand(me, "done", "T-4")
    me.page.set_viewport_size(DESKTOP)
    card(me, "T-4").get_by_role("button", name="More for T-4").click()
    me.click("Archive", role="menuitem")
    expect(card(me, "T-4")).to_have_count(0, timeout=SOON)
    me.page.get_by_label("State", exact=True).select_option("archived")
    card(me, "T-4").get_by_role("button", name="More for T-4").click()
    me.click("Delete", role="menuitem")
    me.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(card(me, "T-4")).to_have_count(0, timeout=SOON)
    assert [one["code"] for one in stack.api.get("/api/tasks", project=shop, archived="true")["tasks"]] == []
    picture(me, "board-later")
    me.page.set_viewport_size(DESKTOP)


def test_codes_in_words_lead_to_their_task_and_decision(come: Come, stack: Stack, shop: str, room: str) -> None:
    stack.api.post(f"/api/projects/{shop}/decisions", {"title": "Green tea"})
    task = stack.api.get("/api/tasks/T-2", project=shop)["task"]
    words = "After T-2, as `T-1` and T-99 say: D-1. [T-1](https://example.com) nothing.T-1"
    stack.api.post("/api/messages", {"room": room, "content": words})
    me = come().enter(room)
    said = me.log.locator("p", has_text="After T-2")
    links = said.locator("a[href^='/']")

    expect(links).to_have_count(2, timeout=SOON)
    assert [link.inner_text() for link in links.all()] == ["T-2", "D-1"]
    expect(links.nth(0)).to_have_attribute("title", "T-2 Pour it")
    expect(links.nth(1)).to_have_attribute("href", re.compile(rf"^/r/{room}/\d+\?message=\d+$"))
    links.nth(0).click()
    expect(me.page).to_have_url(re.compile(f"/r/{room}/{task['topic']}$"), timeout=SOON)
    expect(me.page.get_by_role("heading", name="Pour it", level=1)).to_be_visible(timeout=SOON)


def picture(me: Person, name: str) -> None:
    """For eyes, when `TEST_PICTURES` names a folder."""
    if folder := os.environ.get("TEST_PICTURES"):
        me.page.screenshot(path=Path(folder) / f"{name}.png")
