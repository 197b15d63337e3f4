"""A terminal in the browser: typed into, watched by others, there again after a reload, closed when somebody says."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, WebSocketRoute, expect

from tests.browser.person import SOON, Person
from tests.support.proxy import Proxy
from tests.support.stack import Stack

Come = Callable[..., Person]


def screen(person: Person) -> Locator:
    return person.page.locator(".xterm-rows")


def types(person: Person, words: str) -> None:
    person.page.locator(".xterm-helper-textarea").focus()
    person.page.keyboard.type(words)
    person.page.keyboard.press("Enter")


def runs(person: Person, words: str, shown: str) -> None:
    """A line that leads to this on the screen."""
    types(person, words)
    expect(screen(person)).to_contain_text(shown, timeout=SOON)


def test_a_shell_is_typed_into_watched_and_closed(come: Come, room: str, stack: Stack) -> None:
    me = come().enter(room)
    me.click("More for this topic")
    me.page.get_by_role("menuitem", name="New terminal").click()
    me.page.get_by_role("dialog").get_by_role("button", name="Open", exact=True).click()
    expect(me.page.locator(".xterm-helper-textarea")).to_be_focused(timeout=SOON)
    me.page.keyboard.type("echo first-$((40+2))\n")  # at once, while it opens
    expect(screen(me)).to_contain_text("first-42", timeout=SOON)

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
    expect(other.page.get_by_role("status").get_by_text("You can watch, not type")).to_be_visible(timeout=SOON)
    runs(me, "echo both-$((2+2))", "both-4")
    expect(screen(other)).to_contain_text("both-4", timeout=SOON)
    expect(screen(me)).not_to_contain_text("not-3")

    # A page whose socket does not come: what is typed there waits, is shown to wait, and is not lost.
    held: list[WebSocketRoute] = []
    me.page.route_web_socket(re.compile("/api/terminals/"), lambda socket: held.append(socket))
    me.page.reload()
    expect(me.page.locator(".xterm-helper-textarea")).to_be_focused(timeout=SOON)
    me.page.keyboard.type("echo kept-$((3+4))\n")
    me.sees("Waiting to be typed: 19 characters.")
    held[0].connect_to_server()
    expect(screen(me)).to_contain_text("kept-7", timeout=SOON)
    expect(screen(me)).to_contain_text("both-4", timeout=SOON)
    me.misses("Waiting to be typed")
    me.click("Close the terminal")
    me.page.get_by_role("dialog").get_by_role("button", name="Close the terminal").click()

    me.sees("closed", where=me.page.locator("[data-terminal-bar]"))
    other.sees("closed", where=other.page.locator("[data-terminal-bar]"))
    me.go(f"/terminals?room={stack.api.get(f'/api/rooms/{room}')['room']['id']}")
    me.sees("No terminal is open.")


def test_what_was_on_its_way_when_the_connection_broke_is_typed_once(
    come: Come, room: str, stack: Stack, proxy: Proxy
) -> None:
    wanted = {"room": room, "kind": "shell", "computer": stack.daemon.computer}
    id = stack.api.post("/api/terminals", wanted)["terminal"]["id"]
    me = come(url=proxy.url).go(f"/terminals/{id}")
    expect(me.page.locator(".xterm-helper-textarea")).to_be_focused(timeout=SOON)
    runs(me, "echo heard-$((40+2))", "heard-42")

    proxy.silence_sockets()
    types(me, "echo again-$((3+4))")
    proxy.cut()

    expect(screen(me)).to_contain_text("again-7", timeout=SOON)
    runs(me, "echo after-$((5+5))", "after-10")
    assert screen(me).inner_text().count("again-7") == 1
