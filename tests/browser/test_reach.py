"""On a phone, by keys alone, in both themes and languages, and for those who do not see: everything can be reached."""

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.person import PHONE, SOON, Person
from tests.support.stack import Stack, eventually
from tests.support.workbench import with_tools

Come = Callable[..., Person]
SCREENS = (
    "/needs",
    "/runs",
    "/runs/live",
    "/files",
    "/history",
    "/usage",
    "/settings/you",
    "/settings/agents",
    "/settings/computers",
    "/settings/bots",
)


def overflow(person: Person) -> int:
    """Pixels the page is wider than its window."""
    return int(person.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


def test_a_phone_shows_one_pane_at_a_time(come: Come, room: str, stack: Stack) -> None:
    topic = stack.api.post(
        f"/api/rooms/{room}/topics", {"title": "A topic with a rather long title, as people write them"}
    )
    stack.api.post(
        "/api/messages", {"room": room, "topic": topic["topic"]["id"], "content": "@demo /approve " + "x" * 90}
    )
    me = come(viewport=PHONE, has_touch=True, is_mobile=True).go(f"/r/{room}")

    me.page.get_by_role("link", name=re.compile("rather long title")).click()
    card = me.page.locator("[data-ask]")
    expect(card).to_be_visible(timeout=SOON)
    assert overflow(me) <= 0
    allow = card.get_by_role("button", name="Allow once")
    box = allow.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    assert box["x"] + box["width"] <= PHONE["width"]
    allow.click()
    me.sees(re.compile("allowed: x+"))
    me.click("Back to topics", role="link")
    expect(me.page.get_by_role("link", name=re.compile("rather long title"))).to_be_visible(timeout=SOON)
    for path in SCREENS:
        me.go(path)
        expect(me.page.get_by_role("heading").first).to_be_visible(timeout=SOON)
        assert overflow(me) <= 0, path


def test_everything_is_done_by_keys(come: Come, room: str) -> None:
    me = come().enter(room)
    me.leaves_fields()

    me.goes("g i", "Needs you")
    me.goes("g r", "Runs")
    me.goes("g s", "Settings")
    me.press("?")
    me.sees("Keyboard", where=me.page.get_by_role("dialog"))
    me.press("Escape")
    expect(me.page.get_by_role("dialog")).to_have_count(0)
    me.press("Control+k")
    expect(me.page.get_by_role("combobox", name=re.compile("Jump"))).to_be_focused(timeout=SOON)
    me.page.keyboard.type(room)
    expect(me.page.get_by_role("dialog").get_by_role("option").first).to_contain_text(room, timeout=SOON)
    me.press("Enter")
    expect(me.page).to_have_url(re.compile(f"/r/{room}"), timeout=SOON)
    expect(me.composer).to_be_visible(timeout=SOON)
    me.press("r")
    me.page.keyboard.type("@demo /approve by keys")
    me.press("Control+Enter")
    expect(me.page.locator("[data-ask]")).to_be_visible(timeout=SOON)
    me.press("Escape a")
    me.sees("Approved: by keys", where=me.log)
    me.press("]")
    expect(me.page.get_by_role("complementary")).to_be_visible(timeout=SOON)
    me.press("4")
    expect(me.page.get_by_role("tab", name="Prompt")).to_have_attribute("aria-selected", "true")
    me.press("Escape")
    expect(me.page.get_by_role("complementary")).to_have_count(0)


def test_theme_language_and_size_are_a_persons_own_and_stay(come: Come) -> None:
    me, again = come("theo").go("/settings/you"), come("theo").go("/settings/you")

    me.page.get_by_text("Dark", exact=True).click()
    expect(again.page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark", timeout=SOON)
    me.page.get_by_label("Text size").select_option("18")
    me.page.get_by_label("Language").select_option("zh")

    again.sees("设置", where=again.page.get_by_role("heading"))
    expect(again.page.locator("html")).to_have_attribute("lang", "zh")
    assert again.page.evaluate("document.documentElement.style.getPropertyValue('--text-size')") == "18px"


def serious_in(person: Person) -> list[Any]:
    """What axe says of the page as it is now."""
    report = person.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [one for one in report["violations"] if one["impact"] in ("serious", "critical")]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_in_the_way_of_those_who_do_not_see(come: Come, room: str, stack: Stack, theme: Any) -> None:
    axe = (with_tools() / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
    stack.api.post("/api/messages", {"room": room, "content": "@demo hello `code` [link](https://example.com)"})
    stack.api.post("/api/messages", {"room": room, "content": "| a | b |\n|---|---|\n| 1 | 2 |"})
    topic = stack.api.post(f"/api/rooms/{room}/topics", {"title": "asks"})["topic"]["id"]
    stack.api.post("/api/messages", {"room": room, "topic": topic, "content": "@demo /approve this"})
    me = come(color_scheme=theme)
    found: dict[str, list[str]] = {}

    for path in (f"/r/{room}", f"/r/{room}/{topic}", f"/r/{room}/{topic}?run=1", *SCREENS):
        me.go(path)
        expect(me.page.get_by_role("heading").first).to_be_visible(timeout=SOON)
        if path.startswith(f"/r/{room}/{topic}"):
            expect(me.page.locator("[data-ask]")).to_be_visible(timeout=SOON)
        expect(me.page.locator("html")).to_have_attribute("data-mantine-color-scheme", theme)
        me.page.wait_for_load_state("networkidle")  # its colours come in two steps, the frame's first
        me.page.evaluate(f"() => {{ {axe} }}")  # the page's policy refuses scripts that are added to it
        with suppress(AssertionError):
            eventually(f"{path} has its colours", lambda: not serious_in(me))
        if serious := serious_in(me):
            found[path] = [
                f"{one['id']}: {one['nodes'][0]['html'][:160]} {one['nodes'][0]['any'][:1]}" for one in serious
            ]

    assert found == {}, "\n".join(f"{path} {line}" for path, lines in found.items() for line in lines)
