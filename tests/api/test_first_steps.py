"""From the first message to the settled delivery, as a daemon and a person see it."""

from tests.support.server import ServerUnderTest, expect


async def test_a_mention_becomes_a_run_and_its_answer_appears_once(server: ServerUnderTest) -> None:
    computer, claimed, opened = await server.running("@reviewer what is new?")

    settled = await server.finish(computer, claimed, opened["run"], text="nothing")

    assert settled["run"]["status"] == "succeeded"
    delivery = expect(await server.get(f"/api/deliveries/{claimed['id']}"), 200)["delivery"]
    assert delivery["status"] == "acked"
    said = expect(await server.get("/api/messages", room="general"), 200)["messages"]
    assert [message["content"] for message in said] == ["@reviewer what is new?", "nothing"]
    assert said[1]["sender"]["kind"] == "agent"
    assert (await server.finish(computer, claimed, opened["run"], text="nothing")).status == 200
    assert len((await server.get("/api/messages", room="general"))["messages"]) == 2


async def test_the_token_of_a_run_speaks_as_its_agent_and_dies_with_it(server: ServerUnderTest) -> None:
    computer, claimed, opened = await server.running()

    sent = await server.post("/api/messages", {"content": "working on it"}, token=opened["token"])
    await server.finish(computer, claimed, opened["run"])

    assert expect(sent, 201)["message"]["sender"]["name"] == "reviewer"
    assert (await server.get("/api/me", token=opened["token"])).status == 401


async def test_chat_is_another_word_for_room(server: ServerUnderTest) -> None:
    await server.agent("reviewer")

    sent = await server.post("/api/messages", {"chat": "general", "content": "hello"})
    found = await server.get("/api/messages", chat="general")
    deliveries = await server.get("/api/deliveries", chat="general")

    assert sent.status == 201
    assert [message["content"] for message in found["messages"]] == ["hello"]
    assert deliveries.status == 200
    assert (await server.post("/api/messages", {"chat": "a", "room": "b", "content": "x"})).status == 400
