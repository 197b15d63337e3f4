"""WB-2: tabs over the main pane, the dots of the sidebar and its width, and the place one comes back to."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.browser.conftest import token_of
from tests.browser.person import DESKTOP, PHONE, SOON, TRIES, Person
from tests.support.stack import Api, Stack, eventually

Come = Callable[..., Person]
# The message at the top of what is in sight, and how many pixels of it are above that, once nothing moves any more.
FIRST = """async (log) => {
  const at = () => {
    const top = log.getBoundingClientRect().top;
    const said = [...log.querySelectorAll("[data-message]")].map((one) => [one, one.getBoundingClientRect()]);
    const [first, { y }] = said.find(([, box]) => box.bottom > top) ?? [log, { y: top }];
    return [first.dataset.message ?? "", top - y];
  };
  let last = at();
  for (let same = 0; same < 30; ) {
    await new Promise(requestAnimationFrame);
    const now = at();
    same = String(now) === String(last) ? same + 1 : 0;
    last = now;
  }
  return last;
}"""
LONG = "words enough for several lines of it, " * 12


@pytest.fixture
def topics(stack: Stack, room: str) -> dict[str, int]:
    """By title: one that is longer than a window, and two that are empty."""
    titles = ("Long", "Second", "Third")
    made = {one: int(stack.api.post(f"/api/rooms/{room}/topics", {"title": one})["topic"]["id"]) for one in titles}
    for number in range(24):
        said = {"room": room, "topic": made["Long"], "content": f"Number {number}. {LONG}"}
        stack.api.post("/api/messages", said)
    return made


def tabs_of(me: Person) -> Locator:
    return me.page.get_by_role("navigation", name="Tabs").get_by_role("link")


def until(act: Callable[[], None], check: Callable[[float], None]) -> None:
    """Again, as a busy machine may take one thing for two; `check(within)` is given milliseconds."""
    for _ in range(TRIES):
        act()
        with suppress(AssertionError):
            return check(SOON / TRIES)
    raise AssertionError("it had no effect")


def shows(me: Person, *titles: str, here: int) -> None:
    """These tabs in this order, of which that one is in sight."""
    expect(tabs_of(me)).to_have_text([re.compile(f"^{one}") for one in titles])
    expect(tabs_of(me).nth(here)).to_have_attribute("aria-current", "page")
    expect(me.page.locator("[aria-current=page][href]:is(nav[aria-label=Tabs] *)")).to_have_count(1)


def test_tabs_open_beside_are_moved_and_come_back_as_they_were_left(
    come: Come, room: str, topics: dict[str, int], stack: Stack
) -> None:
    me = come().go(f"/r/{room}/{topics['Long']}")
    page = me.page
    side = page.get_by_role("navigation", name="Main")
    row = {title: page.get_by_role("region", name=re.compile("^Topics")).get_by_text(title) for title in topics}
    me.sees(re.compile("Number 23"), where=me.log)
    expect(tabs_of(me)).to_have_count(0)  # one page needs no strip

    me.composer.fill("half a thought")
    me.log.hover()
    until(
        lambda: page.mouse.wheel(0, -900),
        lambda within: expect(me.log.locator("~ button")).to_be_visible(timeout=within),
    )
    row["Second"].click(modifiers=["Control"])
    side.get_by_role("link", name="Runs").click(button="middle")
    shows(me, "Long", "Second", "Runs", here=0)
    first, above = me.log.evaluate(FIRST)
    me.leaves_fields()
    me.press("l")
    shows(me, "Long", "Second", "Runs", here=1)
    expect(page).to_have_url(re.compile(f"/{topics['Second']}$"))
    page.go_back()
    shows(me, "Long", "Second", "Runs", here=0)
    expect(me.composer).to_have_value("half a thought")
    eventually("it is where it was left", lambda: me.log.evaluate(FIRST) == [first, pytest.approx(above, abs=3)])

    # A plain click replaces the page; what is pinned keeps it.
    side.get_by_role("link", name="History").click()
    shows(me, "History", "Second", "Runs", here=0)
    page.go_back()
    tabs_of(me).nth(1).click(button="right")
    me.click("Pin", role="menuitem")
    tabs_of(me).first.click()
    row["Third"].click()
    shows(me, "Second", "Third", "Long", "Runs", here=1)
    tabs_of(me).nth(3).drag_to(tabs_of(me).nth(2), target_position={"x": 5, "y": 9})
    shows(me, "Second", "Third", "Runs", "Long", here=1)
    page.reload()
    shows(me, "Second", "Third", "Runs", "Long", here=1)
    tabs_of(me).nth(1).focus()
    me.press("Control+Shift+ArrowRight Delete")
    shows(me, "Second", "Runs", "Long", here=2)
    expect(tabs_of(me).nth(2)).to_be_focused()

    # They tell what goes on in them, and that there is nothing any more.
    other = Api(stack.server.url, token_of(stack, "mia"))
    other.post("/api/messages", {"room": room, "topic": topics["Second"], "content": "news"})
    me.sees("1 unread", where=tabs_of(me).first)
    me.go(f"/r/{room}/999999999")
    me.sees("not here any more", where=tabs_of(me).nth(2))
    me.click("Close this tab")
    shows(me, "Second", "Runs", here=1)
    me.press("X")
    shows(me, "Second", "Runs", "Topic 999999999", here=2)
    me.press("x")
    shows(me, "Second", "Runs", here=1)
    here = tabs_of(me).first
    until(
        lambda: me.press("t 1"), lambda within: expect(here).to_have_attribute("aria-current", "page", timeout=within)
    )
    me.press("x")  # pinned
    shows(me, "Second", "Runs", here=0)


def test_the_palette_and_the_menu_of_a_link_open_tabs_and_a_phone_has_no_strip(
    come: Come, room: str, topics: dict[str, int]
) -> None:
    me = come().go("/files")
    me.page.get_by_role("navigation", name="Main").get_by_role("link", name="Usage").click(button="right")
    me.click("Open in a tab", role="menuitem")
    shows(me, "Files", "Usage", here=1)
    me.press("Control+k")
    expect(me.page.get_by_role("combobox", name=re.compile("Jump"))).to_be_focused()
    me.page.keyboard.type(f"third {room}")
    expect(me.page.get_by_role("option").first).to_contain_text("Third")
    me.press("Control+Enter")
    shows(me, "Files", "Usage", "Third", here=2)

    me.page.set_viewport_size(PHONE)
    expect(me.page.get_by_role("navigation", name="Tabs")).to_have_count(0)
    me.click("Search")
    me.page.get_by_role("option", name="Usage").first.click()
    expect(me.page).to_have_url(re.compile("/usage$"))
    me.page.set_viewport_size(DESKTOP)
    shows(me, "Files", "Usage", "Third", here=1)


def test_the_sidebar_tells_who_is_here_and_what_runs_and_keeps_its_width(come: Come, room: str, stack: Stack) -> None:
    stack.api.post("/api/agents", {"agent_key": "clerk", "runtime": "demo", "computer_id": stack.daemon.computer})
    stack.api.post(f"/api/rooms/{room}/agents", {"agent": "clerk"})
    me = come().go(f"/r/{room}")
    side = me.page.get_by_role("navigation", name="Main")
    come("mia").go("/needs")
    expect(side.get_by_role("img", name="mia, here now")).to_be_visible()

    me.say("@clerk /ask Which one?")
    place = side.get_by_role("link", name=re.compile(f"^{room}"))
    me.sees("1 live", where=place)
    me.sees("1 waiting for you", where=place)

    edge = side.get_by_role("separator", name="Width of the sidebar")
    edge.press("ArrowRight")
    expect(edge).to_have_attribute("aria-valuenow", "256")
    box = edge.bounding_box()
    assert box is not None
    me.page.mouse.move(box["x"] + 4, 500)
    me.page.mouse.down()
    me.page.mouse.move(box["x"] + 48, 500)
    me.page.mouse.up()
    expect(edge).to_have_attribute("aria-valuenow", "300")
    me.page.reload()
    expect(edge).to_have_attribute("aria-valuenow", "300")
    assert side.evaluate("(side) => side.offsetWidth") == 300


def test_a_visit_without_an_address_leads_to_the_last_place_and_an_address_to_what_is_old(
    come: Come, room: str, topics: dict[str, int]
) -> None:
    me = come().go("/files?q=notes")
    expect(me.page.get_by_role("searchbox")).to_have_value("notes")

    me.go("/")

    expect(me.page).to_have_url(re.compile(r"/files\?q=notes$"))
    expect(me.page.get_by_role("searchbox")).to_have_value("notes")

    def without_topics(route: Route) -> None:
        answer = route.fetch()
        said = answer.json()
        said["snapshot"]["topics"] = []
        route.fulfill(response=answer, json=said)

    me.page.route("**/api/snapshot", without_topics)
    me.go(f"/r/{room}/{topics['Long']}")
    me.sees(re.compile("Number 23"), where=me.log)
