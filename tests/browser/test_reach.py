"""On a phone, by keys alone, in both themes and languages, and for those who do not see: everything can be reached."""

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from playwright.sync_api import expect

from tests.browser.person import PHONE, SOON, Person
from tests.support.stack import Stack, eventually
from tests.support.workbench import with_tools

Come = Callable[..., Person]
# What axe looks for in each: of all that it knows a theme changes the colours alone.
THEMES: tuple[tuple[Any, list[str] | None], ...] = (("light", None), ("dark", ["color-contrast"]))
RUN_TABS = ("steps", "changes", "log", "prompt", "files")
# Every page beside the rooms: its address, its heading, and what stands on it once what it shows has come.
SCREENS = (
    ("/needs", "Needs you", "[data-ask]"),
    ("/board", "Board", "[data-task]"),
    ("/tasks", "Tasks", "[data-task]"),
    ("/runs", "Runs", "tbody tr"),
    ("/decisions", "Decisions", "[data-decision]"),
    ("/files", "Files", "[data-file]"),
    ("/runs/live", "Runs", "[data-run]"),
    ("/terminals", "Terminals", "tbody tr"),
    ("/history", "History", "tbody tr"),
    ("/usage", "Usage", "tbody tr"),
    ("/settings/you", "You", "main select"),
    ("/settings/notifications", "Notifications", "[role=switch]"),
    ("/settings/agents", "Agents", "tbody tr"),
    ("/settings/computers", "Computers", "tbody tr"),
    ("/settings/bots", "Bots", "main h3"),
    ("/settings/people", "People", "tbody tr"),
    ("/settings/tokens", "Tokens", "tbody tr"),
    ("/settings/links", "Share links", "tbody tr"),
    ("/settings/approvals", "Standing approvals", "main p"),
    ("/settings/audit", "Audit", "tbody tr"),
    ("/there-is-no-such-page", re.compile("page", re.I), "main a"),
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
    expect(me.page.get_by_role("button", name="After this run")).to_be_visible()  # the bar is never fuller
    send = me.page.get_by_role("button", name="Send", exact=True).bounding_box()
    field = me.composer.bounding_box()
    assert send is not None
    assert field is not None
    assert send["width"] >= 44
    assert send["x"] + send["width"] <= field["x"] + field["width"]
    allow = card.get_by_role("button", name="Allow once")
    box = allow.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    assert box["x"] + box["width"] <= PHONE["width"]
    allow.click()
    me.sees(re.compile("allowed: x+"))
    me.click("Back to topics", role="link")
    expect(me.page.get_by_role("link", name=re.compile("rather long title"))).to_be_visible(timeout=SOON)
    furnish(stack, room)
    for path, heading, shown in SCREENS:
        me.turn_to(path, heading, shown)
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


def test_who_may_only_read_is_offered_nothing_else(come: Come, room: str, stack: Stack) -> None:
    topic = stack.api.post(f"/api/rooms/{room}/topics", {"title": "looked at"})["topic"]["id"]
    stack.api.post("/api/messages", {"room": room, "topic": topic, "content": "@demo /approve the plan"})
    stack.api.post("/api/users", {"username": "reader", "role": "viewer"})
    mine, me = (who.go(f"/r/{room}/{topic}") for who in (come(), come("reader")))
    for who in (mine, me):
        expect(who.page.locator("[data-ask]")).to_contain_text("the plan")
        expect(who.page.locator("[data-run]")).to_be_visible()

    for name in ("New topic", "New room", "Mark resolved", "Stop this run", "Send"):
        expect(mine.page.get_by_role("button", name=name, exact=True).first).to_be_visible()
        expect(me.page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    expect(me.page.get_by_role("button", name="Allow once")).to_be_disabled()
    mine.click("Allow once")
    mine.sees("Approved: the plan", where=mine.log)  # so that its agent is free for others
    me.sees("You may read here. An admin can let you write.")
    me.go("/settings/audit")
    me.sees("An admin or the owner can see this.")


def test_theme_language_and_size_are_a_persons_own_and_stay(come: Come) -> None:
    me, again = come("theo").go("/settings/you"), come("theo").go("/settings/you")

    me.page.get_by_text("Dark", exact=True).click()
    expect(again.page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark", timeout=SOON)
    me.page.get_by_label("Text size").select_option("18")
    me.page.get_by_label("Language").select_option("zh")

    dark = again.page.request.get("/").text()  # as the next first paint will be
    assert '<html data-mantine-color-scheme="dark" lang="en">' in dark
    again.sees("设置", where=again.page.get_by_role("heading"))
    expect(again.page.locator("html")).to_have_attribute("lang", "zh")
    assert again.page.evaluate("document.documentElement.style.getPropertyValue('--text-size')") == "18px"


def furnish(stack: Stack, room: str) -> dict[str, str]:
    """Something to be seen on every page: a call that waits, a run that ended, a file, a link, a project, its task, and
    a terminal that is open.

    The addresses of those that have a page of their own.
    """
    api = stack.api
    said = {"room": room, "topic": api.post(f"/api/rooms/{room}/topics", {"title": "asks"})["topic"]["id"]}
    api.post("/api/messages", {**said, "content": "@demo /approve this"})
    asked = api.post("/api/messages", {"room": room, "content": "@demo /echo `code` [link](https://example.com)"})
    stack.wait_run(asked["message"]["id"])
    for number in range(2):  # so that the second has what it took away, what it added and what it left
        asked = api.post("/api/messages", {"room": room, "content": f"@demo /edit a.py x = {number}  # said\ny = 0"})
        ended = stack.wait_run(asked["message"]["id"])
    api.post("/api/messages", {"room": room, "content": "| a | b |\n|---|---|\n| 1 | 2 |"})
    api.raw("POST", f"/api/artifacts?name=a.txt&room={room}", b"content")
    api.post("/api/shares", {"room": room})
    project = f"/projects/{api.post('/api/projects', {'key': f'p{room}', 'room': room})['project']['key']}"
    api.post(f"/api{project}/decisions", {"title": "Sell tea"})
    api.post("/api/tasks", {"project": f"p{room}", "room": room, "title": "Pour it"})
    terminal = api.post("/api/terminals", {**said, "kind": "shell", "computer": stack.daemon.computer})["terminal"]
    return {
        "room": f"/r/{room}",
        "topic": f"/r/{room}/{said['topic']}",
        "project": project,
        "run": f"/runs/{ended['id']}",
        "tab": f"/r/{room}/{said['topic']}?run={ended['id']}&tab=",
        "terminal": f"/terminals/{terminal['id']}",
    }


def serious_in(person: Person, rules: list[str] | None = None) -> list[str]:
    """What axe finds serious on the page as it is; what is only so while the page is still being drawn is not."""
    # Style sheets as such are looked at by none of its rules here, and it would copy those of a shadow root into style
    # elements, which the page's policy refuses.
    how: dict[str, Any] = {"resultTypes": ["violations"], "elementRef": False, "preload": False}
    if rules is not None:
        how["runOnly"] = {"type": "rule", "values": rules}
    found: list[str] = []

    def is_clean() -> bool:
        nonlocal found
        violations = person.page.evaluate("(how) => axe.run(document, how).then((all) => all.violations)", how)
        found = [
            f"{one['id']}: {one['nodes'][0]['html'][:160]} {one['nodes'][0]['any'][:1]}"
            for one in violations
            if one["impact"] in ("serious", "critical")
        ]
        return not found

    with suppress(AssertionError):
        eventually("axe finds nothing", is_clean, within=30)
    return found


def test_nothing_is_in_the_way_of_those_who_do_not_see(come: Come, room: str, stack: Stack) -> None:
    axe = (with_tools() / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
    made = furnish(stack, room)
    me = come().enter(room)
    me.page.evaluate(f"() => {{ {axe} }}")  # the page's policy refuses scripts that are added to it
    html = me.page.locator("html")
    me.page.get_by_role("navigation", name="Main").get_by_role("link", name="Runs").click(button="middle")
    expect(me.page.get_by_role("navigation", name="Tabs")).to_be_visible()  # it stays over all that follows
    found: dict[str, list[str]] = {}
    places = (
        (made["room"], "General", "table"),
        (made["topic"], "asks", "[data-ask]"),
        *((f"{made['tab']}{tab}", "asks", f"[role=tab][aria-selected=true]:has-text('{tab}')") for tab in RUN_TABS),
        (f"{made['tab']}changes", "asks", "diffs-container [data-line] span"),
        (made["run"], re.compile(r"Run \d"), "main [role=tabpanel]"),
        (made["terminal"], re.compile("."), "[data-terminal-bar]"),
        (made["project"], "Decisions", "[data-decision]"),
        *SCREENS,
    )

    for theme, rules in THEMES:
        me.page.emulate_media(color_scheme=theme)
        expect(html).to_have_attribute("data-mantine-color-scheme", theme)
        for path, heading, shown in places:
            me.turn_to(path, heading, shown)
            found[f"{path} in {theme}"] = serious_in(me, rules)

    assert [f"{place}: {line}" for place, lines in found.items() for line in lines] == []
