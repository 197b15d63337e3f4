"""A terminal in the browser: typed into, watched by others, there again after a reload, closed when somebody says."""

import re
from collections.abc import Callable
from contextlib import suppress

from playwright.sync_api import Locator, expect

from tests.browser.person import SOON, TRIES, Person
from tests.support.stack import Stack

Come = Callable[..., Person]


def screen(person: Person) -> Locator:
    return person.page.locator(".xterm-rows")


def types(person: Person, words: str) -> None:
    person.page.locator(".xterm-helper-textarea").focus()
    person.page.keyboard.type(words)
    person.page.keyboard.press("Enter")


def runs(person: Person, words: str, shown: str) -> None:
    """A line that leads to this on the screen; typed again when it was not heard."""
    expect(person.page.get_by_role("dialog")).to_have_count(0)
    expect(person.page.locator("[data-terminal-bar][data-may-type]")).to_be_visible()
    for _ in range(TRIES):
        types(person, words)
        with suppress(AssertionError):
            return expect(screen(person)).to_contain_text(shown, timeout=SOON / TRIES)
    raise AssertionError(f"{words!r} never led to {shown!r}")


def test_a_shell_is_typed_into_watched_and_closed(come: Come, room: str, stack: Stack) -> None:
    me = come().enter(room)
    me.click("More for this topic")
    me.page.get_by_role("menuitem", name="New terminal").click()
    me.page.get_by_role("dialog").get_by_role("button", name="Open", exact=True).click()
    expect(me.page).to_have_url(re.compile("/terminals/term_"), timeout=SOON)
    me.sees("open", where=me.page.locator("[data-terminal-bar]"))
    runs(me, "echo first-$((40+2))", "first-42")

    # What is printed sets no title, and an address that is no web address is not opened.
    runs(
        me,
        r"printf '\033]0;taken\007\033]8;;javascript:alert(1)\033\\bad\033]8;;\033\\\n'; echo marks-$((1+1))",
        "marks-2",
    )
    assert "taken" not in me.page.title()

    stack.api.post("/api/users", {"username": "watcher", "role": "viewer"})
    other = come("watcher").go(me.page.url)
    expect(screen(other)).to_contain_text("first-42", timeout=SOON)  # from what is kept
    other.sees("You can watch, not type")
    types(other, "echo not-$((1+2))")
    runs(me, "echo both-$((2+2))", "both-4")
    expect(screen(other)).to_contain_text("both-4", timeout=SOON)
    expect(screen(me)).not_to_contain_text("not-3")

    me.page.reload()
    expect(screen(me)).to_contain_text("both-4", timeout=SOON)
    me.click("Close the terminal")
    me.page.get_by_role("dialog").get_by_role("button", name="Close the terminal").click()

    me.sees("closed", where=me.page.locator("[data-terminal-bar]"))
    other.sees("closed", where=other.page.locator("[data-terminal-bar]"))
    me.go(f"/terminals?room={stack.api.get(f'/api/rooms/{room}')['room']['id']}")
    me.sees("No terminal is open.")
