"""A link made in the client is opened by somebody without an account, who comments; then it is revoked."""

import re
from collections.abc import Callable

from playwright.sync_api import Browser, expect

from tests.browser.person import SOON, Person
from tests.support.stack import Stack

Come = Callable[..., Person]


def test_a_guest_comments_through_a_link_until_it_is_revoked(
    come: Come, browser: Browser, stack: Stack, room: str
) -> None:
    stack.api.post("/api/messages", {"room": room, "content": "<b>the plan</b>"})
    me = come().go("/settings/links")
    make = me.page.get_by_role("button", name="Make a link")
    make.wait_for()
    # A page that is loaded later brings styles of its own, which must not come before the main ones.
    ink, ground = make.evaluate("(one) => [getComputedStyle(one).color, getComputedStyle(one).backgroundColor]")
    assert ink != ground
    make.click()
    dialog = me.page.get_by_role("dialog")
    dialog.get_by_label("Room", exact=True).select_option(label=room)
    dialog.get_by_label("Visitors may").select_option("comment")
    dialog.get_by_role("button", name="Make a link").click()
    address = dialog.locator("pre").inner_text()
    guest = browser.new_context(java_script_enabled=False).new_page()
    guest.set_default_timeout(SOON)

    guest.goto(address)
    expect(guest.get_by_text("<b>the plan</b>")).to_be_visible()
    guest.get_by_label("Your name").fill("Guest Mia")
    guest.get_by_label("Your comment").fill("looks good")
    guest.get_by_role("button", name="Comment").click()

    expect(guest.get_by_text("looks good")).to_be_visible()
    assert guest.context.cookies() == []
    said = stack.api.get("/api/messages", room=room)["messages"][-1]
    assert (said["content"], said["sender"]["kind"], said["sender"]["name"]) == ("looks good", "guest", "Guest Mia")
    me.press("Escape")
    me.page.get_by_role("button", name="Revoke").first.click()
    me.page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(me.page.get_by_text("ended").first).to_be_visible(timeout=SOON)
    guest.reload()
    expect(guest.get_by_role("heading", name=re.compile("not valid"))).to_be_visible()
    guest.context.close()
