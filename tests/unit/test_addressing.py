"""Whom a message is for, mode by mode."""

from typing import Any

import pytest

from pal_server.domain.addressing import Addressing, Reason, address
from pal_server.domain.rooms import AgentMember, Mode


def agent(key: str, mode: Mode = Mode.MENTIONS, *, enabled: bool = True) -> AgentMember:
    return AgentMember(
        key=key,
        display_name=key,
        mode=mode,
        enabled=enabled,
        runtime="demo",
        concurrency=4,
        computer_id=None,
        computer_name=None,
        computer_online=False,
        computer_draining=False,
    )


def decide(*agents: AgentMember, **said: Any) -> Addressing:
    facts = {"called": [], "people": ["mia"], "author_agent": None, "by_person": True, "parent_agent": None}
    return address(agents=agents, **{**facts, **said})


def delivered(decision: Addressing) -> list[tuple[str, Reason]]:
    return [(to.agent.key, to.reason) for to in decision.deliver]


@pytest.mark.parametrize(
    ("mode", "called", "replied", "by_person", "reason"),
    [
        (Mode.MENTIONS, False, False, True, None),
        (Mode.MENTIONS, True, False, True, Reason.MENTION),
        (Mode.MENTIONS, False, True, True, Reason.REPLY),
        (Mode.MENTIONS, True, True, False, Reason.MENTION),
        (Mode.ALL, False, False, True, Reason.ALL),
        (Mode.ALL, False, False, False, None),
        (Mode.ALL, True, False, False, Reason.MENTION),
        (Mode.OFF, True, True, True, None),
    ],
)
def test_who_gets_a_delivery(mode: Mode, called: bool, replied: bool, by_person: bool, reason: Reason | None) -> None:
    decision = decide(
        agent("bot", mode),
        called=["bot"] if called else [],
        parent_agent="bot" if replied else None,
        by_person=by_person,
    )

    assert delivered(decision) == ([] if reason is None else [("bot", reason)])


@pytest.mark.parametrize("mode", [Mode.MUTED, Mode.PERIODIC])
def test_who_keeps_it_for_later(mode: Mode) -> None:
    decision = decide(agent("bot", mode), called=["bot"])

    assert [to.agent.key for to in decision.keep] == ["bot"]
    assert decision.deliver == ()
    assert decide(agent("bot", mode)).keep == ()


def test_a_disabled_agent_is_named_when_it_was_meant() -> None:
    off = agent("bot", Mode.ALL, enabled=False)

    assert [reason for _, reason in decide(off, called=["bot"]).refused] == ["it is disabled"]
    assert decide(off).refused == ()


def test_who_is_off_is_refused_by_name_when_it_was_called_and_else_not_thought_of() -> None:
    off = agent("bot", Mode.OFF)

    called = decide(off, called=["Bot", "bot"])

    assert [(agent.key, reason) for agent, reason in called.refused] == [("bot", "its mode is off here")]
    assert called.unresolved == ("Bot", "bot")
    assert decide(off, parent_agent="bot").refused == ()


def test_an_agent_is_never_for_itself() -> None:
    decision = decide(agent("bot", Mode.ALL), called=["bot"], author_agent="bot", by_person=False, parent_agent="bot")

    assert (decision.deliver, decision.mentions) == ((), ("bot",))


def test_an_answer_to_an_answer_ends_the_exchange_unless_it_calls_by_name() -> None:
    quiet = {"parent_agent": "bot", "by_person": False, "author_agent": "other", "reply_counts": False}

    assert decide(agent("bot"), **quiet).deliver == ()
    assert delivered(decide(agent("bot"), called=["bot"], **quiet)) == [("bot", Reason.MENTION)]


def test_names_resolve_whatever_their_case_once_and_in_order() -> None:
    decision = decide(agent("bot"), agent("off", Mode.OFF), called=["MIA", "Bot", "bot", "off", "nobody", "nobody"])

    assert (decision.mentions, decision.unresolved) == (("mia", "bot"), ("off", "nobody"))
    assert len(decision.deliver) == 1
