"""What was chosen for an agent in one topic, as rows."""

from pal_server.domain.agents import AgentMode, Choice
from pal_server.storage.tx import Tx


def find(tx: Tx, *, topic_id: int, agent: str) -> Choice:
    """Without a row nothing is chosen."""
    row = tx.sql.one("choices.find", topic_id=topic_id, agent=agent)
    if row is None:
        return Choice(topic_id=topic_id, agent=agent)
    mode = None if row["mode"] is None else AgentMode(row["mode"])
    return Choice(topic_id=topic_id, agent=agent, model=row["model"], effort=row["effort"], mode=mode)


def put(tx: Tx, choice: Choice) -> None:
    tx.sql.run(
        "choices.put",
        topic_id=choice.topic_id,
        agent=choice.agent,
        model=choice.model,
        effort=choice.effort,
        mode=choice.mode,
    )


def forget(tx: Tx, *, workspace_id: str, agent: str) -> None:
    """The agent is deleted."""
    tx.sql.run("choices.forget", workspace_id=workspace_id, agent=agent)
