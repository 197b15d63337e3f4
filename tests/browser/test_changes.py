"""What a run changed: diffs with colours and changed words, in one column or two, wrapped or not, folded and copied."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.person import SOON, Person
from tests.browser.played import PlayedAgent

DIFF = "@@ -1,2 +1,2 @@ def f():\n-total = price * 2\n+total = price * 3\n kept = None\n"
FILES = 60


def test_changes_are_read_as_in_a_review(
    come: Callable[..., Person], room: str, play: Callable[..., PlayedAgent]
) -> None:
    name = "shop/prices.py"
    run = play(room).begin()
    run.does("file_change", path=name, change="edit", diff=DIFF)
    run.finish()
    me = come(permissions=["clipboard-read", "clipboard-write"]).go(f"/runs/{run.id}?tab=changes")
    diff = me.page.locator("diffs-container")

    expect(diff.locator("[data-line-type=change-deletion][data-line]")).to_have_text("total = price * 2", timeout=SOON)
    expect(diff.locator("[data-line-type=change-addition][data-line]")).to_have_text("total = price * 3")
    expect(diff.locator("[data-line-type=context][data-line]")).to_have_text("kept = None")
    expect(diff.locator("[data-diff-span]")).to_have_text(["2", "3"])
    expect(diff.locator("[data-line] span[style*=token]").first).to_be_visible(timeout=SOON)
    expect(diff.locator("pre")).to_have_attribute("data-overflow", "wrap")

    me.page.get_by_text("Split", exact=True).click()
    expect(diff.locator("pre")).to_have_attribute("data-diff-type", "split")
    me.page.get_by_label("Wrap lines").uncheck()
    expect(diff.locator("pre")).to_have_attribute("data-overflow", "scroll")

    me.click(f"Copy the diff of {name}")
    me.sees("Copied")
    assert "-total = price * 2\n+total = price * 3" in me.page.evaluate("navigator.clipboard.readText()")

    head = me.page.get_by_role("button", name=name, expanded=True)
    head.press("Enter")
    expect(diff.locator("[data-line]")).to_have_count(0, timeout=SOON)
    me.page.get_by_role("button", name=name, expanded=False).press("Enter")
    expect(diff.locator("[data-line]").first).to_be_visible(timeout=SOON)


def test_many_files_are_one_view_of_which_few_are_there(
    come: Callable[..., Person], room: str, play: Callable[..., PlayedAgent]
) -> None:
    run = play(room).begin()
    for number in range(FILES):
        run.does("file_change", path=f"shop/{number:03}.py", change="edit", diff=DIFF)
    run.finish()
    me = come().go(f"/runs/{run.id}?tab=changes")
    diffs = me.page.locator("diffs-container")

    expect(diffs.first).to_contain_text("total = price * 3", timeout=SOON)
    expect(me.page.get_by_role("button", name="000.py").first).to_have_attribute("aria-current", "true")
    assert diffs.count() < FILES / 2
    last = me.page.get_by_role("list").get_by_role("button", name=f"{FILES - 1:03}.py")
    last.press("Enter")

    expect(me.page.get_by_role("button", name=f"shop/{FILES - 1:03}.py", expanded=True)).to_be_visible(timeout=SOON)
    expect(diffs.last).to_contain_text("total = price * 3", timeout=SOON)
    assert diffs.count() < FILES / 2
