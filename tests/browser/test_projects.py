"""WB-9, TB-11: a project's page: what it says, what is decided, what its runs read; and its rooms in the sidebar."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.person import Person
from tests.support.stack import Stack


@pytest.fixture
def shop(stack: Stack, room: str) -> str:
    """The key of a project whose default room is the test's own."""
    made = stack.api.post("/api/projects", {"key": f"p{room}", "room": room, "goal": "Sell tea."})
    return str(made["project"]["key"])


def test_a_project_is_read_and_changed_on_its_page(
    stack: Stack, come: Callable[..., Person], room: str, shop: str
) -> None:
    stack.api.post(f"/api/projects/{shop}/decisions", {"title": "Use SQLite", "rationale": "One **file**."})
    owner = come().go(f"/projects/{shop}")
    page = owner.page
    owner.sees("Sell tea.")

    owner.click("Edit")
    page.get_by_label("Rules").fill("Be kind.\n\nNo new dependencies.")
    page.get_by_label("Stack").fill("python, sqlite")
    owner.click("Save")
    owner.sees("No new dependencies.")
    decision = page.locator("[data-decision='D-1']")
    decision.get_by_role("button", name="Approve").click()
    expect(decision).to_have_attribute("data-status", "approved")
    decision.locator("summary").click()
    owner.sees("proposed by owner, settled by owner", where=decision)
    owner.click("Add")
    page.get_by_label("Name").fill("README.md")
    page.get_by_role("textbox", name="Text").fill("How to make tea.")
    owner.click("Save")
    owner.sees("16 characters", where=page.locator("[data-doc='README.md']"))

    changed = stack.api.get(f"/api/projects/{shop}")["project"]
    assert (changed["rules"], changed["tech_stack"]) == (["Be kind.", "No new dependencies."], ["python", "sqlite"])
    stack.api.post("/api/messages", {"room": room, "content": "said just now"})
    owner.sees("said just now", where=page.get_by_role("region", name="Recent activity"))


def test_a_proposed_decision_is_answered_on_its_card_and_a_viewer_settles_none(
    stack: Stack, come: Callable[..., Person], room: str, shop: str
) -> None:
    for title in ("First thing", "Second thing"):
        stack.api.post(f"/api/projects/{shop}/decisions", {"title": title})
    owner = come().go(f"/r/{room}")

    card = owner.page.locator("[data-ask]").filter(has_text="D-2: Second thing")
    card.get_by_role("button", name="Reject").click()
    card.get_by_role("textbox").fill("too early")
    card.get_by_role("button", name="Reject").click()
    owner.sees("owner rejected D-2: Second thing")

    found: dict[str, Any] = stack.api.get(f"/api/projects/{shop}/decisions/D-2")["decision"]
    assert (found["status"], found["reason"]) == ("rejected", "too early")
    stack.api.post("/api/users", {"username": f"v{room}", "role": "viewer"})
    viewer = come(f"v{room}").go(f"/projects/{shop}")
    expect(viewer.page.locator("[data-decision]")).to_have_count(2)
    expect(viewer.page.get_by_role("button", name="Approve")).to_have_count(0)
    expect(viewer.page.get_by_role("button", name="Edit")).to_have_count(0)


def test_decisions_of_all_projects_are_settled_on_one_page(
    stack: Stack, come: Callable[..., Person], room: str, shop: str
) -> None:
    stack.api.post(f"/api/projects/{shop}/decisions", {"title": f"Sell tea {room}"})
    owner = come().go(f"/decisions?q={room}&project={shop}")
    page = owner.page
    waits, holds = (page.locator(f"[data-decisions={status}]") for status in ("proposed", "approved"))
    owner.sees(f"Sell tea {room}", where=waits)

    waits.get_by_role("button", name="Approve").click()
    owner.sees(f"Sell tea {room}", where=holds)
    owner.misses(f"Sell tea {room}", where=waits)
    owner.click("Propose")
    form = page.get_by_role("dialog")
    form.get_by_label("What is to hold").fill(f"Sell gin {room}")
    form.get_by_label("Why").fill("People like it.")
    form.get_by_role("button", name="Propose").click()
    late = waits.locator("[data-decision='D-2']")
    late.get_by_role("button", name="Reject").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("too strong")
    page.get_by_role("dialog").get_by_role("button", name="Reject").click()

    expect(late).to_have_count(0)
    page.get_by_role("region", name="Rejected").locator("summary").first.click()
    owner.sees(f"Sell gin {room}")
    found: dict[str, Any] = stack.api.get("/api/decisions", project=shop, status="rejected")["decisions"][0]
    assert (found["code"], found["reason"], found["rationale"]) == ("D-2", "too strong", "People like it.")
    page.get_by_label("State", exact=True).select_option("approved")
    expect(page.locator("[data-decision]")).to_have_count(1)
    expect(page.locator("[data-decision] a")).to_have_attribute("href", re.compile(rf"/r/{room}/\d+\?message=\d+"))


def test_the_sidebar_shows_rooms_by_project_and_switches(
    stack: Stack, come: Callable[..., Person], room: str, shop: str
) -> None:
    owner = come().go("/needs")
    side = owner.page.get_by_role("navigation", name="Main")
    expect(side.get_by_role("link", name=shop, exact=True)).to_have_attribute("href", f"/projects/{shop}")
    expect(side.get_by_role("link", name="general", exact=True)).to_be_visible()

    owner.click("Switch project")
    owner.click(shop, role="menuitem")

    expect(owner.page.get_by_role("heading", name=shop, level=1)).to_be_visible()
    expect(side.get_by_role("link", name="general", exact=True)).to_have_count(0)
    expect(side.get_by_role("link", name=room, exact=True)).to_be_visible()
    owner.go("/needs")
    expect(side.get_by_role("link", name="general", exact=True)).to_have_count(0)
