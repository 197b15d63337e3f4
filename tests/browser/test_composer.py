"""What the field takes beside words: files that are picked, pasted and dropped, what was sent before, what is kept."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.person import Person
from tests.support.stack import Stack, eventually

Come = Callable[..., Person]
# A browser lets no script fill a clipboard or drag a file; what it then tells the page can be told all the same.
GIVEN = """
(target, [kind, name, words]) => {
  const data = new DataTransfer();
  data.items.add(new File([words], name, { type: "text/plain" }));
  const how = { bubbles: true, cancelable: true };
  const event =
    kind === "paste"
      ? new ClipboardEvent("paste", { ...how, clipboardData: data })
      : new DragEvent("drop", { ...how, dataTransfer: data });
  target.dispatchEvent(event);
  return event.defaultPrevented;
}
"""


def test_files_are_picked_pasted_and_dropped_anywhere_and_go_with_the_words(
    come: Come, room: str, stack: Stack
) -> None:
    me = come().enter(room)
    stored = me.page.get_by_role("button", name=re.compile(r"Leave .* out"))

    with me.page.expect_file_chooser() as chooser:
        me.click("Attach a file")
    chooser.value.set_files({"name": "picked.txt", "mimeType": "text/plain", "buffer": b"picked"})
    expect(stored).to_have_count(1)
    assert me.composer.evaluate(GIVEN, ["paste", "pasted.txt", "pasted"])
    expect(stored).to_have_count(2)
    assert me.page.locator("body").evaluate(GIVEN, ["drop", "dropped.txt", "dropped"])
    expect(stored).to_have_count(3)
    me.composer.evaluate(GIVEN, ["paste", "empty.txt", ""])
    me.sees(re.compile("empty", re.I), where=me.page.get_by_role("alert"))
    me.page.get_by_role("button", name="Leave pasted.txt out").click()
    me.say("look at these")

    me.sees("picked.txt", where=me.log)
    me.sees("dropped.txt", where=me.log)
    [said] = eventually("it is sent", lambda: stack.messages(room))
    assert sorted(file["name"] for file in said["files"]) == ["dropped.txt", "picked.txt"]


def test_what_was_sent_before_is_found_and_put_in_again(come: Come, room: str, stack: Stack) -> None:
    stack.api.post("/api/messages", {"room": room, "content": f"Count the beans of {room} twice"})
    for number in range(90):  # so that it is not among what the client has
        stack.api.post("/api/messages", {"room": room, "content": f"later {number}"})
    me = come().enter(room)
    me.sees("later 89", where=me.log)

    me.click("What you sent before")
    dialog = me.page.get_by_role("dialog")
    dialog.get_by_label("Find in what you sent").fill(f"beans of {room}")
    dialog.get_by_role("button", name=re.compile("Count the beans")).click()

    expect(me.composer).to_have_value(f"Count the beans of {room} twice")


def test_words_are_kept_for_later_and_used_in_another_browser(come: Come, room: str) -> None:
    me, elsewhere = come().enter(room), come().enter(room)
    me.composer.fill("not now")
    me.click("Keep for later")
    expect(me.composer).to_have_value("")

    kept = elsewhere.page.get_by_role("listitem").filter(has_text="For later")
    expect(kept).to_contain_text("not now")
    kept.get_by_role("button", name="Use").click()

    expect(elsewhere.composer).to_have_value("not now")
    expect(me.page.get_by_role("listitem").filter(has_text="For later")).to_have_count(0)
