"""Freshness: in a room that asks for it, an answer is held as a draft when something newer was said that its run has
not read. It costs one read by index, in such rooms alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pal_server.actions import cards
from pal_server.domain.messages import Message
from pal_server.domain.rooms import Room
from pal_server.domain.runs import Run
from pal_server.storage import messages, runs
from pal_server.storage.tx import Tx

UNREAD_LIMIT = 50  # newer messages a card names
SHOWN = 200  # characters of the answer in the card's words


def unread_by(tx: Tx, *, room: Room, run: Run, topic_id: int) -> list[int]:
    """Newer messages of others in the run's topic that it was not told; empty where nobody asks for it.

    What was newer when a person let an earlier answer of this run go out holds no later one.
    """
    if not room.fresh or topic_id != run.topic_id or run.delivery_id is None:
        return []
    session = runs.find_session(tx, workspace_id=run.workspace_id, id=run.session_id)
    assert session is not None, "a run has a session"
    unread = messages.unread_by_run(
        tx, topic_id=topic_id, after=session.seen_message, agent=run.agent, run_id=run.id, limit=UNREAD_LIMIT
    )
    return [id for id in unread if id > _let_go_up_to(tx, run)] if unread else []


def hold(
    tx: Tx,
    *,
    room: Room,
    run: Run,
    content: str,
    unread: Sequence[int],
    called: Sequence[str] = (),
    files: Sequence[Mapping[str, Any]] = (),
    parent: int | None = None,
) -> Message:
    """Keep the answer on a card in its topic, until a person sends, revises or drops it. The room's row is locked."""
    card = cards.post(
        tx,
        workspace_id=run.workspace_id,
        room=room,
        topic_id=run.topic_id,
        content=f"{describe(run.agent, unread)}:\n\n{_begin(content)}",
        card={
            "type": cards.DRAFT,
            "status": "held",
            "run": run.id,
            "agent": run.agent,
            "unread": list(unread),
            "draft": {"content": content, "mentions": list(called), "files": list(files), "parent": parent},
            "actions": ["send", "revise", "drop"],
        },
        parent_id=run.message_id,
    )
    if not run.posted:
        runs.has_posted(tx, id=run.id)
    return card


def describe(agent: str, unread: Sequence[int]) -> str:
    newer = "something newer was" if len(unread) == 1 else f"{len(unread)} newer messages were"
    return f"An answer of {agent} is held: {newer} said here that it has not read"


def _let_go_up_to(tx: Tx, run: Run) -> int:
    if run.message_id is None:
        return 0
    let_go: list[int] = [0]
    for message in messages.cards_under(tx, parent_id=run.message_id):
        card: dict[str, Any] = message.card or {}
        if (card.get("type"), card.get("run"), card.get("status")) == (cards.DRAFT, run.id, "sent"):
            let_go += card["unread"]
    return max(let_go)


def _begin(content: str) -> str:
    return content if len(content) <= SHOWN else f"{content[:SHOWN].rstrip()} …"
