"""Markup in anything people or agents can fill is text: it runs nothing, loads nothing, and leads nowhere it hides."""

import json
from collections.abc import Callable
from urllib.parse import quote

from playwright.sync_api import Request, expect

from tests.browser.person import SOON, Person
from tests.browser.played import PlayedAgent
from tests.support.stack import Stack, new_name

EVIL = '<img src=x onerror="window.hacked=1"><script>window.hacked=2</script><svg onload="window.hacked=3">'
PARTS = "main, nav, aside, [role=complementary], [role=dialog]"
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
        runs_nothing(me, path)
    me.press("Control+k")
    me.page.keyboard.type("hacked")
    expect(me.page.get_by_role("dialog").get_by_role("option").first).to_be_visible(timeout=SOON)

    assert me.page.evaluate("window.hacked") is None
    assert foreign == []


def test_markup_in_what_agents_do_and_in_every_name_runs_nothing(
    come: Callable[..., Person], room: str, stack: Stack, play: Callable[..., PlayedAgent]
) -> None:
    api, short = stack.api, EVIL[:150]
    agent = play(room, display_name=short)
    api.post("/api/users", {"username": new_name("evil"), "display_name": short})
    project = api.post("/api/projects", {"key": new_name("p"), "name": short, "room": room})["project"]["key"]
    goal = {"goal": WORDS, "rules": [EVIL], "tech_stack": [EVIL]}
    api.call("PATCH", f"/api/projects/{project}", goal)
    api.post("/api/tasks", {"project": project, "title": short, "body": WORDS, "acceptance": [EVIL]})
    decided = api.post(f"/api/projects/{project}/decisions", {"title": short, "rationale": WORDS})["decision"]
    api.call("PUT", f"/api/projects/{project}/docs/evil", {"content": WORDS})
    api.call("PUT", "/api/saved-prompts/evil", {"content": EVIL})
    bot = {
        "platform": "lark",
        "app_id": f"cli_{project}",
        "credentials": {"app_id": f"cli_{project}", "app_secret": "s"},
    }
    api.post("/api/bots", {**bot, "agent": agent.key, "label": short, "verify": False})
    api.post("/api/identities", {"platform": "lark", "external_id": f"on_{project}", "name": short})
    run = agent.begin(WORDS)
    run.does("todo", entries=[{"text": EVIL, "status": "in_progress"}])
    run.does("plan", WORDS)
    run.does("reasoning", WORDS, id="r")
    run.does("tool_call", id="t", name=EVIL, kind="execute", title=EVIL, input={"command": EVIL})
    run.does("command", EVIL, id="t", command=EVIL)
    run.does("tool_result", f"{EVIL}\x1b[31m{EVIL}", id="t", status="failed", exit=1)
    run.does("file_change", path=EVIL, change="edit", diff=f"@@ -1 +1 @@\n-{EVIL}\n+{EVIL}!\n")
    run.does("subagent", EVIL, id="s", state="started")
    run.does("web_search", EVIL, id="w", query=EVIL)
    run.does("error", EVIL)
    run.does(f"x{EVIL}"[:60], EVIL, id=EVIL)
    run.does("message", WORDS, id="m")
    option = {"label": EVIL, "description": EVIL, "preview": WORDS}
    run.asks(EVIL, body=WORDS, questions=[{"text": EVIL, "header": EVIL, "options": [option, {"label": "b"}]}])
    run.asks(EVIL, kind="plan", body=WORDS)
    me = come()
    foreign: list[str] = []
    me.page.on("request", lambda request: foreign.append(request.url) if is_foreign(request, stack) else None)

    me.go(f"/r/{room}?run={run.id}&tab=steps")
    panel = me.page.get_by_role("complementary")
    expect(panel).to_contain_text("window.hacked")
    folded = panel.get_by_role("button", expanded=False)
    for left in range(folded.count(), 0, -1):
        folded.first.click()
        expect(folded).to_have_count(left - 1)
    for path in (
        f"/r/{room}?run={run.id}&tab=steps",
        f"/r/{room}?run={run.id}&tab=changes",
        f"/r/{room}?run={run.id}&tab=log",
        f"/runs/{run.id}",
        "/runs/live",
        "/needs",
        "/tasks",
        f"/projects/{project}",
        "/history",
        "/settings/agents",
        "/settings/bots?kind=lark",
    ):
        runs_nothing(me, path)
        if "changes" in path:
            expect(me.page.locator("diffs-container [data-line]")).to_have_text([EVIL, f"{EVIL}!"], timeout=SOON)
            assert me.page.evaluate("window.hacked") is None
    run.finish(WORDS)
    api.post(f"/api/projects/{project}/decisions/{decided['code']}/answer", {"decision": "deny", "reason": EVIL})
    runs_nothing(me, f"/r/{room}")
    assert foreign == []


def runs_nothing(me: Person, path: str) -> None:
    """Nor does anything there lead to a script, or frame, style or send anything. A diff styles its colours."""
    me.go(path)
    expect(me.page.get_by_role("heading").first).to_be_visible(timeout=SOON)
    me.page.wait_for_load_state("networkidle")
    links = me.page.eval_on_selector_all("a[href]", "all => all.map((one) => one.protocol)")
    assert set(links) <= {"http:", "https:"}, path
    assert (
        me.page.locator(f":is({PARTS}) :is(iframe, form[action], script, style:not([data-theme-css]))").count() == 0
    ), path
    assert me.page.evaluate("window.hacked") is None, path
    assert me.page.evaluate("getComputedStyle(document.body).display") != "none"


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
