"""Agents in the database."""

import json

from pal_server.domain.agents import Agent, AgentMode, Settings, readiness
from pal_server.storage import computers
from pal_server.storage.tx import Row, Tx


def insert(tx: Tx, *, workspace_id: str, key: str, display_name: str, runtime: str) -> None:
    tx.sql.run(
        "agents.insert", workspace_id=workspace_id, key=key, display_name=display_name, runtime=runtime, now=tx.now
    )


def get(tx: Tx, key: str, *, workspace_id: str) -> Agent | None:
    row = tx.sql.one("agents.get", workspace_id=workspace_id, key=key)
    return None if row is None else _agent(row)


def list_page(tx: Tx, *, workspace_id: str, after: str, limit: int) -> list[Agent]:
    return [_agent(row) for row in tx.sql.all("agents.list_page", workspace_id=workspace_id, after=after, limit=limit)]


def list_of_computer(tx: Tx, computer_id: str) -> list[Agent]:
    return [_agent(row) for row in tx.sql.all("agents.list_of_computer", computer_id=computer_id)]


def shares_room(tx: Tx, one: str, other: str) -> bool:
    """Whether both agents are in one room. Keys are of one workspace, as rooms are."""
    return tx.sql.one("agents.shares_room", one=one, other=other) is not None


def update(tx: Tx, agent: Agent) -> None:
    """Write the profile; the computer is written by `assign`."""
    tx.sql.run(
        "agents.update",
        workspace_id=agent.workspace_id,
        key=agent.key,
        display_name=agent.display_name,
        description=agent.description,
        runtime=agent.runtime,
        command=agent.command,
        command_allowed=int(agent.command_allowed),
        cwd=agent.cwd,
        model=agent.model,
        effort=agent.effort,
        mode=agent.mode,
        instructions=agent.instructions,
        skills=json.dumps(agent.skills),
        servers=json.dumps(agent.servers),
        settings=json.dumps(agent.settings.fact()),
        isolation=agent.isolation,
        account_id=agent.account,
        concurrency=agent.concurrency,
        max_duration=agent.max_duration,
        enabled=int(agent.enabled),
        now=tx.now,
    )


def assign(tx: Tx, agent: Agent, *, computer_id: str | None, account_id: str | None) -> None:
    tx.sql.run(
        "agents.assign",
        workspace_id=agent.workspace_id,
        key=agent.key,
        computer_id=computer_id,
        account_id=account_id,
        now=tx.now,
    )


def unstarted(tx: Tx, agent: Agent) -> list[tuple[int, str]]:
    """Deliveries a computer holds for the agent without having started a run, each with its room."""
    rows = tx.sql.all("agents.unstarted", workspace_id=agent.workspace_id, key=agent.key)
    return [(row.id, row.room_id) for row in rows]


def delete(tx: Tx, agent: Agent) -> None:
    """Remove the agent, its memberships and inbox, and what would let a successor continue its conversations."""
    for statement in ("agents.leave_rooms", "agents.empty_inbox", "agents.forget_sessions", "agents.delete"):
        tx.sql.run(statement, workspace_id=agent.workspace_id, key=agent.key)


def _agent(row: Row) -> Agent:
    state, note = readiness(
        runtime=row.runtime,
        command=row.command,
        command_allowed=bool(row.command_allowed),
        computer_name=row.computer_name,
        is_revoked=row.revoked_at is not None,
        has_reported=row.last_seen_at is not None,
        runtimes=() if row.runtimes is None else computers.parse_runtimes(row.runtimes),
        account=row.account_label,
        has_own_program=row.account_bin is not None,
        is_shut=bool(row.account_disabled),
    )
    return Agent(
        workspace_id=row.workspace_id,
        key=row.key,
        display_name=row.display_name,
        description=row.description,
        runtime=row.runtime,
        runtime_state=state,
        runtime_note=note,
        computer=row.computer_id,
        command=row.command,
        command_allowed=bool(row.command_allowed),
        cwd=row.cwd,
        model=row.model,
        effort=row.effort,
        mode=AgentMode(row.mode),
        instructions=row.instructions,
        skills=tuple(json.loads(row.skills)),
        servers=tuple(json.loads(row.servers)),
        settings=Settings(**json.loads(row.settings)),
        isolation=row.isolation,
        account=row.account_id,
        concurrency=row.concurrency,
        max_duration=row.max_duration,
        enabled=bool(row.enabled),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
