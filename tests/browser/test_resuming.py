"""The network goes and comes back: nothing is lost, nothing is there twice, what was typed is sent once."""

import re
from collections.abc import Callable
from contextlib import suppress

from playwright.sync_api import expect

from tests.browser.person import SOON, Person
from tests.support.proxy import Proxy
from tests.support.stack import Stack, eventually

CUTS = 50
# What stands around a topic, and on the cards of what waits, but for how long ago it was.
AROUND = """() => [...document.querySelectorAll("nav, [aria-label^='Topics of']")].map((part) => {
    const copy = part.cloneNode(true);
    for (const time of copy.querySelectorAll("time")) time.remove();
    return copy.textContent;
}).join("\\n")"""
CARDS = """() => [...document.querySelectorAll("[data-ask] pre, [data-ask] h3, [data-ask] header a")]
    .map((part) => part.textContent)"""

WALK = """async () => {
    const log = document.querySelector("[role=log]");
    const rows = () => [...log.querySelectorAll("[data-message]")];
    const shape = () => JSON.stringify([log.scrollTop, log.scrollHeight, rows().map((row) => row.dataset.message)]);
    const settled = async () => {
        for (let before = "", times = 0; times < 3; ) {
            await new Promise(requestAnimationFrame);
            const now = shape();
            times = now === before ? times + 1 : 0;
            before = now;
        }
    };
    const goTo = (top) => {
        log.dispatchEvent(new WheelEvent("wheel"));  // a hand: without one the list stays at its end
        log.scrollTop = top;
    };
    const seen = new Map();
    for (goTo(0); ; goTo(log.scrollTop + log.clientHeight / 2)) {
        await settled();
        for (const row of rows()) seen.set(Number(row.dataset.message), row.innerText);
        if (log.scrollTop + log.clientHeight >= log.scrollHeight - 1) break;
    }
    return [...seen].sort((one, other) => one[0] - other[0]).map(([, text]) => text);
}"""


def texts(person: Person, wanted: list[str]) -> list[str]:
    """What the topic shows from its first message to its last, once that is what is wanted, or after a while.

    The list holds only the rows near what is in sight, and measures them as they come, so one walk may miss some.
    """
    expect(person.log).to_be_visible()
    seen: list[str] = []

    def walk() -> bool:
        nonlocal seen
        found = person.page.evaluate(WALK)
        seen = [match[0] for text in found for match in [re.search(r"number \d+", text)] if match]
        return seen == wanted

    with suppress(AssertionError):
        eventually("the topic shows what is wanted", walk)
    return seen


def change(stack: Stack, room: str, number: int, made: dict[int, int]) -> None:
    """Something of each kind that lists, counts and cards show."""
    api = stack.api
    match number % 10:
        case 0:
            made[number] = api.post(f"/api/rooms/{room}/topics", {"title": f"matter {number}"})["topic"]["id"]
        case 2:
            topic = api.post(f"/api/rooms/{room}/topics", {"title": f"worked on {number}"})["topic"]["id"]
            api.post("/api/messages", {"room": room, "topic": topic, "content": f"@cut-{room} /echo over and done"})
        case 4 if number < 30:  # an agent works in four topics at once
            topic = api.post(f"/api/rooms/{room}/topics", {"title": f"asks {number}"})["topic"]["id"]
            api.post("/api/messages", {"room": room, "topic": topic, "content": f"@cut-{room} /approve {number}"})
        case 6:
            api.call("PATCH", f"/api/topics/{made[number - 6]}", {"title": f"renamed {number}"})
        case 8:
            api.call("PATCH", f"/api/topics/{made[number - 8]}", {"archived": True})


def test_fifty_cuts_leave_what_a_fresh_load_shows(
    come: Callable[..., Person], room: str, stack: Stack, proxy: Proxy
) -> None:
    watching = come(url=proxy.url).enter(room)
    watching.say("begin")
    watching.sees("begin", where=watching.log)

    # An agent of its own: the runs of another may all wait for somebody.
    agent = {"agent_key": f"cut-{room}", "runtime": "demo", "computer_id": stack.daemon.computer}
    stack.api.post("/api/agents", agent)
    stack.api.post(f"/api/rooms/{room}/agents", {"agent": f"cut-{room}"})
    made: dict[int, int] = {}
    for number in range(CUTS):
        stack.api.post("/api/messages", {"room": room, "content": f"number {number}"})
        change(stack, room, number, made)
        proxy.cut()
        if number % 10 == 0:
            watching.page.evaluate("window.dispatchEvent(new Event('online'))")
    watching.sees(f"number {CUTS - 1}", where=watching.log)
    asked = watching.page.get_by_role("region", name=re.compile("Topics of")).get_by_text("Needs you")
    expect(asked).to_have_count(3)

    wanted = [f"number {number}" for number in range(CUTS)]
    assert texts(watching, wanted) == wanted
    fresh = come().enter(room)
    assert texts(fresh, wanted) == wanted
    eventually("both show the same around it", lambda: fresh.page.evaluate(AROUND) == watching.page.evaluate(AROUND))
    assert f"renamed {CUTS - 4}" in watching.page.evaluate(AROUND)
    for person in (fresh, watching):
        person.leaves_fields()
        person.goes("g i", "Needs you")
    eventually("both show the same cards", lambda: fresh.page.evaluate(CARDS) == watching.page.evaluate(CARDS))


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
        me.click("Try now")  # while it is there: once the server is back the client may be quicker than a hand
        me.sees(re.compile("Not connected"))
    finally:
        proxy.come_back()

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


def test_a_part_that_does_not_come_is_said_and_asked_for_again(come: Callable[..., Person], room: str) -> None:
    """As while the server is away for a moment, and when it has another build: the rest of the page stays as it is."""
    me = come().enter(room)
    me.composer.fill("half a thought")
    parts = re.compile(r"/assets/(tip|palette|board)-[^/]+\.js")
    me.page.route(parts, lambda route: route.abort())

    me.page.locator("[data-tip]").first.hover()
    me.press("Control+k")
    me.sees("could not be loaded")
    expect(me.composer).to_have_value("half a thought")
    me.click("Board", role="link")
    me.sees("This part could not be shown.", where=me.page.get_by_role("main"))
    me.page.unroute(parts)
    me.click("Try again")

    expect(me.page.get_by_role("heading", name="Board", exact=True).first).to_be_visible()
    me.press("Control+k")
    expect(me.page.get_by_role("dialog")).to_be_visible()
