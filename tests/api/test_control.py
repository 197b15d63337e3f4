"""People in control of what runs: told, stopped, put in order."""

from typing import Any

from tests.support.server import ServerUnderTest, expect, lease_of

LIVE = [{"name": "demo", "available": True, "capabilities": {"live_input": True}}]


async def working(server: ServerUnderTest, *, runtimes: Any = LIVE) -> tuple[Any, Any, Any]:
    """A computer whose agent `bot` works; its key, the claim and the run."""
    computer, claimed, opened = await server.running("@bot go", agent="bot")
    await server.connect(computer, runtimes=runtimes)
    return computer, claimed, opened["run"]


async def heartbeat(server: ServerUnderTest, computer: Any) -> Any:
    answer = await server.post(f"/api/computers/{computer.id}/heartbeat", {}, token=computer.key)
    return expect(answer, 200)["commands"]


async def test_a_run_is_told_and_the_receipt_becomes_read(server: ServerUnderTest) -> None:
    computer, claimed, run = await working(server)

    sent = await server.send("@bot and mind the tests", steer="steer")

    assert [receipt["outcome"] for receipt in sent["receipts"]] == ["steered"]
    (command,) = await heartbeat(server, computer)
    assert (command["kind"], command["run"]) == ("steer", run["id"])
    read = {"seq": 1, "kind": "status", "data": {"state": "read", "input": f"steer-{command['id']}", "step": 5}}
    path = f"/api/runs/{run['id']}/events"
    expect(await server.post(path, {"events": [read], **lease_of(claimed)}, token=computer.key), 200)
    answer = expect(await server.get("/api/deliveries", message=sent["message"]["id"]), 200)
    (delivery,) = answer["deliveries"]
    assert (delivery["status"], delivery["steered_into"], delivery["read_step"]) == ("acked", run["id"], 5)


async def test_a_run_is_told_by_its_number_or_says_why_not(server: ServerUnderTest) -> None:
    _, _, run = await working(server)

    steered = expect(await server.post(f"/api/runs/{run['id']}/steer", {"text": "mind the tests"}), 200)
    expect(await server.post(f"/api/runs/{run['id']}/stop", {}), 200)
    refused = await server.post(f"/api/runs/{run['id']}/steer", {"text": "and the docs"})

    assert (steered["run"]["id"], steered["receipt"]["outcome"]) == (run["id"], "steered")
    assert steered["message"]["content"] == "mind the tests"
    assert (refused.status, refused.code) == (409, "conflict")


async def test_an_interruption_stops_what_runs(server: ServerUnderTest) -> None:
    computer, _, run = await working(server)

    sent = await server.send("@bot this first", steer="interrupt")

    assert [receipt["outcome"] for receipt in sent["receipts"]] == ["interrupts"]
    assert [(one["kind"], one["run"]) for one in await heartbeat(server, computer)] == [("stop", run["id"])]


async def test_a_word_for_steer_that_is_none_is_refused(server: ServerUnderTest) -> None:
    refused = await server.post("/api/messages", {"room": "general", "content": "hi", "steer": "shout"})

    assert (refused.status, refused.code) == (400, "invalid")


async def test_the_queue_of_a_topic_is_listed_put_in_order_and_merged(server: ServerUnderTest) -> None:
    _, _, run = await working(server)
    ids = [(await server.send(f"@bot {n}"))["deliveries"][0]["id"] for n in (1, 2, 3)]

    expect(await server.post(f"/api/deliveries/{ids[2]}/front", {}), 200)
    kept = expect(await server.post(f"/api/deliveries/{ids[1]}/merge", {"into": ids[0]}), 200)
    answer = expect(await server.get("/api/deliveries", topic=run["topic"], status="pending"), 200)

    assert kept["delivery"]["id"] == ids[0]
    assert {one["id"]: one["ahead"] for one in answer["deliveries"]} == {ids[2]: 1, ids[0]: 0}


async def test_a_room_says_what_happens_by_default(server: ServerUnderTest) -> None:
    changed = expect(await server.patch("/api/rooms/general", {"busy": "interrupt"}), 200)

    assert changed["room"]["busy"] == "interrupt"


