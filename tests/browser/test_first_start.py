"""The first minutes: a link that works once, the first words, the first answer."""

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.person import DESKTOP, SOON, Person
from tests.support.stack import Stack
from tests.support.workbench import with_build


def test_the_log_in_link_opens_the_client_once(browser: Browser, tmp_path: Path) -> None:
    with_build()
    stack = Stack(tmp_path)
    stack.server.start()
    try:
        link = re.search(r"http\S+/login\?code=\S+", stack.server.said())
        assert link is not None
        context = browser.new_context(viewport=DESKTOP)
        first = Person(context.new_page()).go(link[0])

        first.sees("First steps")
        expect(first.page).to_have_url(re.compile(r"/$"), timeout=SOON)
        steps = first.page.get_by_role("main").get_by_role("listitem")
        expect(steps.get_by_label("done")).to_have_count(0)
        stack.add_daemon().start()
        expect(steps.get_by_label("done")).to_have_count(1)
        stack.api.post("/api/agents", {"agent_key": "demo", "runtime": "demo", "computer_id": stack.daemon.computer})
        expect(steps.get_by_label("done")).to_have_count(2)
        first.sees("@demo hello", where=steps)
        expect(steps.get_by_role("link", name="Open general")).to_be_visible()
        stack.api.post("/api/messages", {"room": "general", "content": "@demo hello"})
        expect(first.composer).to_be_visible(timeout=SOON)

        stranger = Person(browser.new_context(base_url=stack.server.url).new_page()).go(link[0])
        stranger.sees(re.compile("credential|code|log", re.I), where=stranger.page.get_by_role("status"))
        stranger.go("/needs")
        expect(stranger.page).to_have_url(re.compile("/login$"), timeout=SOON)
    finally:
        stack.close()
