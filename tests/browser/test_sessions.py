"""Who is logged in: by password, until a new one is chosen elsewhere; and what a foreign page can do with it."""

import re
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.person import DESKTOP, Person
from tests.support.stack import Stack

FIRST, SECOND = "a first long word", "another long word"
# All a page can try without being asked for anything; it says what it got at the end.
FOREIGN = """<!doctype html><title>trying</title><iframe name="hidden"></iframe><script>
const pal = "PAL";
const said = JSON.stringify({ room: "ROOM", content: "from elsewhere" });
const got = [];
const fetched = (path, how) => fetch(pal + path, { credentials: "include", ...how })
  .then((answer) => got.push(answer.type === "opaque" ? "unread" : answer.status), () => got.push("refused"));
const socket = () => new Promise((done) => {
  const line = new WebSocket(pal.replace("http", "ws") + "/api/events/ws?after=0");
  line.onmessage = () => { got.push("heard"); done(); };
  line.onclose = () => { got.push("refused"); done(); };
});
const framed = () => new Promise((done) => {
  const how = { method: "post", target: "hidden", enctype: "text/plain", action: pal + "/api/messages" };
  const form = Object.assign(document.createElement("form"), how);
  form.append(Object.assign(document.createElement("input"), { name: said.slice(0, -1) + ',"x":"', value: '"}' }));
  document.body.append(form);
  document.querySelector("iframe").onload = () => done();
  form.submit();
});
(async () => {
  await fetched("/api/me");
  await fetched("/api/messages", { method: "POST", body: said, headers: { "Content-Type": "application/json" } });
  await fetched("/api/messages", { method: "POST", body: said, mode: "no-cors" });
  await socket();
  await framed();
  document.title = "tried " + got.join(" ");
})();
</script>"""


@pytest.fixture
def foreign(stack: Stack, room: str, tmp_path: Path) -> Iterator[str]:
    """The address of a page somebody else has put beside pal: another port, which cookies do not tell apart."""
    page = FOREIGN.replace("PAL", stack.server.url).replace("ROOM", room)
    (tmp_path / "index.html").write_text(page, "utf-8")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()


def sit_down(browser: Browser, stack: Stack) -> Person:
    return Person(browser.new_context(base_url=stack.server.url, viewport=DESKTOP).new_page())


def log_in(person: Person, username: str, password: str) -> Person:
    person.go("/login")
    person.page.get_by_label("Name").fill(username)
    person.page.get_by_label("Password").fill(password)
    person.click("Log in")
    return person


def test_a_new_password_logs_out_everywhere_else(browser: Browser, stack: Stack) -> None:
    stack.api.post("/api/users", {"username": "pia", "password": FIRST})
    here, there = (log_in(sit_down(browser, stack), "pia", FIRST) for _ in range(2))
    for person in (here, there):
        expect(person.page.get_by_role("navigation", name="Main")).to_be_visible()

    here.go("/settings/you")
    here.page.get_by_label("New password").fill(SECOND)
    here.page.locator("form", has=here.page.get_by_label("New password")).get_by_role("button", name="Save").click()
    here.sees("Your other sessions have ended.")

    expect(there.page).to_have_url(re.compile("/login"))
    log_in(there, "pia", FIRST)
    there.sees(re.compile("wrong|right|log in", re.I), where=there.page.get_by_role("status"))
    log_in(there, "pia", SECOND)
    expect(there.page.get_by_role("navigation", name="Main")).to_be_visible()
    here.go("/needs")
    here.sees("Needs you", where=here.page.get_by_role("heading"))
    for person in (here, there):
        person.page.context.close()


def test_a_foreign_page_can_neither_read_nor_write_nor_listen(
    browser: Browser, stack: Stack, room: str, foreign: str
) -> None:
    stack.api.post("/api/users", {"username": "una", "password": FIRST})
    me = log_in(sit_down(browser, stack), "una", FIRST)
    expect(me.page.get_by_role("navigation", name="Main")).to_be_visible()

    other = Person(me.page.context.new_page())
    other.page.goto(foreign)

    expect(other.page).to_have_title("tried refused refused refused refused")
    assert stack.messages(room) == []
    me.go("/needs")  # still logged in
    me.sees("Needs you", where=me.page.get_by_role("heading"))
    me.page.context.close()
