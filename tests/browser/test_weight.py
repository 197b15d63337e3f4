"""How much the client takes before somebody can read and write in a room, counted from what the browser asks for."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.person import SOON, Person
from tests.support.stack import Stack
from tests.support.workbench import packed

Come = Callable[..., Person]

# Bytes with gzip, of design's "how fast"; brotli takes an eighth less.
MOST = {".js": 260_000, ".css": 40_000}


def test_the_first_load_is_light_and_the_rest_comes_when_it_is_shown(come: Come, room: str, stack: Stack) -> None:
    stack.api.post("/api/messages", {"room": room, "content": "It **works**: see [the log](https://example.com/log)."})
    me = come().enter(room)
    me.sees("the log", where=me.log)

    first = loaded(me)
    for kind, most in MOST.items():
        files = {name: packed(name) for name in first if name.endswith(kind)}
        assert 0 < sum(files.values()) <= most, files
    # The page asks for it before any script has come, and the client takes that answer.
    assert len([name for name in first if name.endswith("/api/snapshot")]) == 1

    me.click("More for this topic")
    expect(me.page.get_by_role("menuitem", name="Copy link")).to_be_visible(timeout=SOON)
    assert [name for name in set(loaded(me)) - set(first) if "/menu-" in name]

    stack.api.post("/api/messages", {"room": room, "content": "```python\nreturn 1\n```"})
    word = me.log.locator(".hljs-keyword")
    expect(word).to_have_text("return", timeout=SOON)
    colour, around = word.evaluate("(word) => [word, word.parentElement].map((one) => getComputedStyle(one).color)")
    assert colour != around


def loaded(person: Person) -> list[str]:
    """Addresses of everything the page has asked for since it was opened."""
    names: list[str] = person.page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    return names
