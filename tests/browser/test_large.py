"""A workspace of many topics: what is in sight is there, the rest on demand, and no page fails."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from playwright.sync_api import expect

from tests.browser.person import Person
from tests.support.stack import Stack

TOPICS = 500
AT_ONCE = 8  # so the order is not quite that of the numbers
TO_THE_END = """
(list) => new Promise((done) => {
  const go = () => {
    list.scrollTop = list.scrollHeight;
    requestAnimationFrame(() => (list.scrollTop + list.clientHeight >= list.scrollHeight - 2 ? done() : go()));
  };
  go();
})
"""


def test_five_hundred_topics_are_one_list_of_which_few_rows_are_there(
    come: Callable[..., Person], room: str, stack: Stack
) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda n: stack.api.post(f"/api/rooms/{room}/topics", {"title": f"matter {n}"}), range(TOPICS)))
    me = come().enter(room)
    rows = me.page.get_by_role("region", name=re.compile("Topics of")).get_by_role("link")
    expect(rows.filter(has_text=f"matter {TOPICS - 1}")).to_be_visible()
    assert rows.count() < 60

    me.page.get_by_role("region", name=re.compile("Topics of")).get_by_role("list").evaluate(TO_THE_END)
    expect(rows.filter(has_text="matter 0").first).to_be_visible()
    rows.filter(has_text="matter 0").first.click()

    me.sees("matter 0", where=me.page.get_by_role("heading"))
    assert rows.count() < 60