async def test_a_choice_for_a_topic_is_made_shown_and_handed_out(server: ServerUnderTest) -> None:
    computer = await server.provision()
    await server.connect(computer)
    await server.agent("bot", computer=computer, model="small")
    expect(await server.patch("/api/agents/bot", {"mode": "read_only"}), 200)
    topic = expect(await server.get("/api/rooms/general/topics"), 200)["topics"][0]["id"]
    path = f"/api/topics/{topic}/agents/bot"

    chosen = expect(await server.patch(path, {"model": "large", "mode": "plan"}), 200)["choice"]
    shown = expect(await server.get(path), 200)["choice"]
    await server.send("@bot go")
    (claimed,) = await server.claim(computer)

    assert chosen == shown == {"topic": topic, "agent": "bot", "model": "large", "effort": None, "mode": "plan"}
    assert claimed["work"]["agent"]["model"] == "large"
    assert claimed["work"]["agent"]["settings"]["mode"] == "plan"
    assert expect(await server.patch(path, {"model": None}), 200)["choice"]["model"] is None


async def test_a_command_in_a_message_is_answered_at_once(server: ServerUnderTest) -> None:
    await server.agent("bot")

    sent = await server.send("@bot /status")

    assert [(receipt["agent"], receipt["outcome"]) for receipt in sent["receipts"]] == [("bot", "done")]
    assert sent["deliveries"] == []


async def test_a_topic_is_named_and_archived(server: ServerUnderTest) -> None:
    made = expect(await server.post("/api/rooms/general/topics", {}), 201)["topic"]
    assert (made["title"], made["is_placeholder"]) == ("New topic", True)

    named = expect(await server.patch(f"/api/topics/{made['id']}", {"title": "Login", "archived": True}), 200)["topic"]
    shown = expect(await server.get(f"/api/topics/{made['id']}"), 200)["topic"]

    assert shown == named
    assert (named["title"], named["is_placeholder"]) == ("Login", False)
    assert named["archived_at"] is not None


async def test_an_approval_may_stand_and_be_revoked(server: ServerUnderTest) -> None:
    computer, claimed, run = await working(server)
    path = f"/api/runs/{run['id']}/interactions"
    body = {"kind": "approval", "title": "make test", "body": "in /work", **lease_of(claimed)}
    asked = expect(await server.post(path, {**body, "key": "1"}, token=computer.key), 201)["interaction"]

    decided = {"decision": "approve", "scope": "topic", "hash": asked["hash"]}
    expect(await server.post(f"/api/interactions/{asked['id']}/answer", decided), 200)
    again = expect(await server.post(path, {**body, "key": "2"}, token=computer.key), 201)["interaction"]
    (rule,) = expect(await server.get("/api/approval-rules"), 200)["rules"]
    revoked = expect(await server.post(f"/api/approval-rules/{rule['id']}/revoke", {}), 200)["rule"]

    assert (again["status"], again["answered_by"]) == ("answered", f"rule {rule['id']} of owner")
    assert (rule["scope"], rule["decision"], rule["used"], rule["title"]) == ("topic", "approve", 1, "make test")
    assert revoked["revoked_at"] is not None


async def test_a_room_denies_what_waits_too_long(server: ServerUnderTest) -> None:
    computer, claimed, run = await working(server)
    expect(await server.patch("/api/rooms/general", {"deny_after": 5000}), 200)
    body = {"kind": "approval", "title": "make test", "key": "1", **lease_of(claimed)}
    path = f"/api/runs/{run['id']}/interactions"
    asked = expect(await server.post(path, body, token=computer.key), 201)["interaction"]
    server.clock.advance(6)

    await server.step("approval_deadlines")

    now = expect(await server.get(f"/api/interactions/{asked['id']}"), 200)["interaction"]
    assert now["answer"]["decision"] == "deny"


async def test_what_runs_used_is_added_up(server: ServerUnderTest) -> None:
    computer, claimed, run = await working(server)
    used = {"input_tokens": 100, "output_tokens": 10, "cost_usd": 0.25}
    expect(await server.finish(computer, claimed, run, usage=used), 200)

    answer = expect(await server.get("/api/usage", by="agent"), 200)

    (row,) = answer["usage"]
    assert (row["key"], row["runs"], row["input_tokens"], row["cost_usd"]) == ("bot", 1, 100, 0.25)
    assert answer["total"]["output_tokens"] == 10
    assert (await server.get("/api/usage", by="colour")).status == 400
    assert (await server.get("/api/usage", token=computer.key)).status == 403
