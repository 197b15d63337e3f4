"""The network goes and comes back: nothing is lost, nothing is there twice, what was typed is sent once."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.person import SOON, Person
from tests.support.proxy import Proxy
from tests.support.stack import Stack

CUTS = 50


def texts(person: Person) -> list[str]:
    """What the topic shows, from its first message to its last."""
    found = person.page.evaluate(
        """async () => {
            const seen = new Map();
            const log = document.querySelector("[role=log]");
            for (let top = 0; top <= log.scrollHeight + 300; top += 300) {
                log.scrollTop = top;
                await new Promise((done) => setTimeout(done, 30));
                for (const one of log.querySelectorAll("[data-message]")) {
                    seen.set(Number(one.dataset.message), one.innerText);
                }
            }
            return [...seen].sort((one, other) => one[0] - other[0]).map(([, text]) => text);
        }"""
    )
    return [match[0] for text in found for match in [re.search(r"number \d+", text)] if match]


def test_fifty_cuts_leave_what_a_fresh_load_shows(
    come: Callable[..., Person], room: str, stack: Stack, proxy: Proxy
) -> None:
    watching = come(url=proxy.url).enter(room)
    watching.say("begin")
    watching.sees("begin", where=watching.log)

    for number in range(CUTS):
        stack.api.post("/api/messages", {"room": room, "content": f"number {number}"})
        proxy.cut()
        if number % 10 == 0:
            watching.page.evaluate("window.dispatchEvent(new Event('online'))")
    watching.sees(f"number {CUTS - 1}", where=watching.log)

    wanted = [f"number {number}" for number in range(CUTS)]
    assert texts(watching) == wanted
    assert texts(come().enter(room)) == wanted


def test_what_is_written_while_the_server_is_away_is_sent_once(
    come: Callable[..., Person], room: str, stack: Stack, proxy: Proxy
) -> None:
    me = come(url=proxy.url).enter(room)
    me.say("before")
    me.sees("before", where=me.log)

    proxy.go_away()
    try:
        me.sees(re.compile("Not connected"))
        me.say("meanwhile")
        me.sees("Will be sent", where=me.log)
        stack.api.post("/api/messages", {"room": room, "content": "from elsewhere"})
    finally:
        proxy.come_back()
    me.click("Try now")

    me.sees("from elsewhere", where=me.log)
    me.misses("Will be sent")
    me.sees("meanwhile", where=me.log, times=1)
    said = [message["content"] for message in stack.messages(room)]
    assert sorted(said) == ["before", "from elsewhere", "meanwhile"]


def test_a_message_that_waits_survives_a_reload(come: Callable[..., Person], room: str, stack: Stack) -> None:
    me = come().enter(room)
    expect(me.composer).to_be_visible(timeout=SOON)
    me.page.route(
        "**/api/messages", lambda route: route.abort() if route.request.method == "POST" else route.continue_()
    )
    me.say("kept")
    me.sees("Will be sent", where=me.log)

    me.page.unroute("**/api/messages")
    me.page.reload()

    me.sees("kept", where=me.log, times=1)
    me.misses("Will be sent")
    assert [message["content"] for message in stack.messages(room)] == ["kept"]


def test_a_socket_that_died_in_its_sleep_is_found_out(
    come: Callable[..., Person], room: str, stack: Stack, proxy: Proxy
) -> None:
    me = come(url=proxy.url).enter(room)
    me.say("before")
    me.sees("before", where=me.log)

    proxy.silence_sockets()
    stack.api.post("/api/messages", {"room": room, "content": "while it slept"})
    me.page.evaluate("window.dispatchEvent(new Event('online'))")

    me.sees("while it slept", where=me.log, times=1)
