"""Talking to an agent: words and answers, approvals, questions, stopping, waiting, and why."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.person import SOON, Person, within_a_second
from tests.support.stack import Stack

Come = Callable[..., Person]
# What stands in the field, and where the cursor is, before another key can come.
TAKEN = """
(field) => {
  field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
  return [field.value, field.selectionStart];
}
"""


def test_words_are_sent_at_once_and_the_agent_answers_in_its_run(come: Come, room: str) -> None:
    me = come().enter(room)

    me.say("@demo hello **there**")

    me.sees("hello there", where=me.log)
    run = me.page.locator("[data-run]")
    expect(run).to_contain_text("Hello, I am", timeout=SOON)
    expect(run).to_contain_text("Done", timeout=SOON)
    expect(me.composer).to_have_value("")
    run.get_by_role("button", name=re.compile(r"Run \d+")).click()
    panel = me.page.get_by_role("complementary")
    panel.get_by_role("tab", name="Prompt").click()
    expect(panel).to_contain_text("hello")
    expect(me.page).to_have_url(re.compile(r"run=\d+&tab=prompt"))


def test_an_approval_is_given_by_a_key_and_closes_in_every_browser(come: Come, room: str) -> None:
    me, other = come().enter(room), come("mia").go("/needs")

    def allow(number: int) -> None:
        command = f"rm -r build-{number} --now"
        me.say(f"@demo /approve {command}")
        expect(other.page.locator("[data-ask]").filter(has_text=command)).to_be_visible()
        expect(me.page.locator("[data-ask]").filter(has_text=command)).to_be_visible()
        me.leaves_fields()
        me.press("a")
        me.sees(f"allowed: {command}")
        me.sees(f"Approved: {command}", where=me.log)

    def is_closed(number: int, within: float) -> None:
        asks = other.page.locator("[data-ask]").filter(has_text=f"rm -r build-{number} --now")
        expect(asks).to_have_count(0, timeout=within)

    within_a_second(allow, is_closed)


def test_a_refusal_tells_the_agent_why(come: Come, room: str) -> None:
    me = come().enter(room)
    me.say("@demo /approve drop the table")
    expect(me.page.locator("[data-ask]")).to_be_visible(timeout=SOON)

    me.leaves_fields()
    me.press("d")
    me.page.get_by_label("Why not?").fill("not on a Friday")
    me.page.locator('[data-answer="deny-now"]').click()

    me.sees("Denied: drop the table (not on a Friday)", where=me.log)


def test_a_question_is_answered_in_words(come: Come, room: str) -> None:
    me = come().enter(room)
    me.say("@demo /ask Which colour?")

    card = me.page.locator("[data-ask]")
    expect(card).to_contain_text("Which colour?", timeout=SOON)
    card.locator('[data-answer="words"]').fill("blue")
    card.locator('[data-answer="send"]').click()

    me.sees("You answered: blue", where=me.log)


def test_a_run_is_stopped_after_a_question(come: Come, room: str) -> None:
    me = come().enter(room)
    me.say("@demo /slow 600")
    run = me.page.locator("[data-run]")
    expect(run).to_contain_text("of 600 seconds", timeout=SOON)

    run.get_by_role("button", name="Stop this run").click()
    me.page.get_by_role("dialog").get_by_role("button", name="Stop this run").click()

    expect(run).to_contain_text("Stopped", timeout=SOON)


def test_what_waits_lies_on_the_composer_and_can_be_dropped(come: Come, room: str) -> None:
    me = come().enter(room)
    me.say("@demo /slow 600")
    expect(me.page.locator("[data-run]")).to_contain_text("of 600 seconds", timeout=SOON)

    me.say("@demo /echo one")
    me.say("@demo /echo two")
    queue = me.page.get_by_role("listitem").filter(has_text="Next for demo")
    expect(queue).to_have_count(2, timeout=SOON)
    queue.nth(1).get_by_role("button", name="Do it next").click()
    expect(queue.nth(0)).to_contain_text("two", timeout=SOON)
    queue.filter(has_text="one").get_by_role("button", name="Drop").click()

    expect(queue).to_have_count(1, timeout=SOON)
    me.page.locator("[data-stop]").click()
    me.page.get_by_role("dialog").get_by_role("button", name="Stop this run").click()
    expect(me.page.locator("[data-run]").last).to_contain_text("two", timeout=SOON)


def test_a_message_says_what_became_of_it(come: Come, room: str) -> None:
    me = come().enter(room)
    me.say("for nobody")
    row = me.page.locator("[data-message]").filter(has_text="for nobody")

    row.hover()
    row.get_by_role("button", name="Why?").click()

    dialog = me.page.get_by_role("dialog")
    expect(dialog.get_by_role("listitem").first).to_be_visible(timeout=SOON)
    me.press("Escape")
    expect(dialog).to_have_count(0)


def test_names_are_completed(come: Come, room: str) -> None:
    me = come().enter(room)
    me.composer.press_sequentially("hi @de")
    me.page.get_by_role("option", name=re.compile("demo")).wait_for()

    assert me.composer.evaluate(TAKEN) == ["hi @demo ", len("hi @demo ")]
    me.composer.press_sequentially("/ec")

    expect(me.composer).to_have_value("hi @demo /ec")


def test_unread_counts_move_in_another_open_browser(come: Come, room: str, stack: Stack) -> None:
    topic = stack.api.post(f"/api/rooms/{room}/topics", {"title": "watched"})["topic"]["id"]
    mia = come("mia").enter(room)
    me = come().go(f"/r/{room}/{topic}")
    row = mia.page.get_by_role("link", name=re.compile("watched"))
    expect(row).to_be_visible(timeout=SOON)

    within_a_second(
        lambda number: me.say(f"look at {number}"),
        lambda number, within: expect(row).to_contain_text(f"{number} unread", timeout=within),
    )
    row.click()
    mia.sees("look at 1", where=mia.log)
    expect(row).not_to_contain_text("unread", timeout=SOON)

    said = mia.page.locator("[data-message]").last
    said.hover()
    said.get_by_role("button", name="Actions for this message").click()
    mia.page.get_by_role("menuitem", name="Mark unread from here").click()
    expect(row).to_contain_text("1 unread", timeout=SOON)


def test_a_draft_survives_a_reload_and_is_in_every_browser(come: Come, room: str, stack: Stack) -> None:
    me = come().enter(room)
    with me.page.expect_response(lambda response: "/draft" in response.url and response.ok):
        me.composer.fill("half a thought")

    me.page.reload()
    expect(me.composer).to_have_value("half a thought", timeout=SOON)
    elsewhere = come().enter(room)
    expect(elsewhere.composer).to_have_value("half a thought", timeout=SOON)

    me.say("done")
    expect(elsewhere.composer).to_have_value("", timeout=SOON)


def test_a_new_topic_is_begun_and_resolved_by_keys(come: Come, room: str) -> None:
    me = come().enter(room)
    me.leaves_fields()

    me.press("c")
    expect(me.page).to_have_url(re.compile(rf"/r/{room}/\d+$"), timeout=SOON)
    expect(me.composer).to_be_focused(timeout=SOON)
    me.page.keyboard.type("@demo /echo the first words")
    me.press("Control+Enter")
    me.sees("the first words", where=me.page.get_by_role("heading"))
    me.leaves_fields()
    me.press("e")

    me.sees("This topic is resolved")


def test_a_link_to_an_old_message_shows_it(come: Come, room: str, stack: Stack) -> None:
    first = stack.api.post("/api/messages", {"room": room, "content": "the oldest of them"})["message"]
    for number in range(90):  # more than one page of the history
        stack.api.post("/api/messages", {"room": room, "content": f"later {number}"})
    me = come().go(f"/r/{room}/{first['topic']}")
    me.sees("later 89", where=me.log)

    me.go(f"/r/{room}/{first['topic']}?message={first['id']}")

    expect(me.page.locator(f"#m{first['id']}")).to_be_in_viewport(timeout=SOON)
    me.misses("later 89", where=me.log)
