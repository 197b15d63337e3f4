"""BX-7 by real processes: an answer that something newer overtook is held, and goes out when a person says so."""

from __future__ import annotations

from tests.support.stack import Json, Stack, eventually


def held(stack: Stack, room: str) -> Json:
    """The card of the one answer that is held."""

    def look() -> Json | None:
        cards = [m for m in stack.messages(room) if (m["card"] or {}).get("type") == "draft"]
        return cards[0] if cards else None

    return eventually("an answer is held", look)


def test_an_answer_that_was_overtaken_waits_for_a_person(stack: Stack) -> None:
    room = stack.room()
    agent = stack.agent(room, "wait")
    assert stack.pal("cli", "rooms", "set", "--room", room, "--fresh", "on").returncode == 0
    message = stack.mention(room, agent)
    stack.wait_started(message)
    stack.send(room, "no, not like that")
    stack.let_go(message)

    card = held(stack, room)
    assert stack.wait_delivery(message)["status"] == "acked"
    assert stack.said_by(room, agent) == []

    sent = stack.pal("cli", "draft", str(card["id"]), "send")

    assert sent.returncode == 0, sent.stderr
    assert stack.said_by(room, agent) == [f"answer to {message}"]
    assert stack.pal("cli", "draft", str(card["id"]), "drop").returncode == 3
