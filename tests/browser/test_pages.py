"""The pages beside the rooms: live runs on the wall, files, bots and who may use them, the first steps."""

import json
import re
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.person import SOON, Person
from tests.support.stack import Stack

Come = Callable[..., Person]


def upload(stack: Stack, room: str, name: str) -> str:
    token = stack.server.home.joinpath("owner.token").read_text().strip()
    request = urllib.request.Request(
        f"{stack.server.url}/api/artifacts?name={name}&room={room}",
        data=b"content",
        method="POST",
        headers={"Authorization": f"Bearer {token}", "Content-Type": "text/plain"},
    )
    with urllib.request.urlopen(request) as answer:
        return str(json.load(answer)["artifact"]["id"])


def test_the_wall_shows_every_live_run_and_stops_it(come: Come, room: str, stack: Stack) -> None:
    me = come()
    for words in ("first of the wall", "second of the wall"):
        topic = stack.api.post(f"/api/rooms/{room}/topics", {"title": words})["topic"]["id"]
        stack.api.post("/api/messages", {"room": room, "topic": topic, "content": f"@demo /approve {words}"})
    room_id = stack.api.get(f"/api/rooms/{room}")["room"]["id"]
    me.go(f"/runs/live?room={room_id}")
    tiles = me.page.locator("[data-run]")
    expect(tiles).to_have_count(2, timeout=SOON)
    first = tiles.filter(has_text="first of the wall")
    expect(first.locator("pre")).to_contain_text("wall", timeout=SOON)

    me.page.get_by_label("State", exact=True).select_option("paused")
    me.sees("No live run matches these filters.")
    me.click("Show all")
    me.page.get_by_label("Room", exact=True).select_option(room_id)
    expect(tiles).to_have_count(2, timeout=SOON)
    first.get_by_role("button", name=re.compile("^End it now")).click()
    me.page.get_by_role("dialog").get_by_role("button", name="End it now").click()

    expect(tiles).to_have_count(1, timeout=SOON)
    expect(tiles).to_contain_text("second of the wall")
    tiles.get_by_role("button", name=re.compile("^Stop")).click()
    me.page.get_by_role("dialog").get_by_role("button", name="Stop this run").click()
    expect(tiles).to_have_count(0, timeout=SOON)


def test_a_computer_says_what_it_has_and_where_its_runs_work(
    come: Come, room: str, stack: Stack, tmp_path: Path
) -> None:
    shop, agent = tmp_path / "shop", f"in-{room}"
    subprocess.run(("git", "init", "-q", "-b", "payments", shop), check=True, capture_output=True)
    computer = stack.api.get("/api/computers")["computers"][0]
    stack.api.post(
        "/api/agents", {"agent_key": agent, "runtime": "demo", "computer_id": computer["id"], "cwd": str(shop)}
    )
    stack.api.post(f"/api/rooms/{room}/agents", {"agent": agent})
    stack.api.post("/api/messages", {"room": room, "content": f"@{agent} /approve it"})
    me = come().go("/settings/computers")

    me.click(computer["name"])

    about = me.page.get_by_role("dialog")
    expect(about.locator("[data-runtime=openai]")).to_contain_text(re.compile("logged (in|out)"), timeout=SOON)
    expect(about).to_contain_text(computer["host"])
    expect(about).to_contain_text(f"{shop} payments", timeout=SOON)
    expect(about.get_by_role("link", name=re.compile(agent))).to_be_visible(timeout=SOON)


def test_files_are_listed_filtered_and_ended(come: Come, room: str, stack: Stack) -> None:
    kept, gone = upload(stack, room, "kept.txt"), upload(stack, room, "gone.txt")
    me = come().go(f"/files?room={stack.api.get(f'/api/rooms/{room}')['room']['id']}")
    rows = me.page.locator("[data-file]")
    expect(rows).to_have_count(2, timeout=SOON)

    me.page.get_by_role("searchbox").fill("gone")
    expect(rows).to_have_count(1, timeout=SOON)
    me.click(re.compile("gone.txt"))
    me.page.get_by_role("menuitem", name="Delete").click()
    me.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(rows.get_by_text("ended")).to_be_visible(timeout=SOON)
    me.page.get_by_role("searchbox").fill("")
    late = upload(stack, room, "late.txt")

    expect(me.page.locator(f'[data-file="{late}"]')).to_be_visible(timeout=SOON)  # told by the stream
    expect(me.page.locator(f'[data-file="{kept}"]').get_by_role("link", name="kept.txt")).to_be_visible()
    expect(me.page.locator(f'[data-file="{gone}"]').get_by_role("link", name="gone.txt")).to_have_count(0)


def test_who_may_use_bots_is_decided_on_their_page(come: Come, stack: Stack) -> None:
    me = come().go("/settings/bots?kind=dingtalk")
    me.sees("No bot on DingTalk yet.")

    me.click("Let somebody in")
    form = me.page.get_by_role("dialog")
    form.get_by_label("Id on DingTalk").fill("staff-1")
    form.get_by_label("Name").fill("Ann")
    form.get_by_label("May", exact=True).select_option("talk")
    form.get_by_role("button", name="Let somebody in").click()
    row = me.page.locator('[data-identity="staff-1"]')
    expect(row.get_by_label("Ann: May")).to_have_value("talk", timeout=SOON)
    row.get_by_label("Ann: May").select_option("own")
    me.sees("Saved")
    assert _known(stack) == [("staff-1", "Ann", "allowed", "own")]
    row.get_by_role("button", name="Keep out").click()
    expect(row.get_by_text("kept out")).to_be_visible(timeout=SOON)
    assert _known(stack) == [("staff-1", "Ann", "denied", "own")]
    row.get_by_role("button", name="Remove").click()
    me.page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0, timeout=SOON)
    assert _known(stack) == []


