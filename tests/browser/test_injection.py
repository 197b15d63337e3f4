"""Markup in anything people or agents can fill is text: it runs nothing, loads nothing, and leads nowhere it hides."""

import json
from collections.abc import Callable
from urllib.parse import quote

from playwright.sync_api import Request, expect

from tests.browser.person import SOON, Person
from tests.support.stack import Stack

EVIL = '<img src=x onerror="window.hacked=1"><script>window.hacked=2</script><svg onload="window.hacked=3">'
WORDS = f"""{EVIL}

[click](javascript:window.hacked=4)
<a href="javascript:window.hacked=5">here</a> [data](data:text/html,<script>1</script>)
![pixel](https://tracker.example/p.png?secret) ![local](/api/me) <style>body{{display:none}}</style>
<iframe src="https://tracker.example"></iframe> <form action="https://tracker.example"><input name=a></form>

Formulas $\\href{{javascript:window.hacked=8}}{{x}}$ $\\text{{<img src=x onerror=window.hacked=9>}}$
$\\htmlData{{x=1}}{{y}} \\includegraphics{{https://tracker.example/q.png}}$

```html
{EVIL}
```
"""


def test_markup_runs_nothing_anywhere(come: Callable[..., Person], room: str, stack: Stack) -> None:
    api = stack.api
    api.call("PATCH", f"/api/rooms/{room}", {"title": EVIL[:190], "rules": EVIL})
    topic = api.post(f"/api/rooms/{room}/topics", {"title": EVIL[:190]})["topic"]["id"]
    name = "<img src=x onerror=window.hacked=6>.txt"
    _, stored = api.raw("POST", f"/api/artifacts?name={quote(name)}&room={room}", b"<script>window.hacked=7</script>")
    said = {"room": room, "topic": topic}
    attached = json.loads(stored)["artifact"]["id"]
    api.post("/api/messages", {**said, "content": WORDS, "files": [attached]})
    api.post("/api/messages", {**said, "content": WORDS, "sender": "guest"})
    asked = api.post("/api/messages", {**said, "content": f"@demo /ask {EVIL}"})
    api.post("/api/messages", {"room": room, "content": f"@demo /echo {EVIL}"})
    me = come()
    foreign: list[str] = []
    me.page.on("request", lambda request: foreign.append(request.url) if is_foreign(request, stack) else None)

    me.go(f"/r/{room}/{topic}")
    expect(me.page.locator("[data-ask]")).to_be_visible(timeout=SOON)
    expect(me.page.locator(".katex").first).to_be_visible(timeout=SOON)
    run = stack.runs(asked["message"]["id"])[0]["id"]
    for path in (f"/r/{room}/{topic}?run={run}&tab=log", f"/r/{room}", "/needs", "/runs", "/history", f"/runs/{run}"):
        me.go(path)
        expect(me.page.get_by_role("heading").first).to_be_visible(timeout=SOON)
        me.page.wait_for_load_state("networkidle")
        links = me.page.eval_on_selector_all("a[href]", "all => all.map((one) => one.protocol)")
        assert set(links) <= {"http:", "https:"}, path
        assert me.page.locator("main iframe, main form[action], main script, main style").count() == 0, path
        assert me.page.evaluate("window.hacked") is None, path
        assert me.page.evaluate("getComputedStyle(document.body).display") != "none"
    me.press("Control+k")
    me.page.keyboard.type("hacked")
    expect(me.page.get_by_role("dialog").get_by_role("option").first).to_be_visible(timeout=SOON)

    assert me.page.evaluate("window.hacked") is None
    assert foreign == []


def test_a_link_in_the_address_leads_nowhere_else(come: Callable[..., Person], stack: Stack) -> None:
    me = come()

    me.go("/login")
    me.page.evaluate("sessionStorage.setItem('pal.next', '//tracker.example/x')")
    me.page.get_by_label("Token").fill((stack.server.home / "owner.token").read_text().strip())
    me.click("Log in")

    me.page.wait_for_url(lambda url: "/login" not in url)
    assert me.page.url.startswith(stack.server.url)


def is_foreign(request: Request, stack: Stack) -> bool:
    return not request.url.startswith((stack.server.url, "data:", "blob:"))
