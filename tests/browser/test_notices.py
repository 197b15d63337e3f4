"""What comes by itself: notifications of the system that lead to what they tell, and word of a newer client."""

import re
from collections.abc import Callable

from playwright.sync_api import Route, expect

from tests.browser.person import Person
from tests.support.proxy import Proxy
from tests.support.stack import Json, Stack, eventually

KEPT = """
window.told = [];
window.Notification = class extends window.Notification {
  constructor(...given) { super(...given); window.told.push(this); }
};
"""
TOLD = "([name, value]) => window.told.some((one) => one[name] === value)"
BOT = {"platform": "lark", "app_id": "cli_crier", "credentials": {"app_id": "cli_crier", "app_secret": "s"}}
PRESSED = "([name, value]) => window.told.find((one) => one[name] === value).onclick()"


def test_a_notification_leads_to_the_card_and_to_the_run_it_tells_of(
    come: Callable[..., Person], room: str, stack: Stack
) -> None:
    # An agent of its own: the runs of another may all wait for somebody.
    stack.api.post("/api/agents", {"agent_key": "herald", "runtime": "demo", "computer_id": stack.daemon.computer})
    stack.api.post(f"/api/rooms/{room}/agents", {"agent": "herald"})
    topic = stack.api.post(f"/api/rooms/{room}/topics", {"title": "asks"})["topic"]["id"]
    me = come(permissions=["notifications"])
    me.page.add_init_script(KEPT)
    me.go("/runs")
    me.sees("Runs", where=me.page.get_by_role("heading"))
    assert me.page.evaluate("Notification.permission") == "granted"

    stack.api.post("/api/messages", {"room": room, "topic": topic, "content": "@herald /approve rm -r build"})
    me.page.wait_for_function(TOLD, arg=["body", "rm -r build"])
    me.page.evaluate(PRESSED, ["body", "rm -r build"])
    expect(me.page).to_have_url(re.compile(rf"/r/{room}/{topic}\?message=\d+$"))
    card = me.page.locator("[data-ask]")
    expect(card).to_contain_text("rm -r build")
    card.get_by_role("button", name="Allow once").click()

    said = stack.api.post("/api/messages", {"room": room, "content": "@herald /echo done elsewhere"})["message"]["id"]
    run = eventually("its run begins", lambda: stack.runs(said))[0]["id"]
    me.page.wait_for_function(TOLD, arg=["tag", f"r{run}"])
    me.page.evaluate(PRESSED, ["tag", f"r{run}"])
    expect(me.page).to_have_url(re.compile(rf"run={run}$"))
    expect(me.page.get_by_role("complementary")).to_contain_text(f"Run {run}")


def test_a_person_chooses_a_chat_in_which_a_bot_tells_them_too(come: Callable[..., Person], stack: Stack) -> None:
    me = come().go("/settings/notifications")
    me.sees("An admin connects a bot")
    stack.api.post("/api/agents", {"agent_key": "crier", "runtime": "manual"})
    stack.api.post("/api/bots", {**BOT, "agent": "crier", "label": "Crier", "verify": False})
    stack.api.post("/api/identities", {"platform": "lark", "external_id": "on_ada", "name": "Ada"})
    me.go("/settings/bots?kind=lark")
    me.page.get_by_label("Ada: Is in pal").select_option("owner")
    me.sees("Saved")

    me.go("/settings/notifications")
    me.page.get_by_role("combobox", name="Chat").select_option("Crier on Lark, to Ada")
    me.click("Tell me there")
    me.page.get_by_role("switch", name="In a chat: When a run I began ends").click(force=True)

    chosen = eventually("it is kept", lambda: _chosen(stack))
    assert (chosen["place"]["name"], chosen["needs"], chosen["mentions"]) == ("Crier", True, True)
    greeting = stack.api.get("/api/posts", platform="lark")["posts"][0]
    assert (greeting["chat"], greeting["purpose"], greeting["state"]) == ("on_ada", "notice", "pending")
    me.click("Stop telling me there")
    me.page.get_by_role("dialog").get_by_role("button", name="Stop telling me there").click()
    expect(me.page.get_by_role("button", name="Tell me there")).to_be_visible()
    assert stack.api.get("/api/chat-notices")["notices"] is None


def _chosen(stack: Stack) -> Json | None:
    """What was chosen, once runs are told no more."""
    notices: Json | None = stack.api.get("/api/chat-notices")["notices"]
    return notices if notices is not None and not notices["runs"] else None


def test_a_newer_client_is_told_of_when_the_server_is_back_and_loads_when_one_says_so(
    come: Callable[..., Person], proxy: Proxy, stack: Stack
) -> None:
    def newer(route: Route) -> None:
        route.fulfill(content_type="text/html", body='<script type="module" src="/assets/index-newer.js"></script>')

    me = come(url=proxy.url).go("/runs")
    me.sees("Runs", where=me.page.get_by_role("heading"))
    me.page.route(re.compile(r"^http://[^/]+/$"), newer)
    stack.api.post("/api/rooms", {"name": "made-meanwhile"})
    me.sees("made-meanwhile")  # it comes by the stream, so there is one that can be cut

    proxy.cut()

    me.sees("A new version is ready")
    with me.page.expect_navigation():
        me.click("Reload")
    me.sees("Runs", where=me.page.get_by_role("heading"))
