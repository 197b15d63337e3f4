"""A run in its topic and in its panel: all it does is there, in its form, while it happens and afterwards."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.person import Person
from tests.browser.played import PlayedAgent
from tests.support.stack import eventually

Come = Callable[..., Person]
Play = Callable[..., PlayedAgent]
DIFF = "@@ -1,2 +1,3 @@\n def start():\n-    poll()\n+    connect()\n+    poll()\n"


def test_all_that_a_run_does_is_shown_as_it_happens(come: Come, room: str, play: Play) -> None:
    agent = play(room)
    me = come().enter(room)
    run = agent.begin("find the storm")
    card = me.page.locator("[data-run]")
    expect(card).to_contain_text("Running")

    run.does("todo", entries=[{"text": "Reproduce", "status": "completed"}, {"text": "Fix", "status": "in_progress"}])
    run.does("reasoning", "The lease comes too late.", id="r")
    run.does("tool_call", id="t1", name="Bash", kind="execute", title="pytest -q")
    run.does("command", "pytest -q", id="t1", command="pytest -q")
    run.does("tool_result", "2 failed, 40 passed", id="t1", status="failed", exit=1)
    run.does("file_change", path="pal/loop.py", change="edit", diff=DIFF)
    run.does("subagent", "search the docs", id="s", state="started")
    run.does("tool_call", id="t2", name="Grep", kind="search", title="grep lease", lane="s")
    run.does("tool_result", "7 hits", id="t2", status="ok", lane="s")
    run.does("subagent", id="s", state="ended")
    run.does("usage", input_tokens=1200, output_tokens=34, cost_usd=0.41, model="kai-1")
    run.does("message", "I move `connect` ", id="m")
    run.does("message", "ahead of the poll.", id="m")

    expect(card).to_contain_text("Reproduce")
    expect(card).to_contain_text("pytest -q")
    expect(card).to_contain_text("I move connect ahead of the poll.")
    card.get_by_role("button", name=re.compile(r"Run \d+")).click()
    panel = me.page.get_by_role("complementary")
    expect(panel).to_contain_text("$0.41")
    expect(panel).to_contain_text("The lease comes too late.")
    expect(panel).to_contain_text("search the docs")
    panel.get_by_role("button", name=re.compile("pytest -q")).click()
    expect(panel).to_contain_text("2 failed, 40 passed")
    panel.get_by_role("tab", name=re.compile("Changes")).click()
    expect(panel).to_contain_text("pal/loop.py")
    expect(panel).to_contain_text("connect()")

    run.asks("uv run pal migrate", kind="approval", body="the new column")
    ask = me.page.locator("[data-ask]")
    expect(ask).to_contain_text("uv run pal migrate")
    expect(card).to_contain_text("Waits for an answer")
    ask.get_by_role("button", name="Allow once").click()
    me.sees("allowed: uv run pal migrate")
    panel.get_by_role("tab", name="Files").click()
    expect(panel).to_contain_text("It has left no files.")
    run.leaves("report.txt", b"all of it")
    expect(panel.get_by_role("link", name="report.txt")).to_be_visible()
    panel.get_by_role("tab", name="Log").click()
    expect(panel).to_contain_text("tool_call")
    run.finish("I moved it ahead of the poll.")
    expect(card).to_contain_text("Done")
    me.sees("I moved it ahead of the poll.", where=me.log)

    fresh = come().go(me.page.url.replace("tab=log", "tab=steps"))
    again = fresh.page.get_by_role("complementary")
    for words in ("The lease comes too late.", "pytest -q", "search the docs", "$0.41"):
        expect(again).to_contain_text(words)


def test_a_run_is_told_what_is_said_while_it_works(come: Come, room: str, play: Play) -> None:
    agent = play(room)
    me = come().enter(room)
    run = agent.begin("work")
    expect(me.page.locator("[data-run]")).to_contain_text("Running")

    me.click(re.compile("What happens to the run"))
    me.page.get_by_role("menuitem", name=f"Tell {agent.key} now").click()
    me.say(f"@{agent.key} and mind the gap")
    [order] = eventually("its computer is told", lambda: [one for one in agent.told() if one["kind"] == "steer"])
    assert "mind the gap" in order["data"]["text"]
    run.does("status", state="read", input=f"steer-{order['id']}", step=4)

    me.sees(f"{agent.key} read this at step 4", where=me.log)
    run.finish("minded")
    me.sees("minded", where=me.log)
