"""What an agent's program said of itself: noted when a run tells it in passing, and looked up for the agent."""

from collections.abc import Mapping, Sequence
from typing import Any

from pal_server.domain.agents import Agent
from pal_server.domain.findings import Finding, Kind, Subject, told_in
from pal_server.domain.runs import Run
from pal_server.storage import agents as agent_rows
from pal_server.storage import findings
from pal_server.storage.tx import Tx


def note(tx: Tx, *, run: Run, events: Sequence[Mapping[str, Any]]) -> None:
    """Keep what a run's program says of itself in passing."""
    told = told_in(events)
    if not told or run.computer_id is None:
        return
    agent = agent_rows.get(tx, run.agent, workspace_id=run.workspace_id)
    if agent is None or agent.computer != run.computer_id:
        return
    subject = Subject(computer=run.computer_id, runtime=agent.runtime, account=agent.account or "")
    subject = subject.at(agent=agent.key, folder=agent.cwd or "")
    for kind, data in told.items():
        findings.put(tx, subject.for_kind(kind), kind=kind, data=data)


def of_agent(tx: Tx, *, agent: Agent, kind: Kind, folder: str | None = None) -> Finding | None:
    """What is known for the agent, in its own folder or another one."""
    if agent.computer is None:
        return None
    subject = Subject(computer=agent.computer, runtime=agent.runtime, account=agent.account or "")
    subject = subject.at(agent=agent.key, folder=agent.cwd or "" if folder is None else folder)
    return findings.find(tx, subject.for_kind(kind), kind=kind)