def _known(stack: Stack) -> list[tuple[str, ...]]:
    found = stack.api.get("/api/identities", platform="dingtalk")["identities"]
    return [(one["external_id"], one["name"], one["standing"], one["level"]) for one in found]


def test_history_is_narrowed_told_in_words_and_leads_to_what_happened(come: Come, room: str, stack: Stack) -> None:
    said = stack.api.post("/api/messages", {"room": room, "content": "@demo /echo for the record"})["message"]
    run = stack.wait_run(said["id"])["id"]
    where = stack.api.get(f"/api/rooms/{room}")["room"]["id"]

    me = come().go(f"/history?room={where}&agent=demo")
    rows = me.page.locator("tbody tr")
    expect(rows.filter(has_text=f"Run {run} of demo: succeeded").first).to_be_visible()
    expect(rows.filter(has_text="owner: @demo /echo")).to_have_count(0)  # said by a person
    me.page.get_by_label("What", exact=True).select_option("message")
    expect(me.page).to_have_url(re.compile(r"kind=message"))
    expect(rows.filter(has_text="demo: for the record")).to_have_count(1)
    me.page.get_by_label("Find in these").fill("no such words")
    me.sees("Nothing in what is shown fits.")
    me.click("Show all")
    me.page.get_by_label("Find in these").fill(f"Run {run} of demo: succeeded")

    me.click(f"Run {run} of demo: succeeded", role="link")
    expect(me.page).to_have_url(re.compile(rf"/runs/{run}$"))


def test_an_agent_is_made_in_three_steps(come: Come, room: str, stack: Stack) -> None:
    me = come().go("/settings/agents")
    me.click("Add an agent")
    dialog = me.page.get_by_role("dialog")
    me.sees("Step 1 of 3: where it runs", where=dialog)
    dialog.get_by_role("button", name="Next").click()
    dialog.get_by_role("radio", name=re.compile("^command")).click()
    dialog.get_by_label("Command").fill("wc -w")
    dialog.get_by_role("button", name="Next").click()
    dialog.get_by_role("textbox", name="Key").fill(f"count-{room}")
    dialog.get_by_label("Room", exact=True).select_option(label=room)
    me.sees(re.compile(f"--key count-{room} --runtime command .*--command 'wc -w'"), where=dialog)
    dialog.get_by_role("button", name="Create").click()

    me.sees(f"count-{room} is there", where=dialog)
    me.sees(f"pal cli send --room {room} '@count-{room} hello'", where=dialog)
    agent = stack.api.get(f"/api/agents/count-{room}")["agent"]
    assert (agent["runtime"], agent["command"], agent["computer"]) == ("command", "wc -w", stack.daemon.computer)
    dialog.get_by_role("link", name=f"Open {room}").click()
    expect(me.composer).to_be_visible(timeout=SOON)


def test_the_field_completes_topics_prompts_and_files(come: Come, room: str, stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "carburettor.py").write_text("x")
    stack.api.post(
        "/api/agents",
        {"agent_key": f"fix-{room}", "runtime": "demo", "computer_id": stack.daemon.computer, "cwd": str(tmp_path)},
    )
    stack.api.post(f"/api/rooms/{room}/agents", {"agent": f"fix-{room}"})
    stack.api.post(f"/api/rooms/{room}/topics", {"title": "The other topic"})
    me = come().enter(room)
    options = me.page.get_by_role("option")

    me.click("Saved prompts")
    dialog = me.page.get_by_role("dialog")
    dialog.get_by_role("button", name="New prompt").click()
    dialog.get_by_label("Name").fill(f"review-{room}")
    dialog.get_by_label("Text").fill("Review what stands in")
    dialog.get_by_role("button", name="Save").click()
    me.sees(f"/review-{room}", where=dialog)
    me.press("Escape")

    me.composer.click()
    me.page.keyboard.type("/review")
    expect(options.filter(has_text=f"review-{room}")).to_be_visible(timeout=SOON)
    me.press("Enter")
    expect(me.composer).to_have_value("Review what stands in ", timeout=SOON)
    me.page.keyboard.type(f"@fix-{room}")
    expect(options.filter(has_text=f"fix-{room}")).to_be_visible(timeout=SOON)
    me.press("Tab")
    me.page.keyboard.type("@carb")
    expect(options.filter(has_text="carburettor.py")).to_be_visible(timeout=SOON)
    me.press("Enter")
    me.page.keyboard.type("and #other")
    expect(options.filter(has_text="The other topic")).to_be_visible(timeout=SOON)
    me.press("Enter")

    link = rf"\[#The other topic\]\(http.*/r/{room}/\d+\)"
    words = rf"^Review what stands in @fix-{room} `engine/carburettor\.py` and {link} $"
    expect(me.composer).to_have_value(re.compile(words), timeout=SOON)
    me.press("Control+Enter")
    expect(me.log.get_by_role("link", name="#The other topic").first).to_be_visible(
        timeout=SOON
    )  # the agent repeats it
    me.press("ArrowUp")
    expect(me.composer).to_have_value(re.compile("^Review what stands in"), timeout=SOON)
    me.press("ArrowDown")
    expect(me.composer).to_have_value("", timeout=SOON)
