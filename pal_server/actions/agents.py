"""Agents: named bots with a profile. Made, changed, assigned to computers and deleted.

Members make and change agents. A command is a program run on somebody's computer, so an admin sets it; deleting is an
admin's, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from pal_server.actions import access, audit, bots, client_ids, debate_ends, deliveries, runs, terminals
from pal_server.actions import rooms as room_actions
from pal_server.domain.actors import Actor, ActorKind, Role, system
from pal_server.domain.agents import (
    INSTRUCTIONS_LIMIT,
    Agent,
    AgentMode,
    Settings,
    default_runtime,
    parse_agent_mode,
    parse_choice,
    parse_concurrency,
    parse_duration,
    parse_runtime,
    parse_settings,
    parse_text,
)
from pal_server.domain.computers import ComputerStatus
from pal_server.domain.deliveries import Status
from pal_server.domain.keep import KEEP, Keep
from pal_server.domain.names import parse_key, parse_label
from pal_server.domain.pages import Page, page_of, parse_limit
from pal_server.domain.profiles import parse_names
from pal_server.errors import AlreadyExists, Conflict, Invalid
from pal_server.storage import agents, approval_rules, choices, findings, rooms
from pal_server.storage import deliveries as delivery_rows
from pal_server.storage.tx import Tx

T = TypeVar("T")

OWN_SERVER = "pal"  # `pal mcp`: what `pal cli` can do anyway
FIRST_ROOM = "general"  # every new agent joins it, when it is there


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    agent: Agent
    is_new: bool


def put(
    tx: Tx,
    *,
    actor: Actor,
    key: str,
    display_name: str | None = None,
    runtime: str | None = None,
    description: str | None = None,
    computer: str | None = None,
    command: str | None = None,
    cwd: str | None = None,
    model: str | None = None,
    effort: str | None = None,
    mode: str | None = None,
    instructions: str | None = None,
    skills: Sequence[str] | None = None,
    servers: Sequence[str] | None = None,
    settings: Settings | None = None,
    isolation: str | None = None,
    account: str | None = None,
    concurrency: int | None = None,
    max_duration: int | None = None,
) -> Put:
    """Create the agent, or change what is named of it. None leaves a field as it is; a second time changes nothing."""
    access.need(actor, Role.MEMBER)
    is_new = agents.get(tx, key, workspace_id=actor.workspace_id) is None
    if is_new:
        _create(tx, actor=actor, key=key, display_name=display_name, runtime=runtime)
    if computer is not None:
        assign(tx, actor=actor, key=key, computer=computer)
    agent = _change(
        tx,
        actor=actor,
        key=key,
        display_name=_or_keep(display_name),
        runtime=_or_keep(runtime),
        description=_or_keep(description),
        command=_or_keep(command),
        cwd=_or_keep(cwd),
        model=_or_keep(model),
        effort=_or_keep(effort),
        mode=_or_keep(mode),
        instructions=_or_keep(instructions),
        skills=_or_keep(skills),
        servers=_or_keep(servers),
        settings=_or_keep(settings),
        isolation=_or_keep(isolation),
        account=_or_keep(account),
        concurrency=_or_keep(concurrency),
        max_duration=_or_keep(max_duration),
        is_told=not is_new,
    )
    if is_new:
        _begin(tx, agent)
    return Put(agent=agent, is_new=is_new)


def change(
    tx: Tx,
    *,
    actor: Actor,
    key: str,
    display_name: str | Keep = KEEP,
    runtime: str | Keep = KEEP,
    description: str | Keep = KEEP,
    command: str | Keep | None = KEEP,
    cwd: str | Keep | None = KEEP,
    model: str | Keep | None = KEEP,
    effort: str | Keep | None = KEEP,
    mode: str | Keep = KEEP,
    instructions: str | Keep = KEEP,
    skills: Sequence[str] | Keep = KEEP,
    servers: Sequence[str] | Keep = KEEP,
    settings: Settings | Keep = KEEP,
    isolation: str | Keep | None = KEEP,
    account: str | Keep | None = KEEP,
    concurrency: int | Keep = KEEP,
    max_duration: int | Keep | None = KEEP,
    enabled: bool | Keep = KEEP,
) -> Agent:
    """Change what is named. Sessions that have begun go on with the profile they have until it is applied to them."""
    access.need(actor, Role.MEMBER)
    return _change(
        tx,
        actor=actor,
        key=key,
        display_name=display_name,
        runtime=runtime,
        description=description,
        command=command,
        cwd=cwd,
        model=model,
        effort=effort,
        mode=mode,
        instructions=instructions,
        skills=skills,
        servers=servers,
        settings=settings,
        isolation=isolation,
        account=account,
        concurrency=concurrency,
        max_duration=max_duration,
        enabled=enabled,
    )


def duplicate(
    tx: Tx, *, actor: Actor, key: str, new_key: str, display_name: str | None = None, client_id: str | None = None
) -> Agent:
    """Another agent with the same profile, on the same computer. What only an admin gives, only an admin copies."""
    access.need(actor, Role.MEMBER)
    model = access.agent(tx, actor, key)
    said = {"key": key, "new_key": new_key, "display_name": display_name}
    made = client_ids.earlier(tx, actor=actor, client_id=client_id, verb="agents.duplicate", said=said)
    if made is not None:
        return access.agent(tx, actor, made)
    if agents.get(tx, new_key, workspace_id=actor.workspace_id) is not None:
        raise AlreadyExists(f"there is already an agent called {new_key}: choose another key", key=new_key)
    copied = put(
        tx,
        actor=actor,
        key=new_key,
        display_name=display_name or new_key,
        runtime=model.runtime,
        description=model.description,
        computer=model.computer,
        command=model.command,
        cwd=model.cwd,
        model=model.model,
        effort=model.effort,
        mode=model.mode,
        instructions=model.instructions,
        skills=model.skills,
        servers=model.servers,
        settings=model.settings,
        isolation=model.isolation,
        account=model.account,
        concurrency=model.concurrency,
        max_duration=model.max_duration,
    ).agent
    client_ids.remember(tx, actor=actor, client_id=client_id, verb="agents.duplicate", said=said, target=copied.key)
    return copied


def assign(tx: Tx, *, actor: Actor, key: str, computer: str | None) -> Agent:
    """Let a computer run the agent, or none. What runs on the old one ends there; new work goes to the new one."""
    access.need(actor, Role.MEMBER)
    before = access.agent(tx, actor, key)
    target = None if computer is None else access.computer(tx, actor, computer)
    if target is not None and target.status is ComputerStatus.REVOKED:
        raise Conflict(f"{target.name} is revoked: provision it again", computer=target.id)
    new = None if target is None else target.id
    if new == before.computer:
        return before
    agents.assign(tx, before, computer_id=new, account_id=None)  # an account is a login on one computer
    tx.batch_cache.clear()
    after = _reread(tx, before)
    for place in (before.computer, new):
        if place is not None:
            tx.wake(f"computer:{place}")
    tx.emit(
        "agent.assigned",
        workspace_id=actor.workspace_id,
        data={**after.fact(), "computer_before": before.computer},
    )
    audit.record(tx, actor=actor, action="agent.assigned", target=key, detail={"from": before.computer, "to": new})
    return after


def delete(tx: Tx, *, actor: Actor, key: str) -> Agent:
    """Remove the agent with its memberships, assignment and pending deliveries, and kill what runs of it. Its name is
    free again.

    What it said and did stays. Answers with the agent as it was.
    """
    access.need(actor, Role.ADMIN)
    before = access.agent(tx, actor, key)
    _take_back(tx, agent=before)
    deliveries.cancel_of_agent(tx, actor=actor, agent=before.key)
    runs.kill_of_agent(tx, actor=actor, agent=before.key)
    terminals.close_of_agent(tx, workspace_id=actor.workspace_id, agent=before.key)
    findings.forget_agent(tx, workspace_id=actor.workspace_id, agent=before.key)
    bots.unbind_of_agent(tx, actor=actor, agent=before.key)
    choices.forget(tx, workspace_id=actor.workspace_id, agent=before.key)
    approval_rules.revoke_of_agent(tx, workspace_id=actor.workspace_id, agent=before.key)
    agents.delete(tx, before)
    tx.batch_cache.clear()
    if before.computer is not None:
        tx.wake(f"computer:{before.computer}")
    tx.wake("tokens")
    tx.emit("agent.deleted", workspace_id=actor.workspace_id, data=before.fact())
    audit.record(tx, actor=actor, action="agent.deleted", target=key, detail={"runtime": before.runtime})
    return before


def get(tx: Tx, *, actor: Actor, key: str) -> Agent:
    return access.agent(tx, actor, key)


def list_page(tx: Tx, *, actor: Actor, after: str | None, limit: int) -> Page[Agent]:
    """By key. A computer sees those assigned to it; a run those it shares a room with, on shorter pages."""
    count = parse_limit(limit)
    if actor.kind is ActorKind.COMPUTER:
        own = [agent for agent in agents.list_of_computer(tx, actor.id) if agent.key > (after or "")]
        return page_of(own, limit=count, cursor=lambda agent: agent.key)
    found = agents.list_page(tx, workspace_id=actor.workspace_id, after=after or "", limit=count + 1)
    page = page_of(found, limit=count, cursor=lambda agent: agent.key)
    if actor.kind is not ActorKind.RUN:
        return page
    known = tuple(
        agent
        for agent in page.items
        if agent.key == actor.agent or agents.shares_room(tx, actor.agent or "", agent.key)
    )
    return Page(items=known, next=page.next)


def _take_back(tx: Tx, *, agent: Agent) -> None:
    """Cancel what a computer has claimed for the agent and not started: its lease is void, so it never starts."""
    for delivery_id, room_id in agents.unstarted(tx, agent):
        rooms.lock(tx, room_id=room_id)
        found = delivery_rows.find_locked(tx, workspace_id=agent.workspace_id, id=delivery_id)
        if found is None or found.status is not Status.CLAIMED or found.started:
            continue
        cancelled = replace(
            found,
            status=Status.CANCELLED,
            lease_id=None,
            lease_until=None,
            error="its agent was deleted",
            updated_at=tx.now,
        )
        delivery_rows.put(tx, cancelled, was=found)
        deliveries.changed(tx, "delivery.cancelled", cancelled)
        debate_ends.lost(tx, cancelled, why="was dropped")
        deliveries.go_on(tx, cancelled)


def _create(tx: Tx, *, actor: Actor, key: str, display_name: str | None, runtime: str | None) -> None:
    name = parse_key(key, field="key")
    if rooms.name_is_taken(tx, workspace_id=actor.workspace_id, name=name):
        raise AlreadyExists(f"there is already a user called {name}: choose another key", key=name)
    agents.insert(
        tx,
        workspace_id=actor.workspace_id,
        key=name,
        display_name=parse_label(display_name or name, field="display_name"),
        runtime=parse_runtime(default_runtime(name) if runtime is None else runtime),
    )
    tx.batch_cache.clear()


def _begin(tx: Tx, agent: Agent) -> None:
    tx.emit("agent.created", workspace_id=agent.workspace_id, data=agent.fact())
    if rooms.find(tx, workspace_id=agent.workspace_id, ref=FIRST_ROOM) is not None:
        room_actions.invite_agent(
            tx, actor=system(agent.workspace_id), room=FIRST_ROOM, agent=agent.key, mode="mentions"
        )


def _change(
    tx: Tx,
    *,
    actor: Actor,
    key: str,
    display_name: str | Keep,
    runtime: str | Keep,
    description: str | Keep,
    command: str | Keep | None,
    cwd: str | Keep | None,
    model: str | Keep | None,
    effort: str | Keep | None,
    mode: str | Keep,
    instructions: str | Keep,
    skills: Sequence[str] | Keep,
    servers: Sequence[str] | Keep,
    settings: Settings | Keep,
    isolation: str | Keep | None,
    account: str | Keep | None,
    concurrency: int | Keep,
    max_duration: int | Keep | None,
    enabled: bool | Keep = KEEP,
    is_told: bool = True,
) -> Agent:
    before = access.agent(tx, actor, key)
    wanted = replace(
        before,
        display_name=before.display_name if display_name is KEEP else parse_label(display_name, field="display_name"),
        runtime=before.runtime if runtime is KEEP else parse_runtime(runtime),
        description=before.description if description is KEEP else parse_text(description, field="description"),
        cwd=_text(before.cwd, cwd, field="cwd"),
        model=_choice(before.model, model, field="model"),
        effort=_choice(before.effort, effort, field="effort"),
        mode=before.mode if mode is KEEP else parse_agent_mode(mode),
        instructions=before.instructions
        if instructions is KEEP
        else parse_text(instructions, field="instructions", limit=INSTRUCTIONS_LIMIT),
        skills=before.skills if skills is KEEP else parse_names(tuple(skills), field="skills"),
        servers=before.servers if servers is KEEP else parse_names(tuple(servers), field="servers"),
        settings=before.settings
        if settings is KEEP
        else parse_settings(sandbox=settings.sandbox, approval=settings.approval, network=settings.network),
        isolation=_text(before.isolation, isolation, field="isolation"),
        account=before.account if account is KEEP else account,
        concurrency=before.concurrency if concurrency is KEEP else parse_concurrency(concurrency),
        max_duration=before.max_duration if max_duration is KEEP else parse_duration(max_duration),
        enabled=before.enabled if enabled is KEEP else enabled,
    )
    if command is not KEEP:
        wanted = _with_command(actor, wanted, command)
    wanted = _with_account(tx, actor=actor, agent=wanted)
    if _gives_more(before, wanted):
        access.need(actor, Role.ADMIN)
    if wanted == before:
        return before
    agents.update(tx, wanted)
    tx.batch_cache.clear()
    after = _reread(tx, before)
    if is_told:
        tx.emit("agent.changed", workspace_id=actor.workspace_id, data=after.fact())
    if after.computer is not None:
        tx.wake(f"computer:{after.computer}")  # it may have been enabled, or be able to run now
    if after.mode is not before.mode:
        audit.record(tx, actor=actor, action="agent.mode_set", target=before.key, detail={"mode": after.mode})
    if after.isolation != before.isolation:
        audit.record(
            tx, actor=actor, action="agent.isolation_set", target=before.key, detail={"isolation": after.isolation}
        )
    if after.command != before.command:
        audit.record(tx, actor=actor, action="agent.command_set", target=before.key, detail={"command": after.command})
    return after


def _gives_more(before: Agent, wanted: Agent) -> bool:
    """What runs programs on somebody's computer, or lets the agent's own do more, is an admin's to give."""
    return (
        (wanted.mode is AgentMode.BYPASS and before.mode is not AgentMode.BYPASS)
        or (wanted.settings.network and not before.settings.network)
        or not {*wanted.servers} <= {*before.servers, OWN_SERVER}
        or wanted.isolation != before.isolation
    )


def _with_command(actor: Actor, agent: Agent, command: str | None) -> Agent:
    if command == agent.command and (command is None or agent.command_allowed):
        return agent
    access.need(actor, Role.ADMIN)
    if command is not None and not command.strip():
        raise Invalid("command is empty; null takes it away", field="command")
    return replace(agent, command=_text(None, command, field="command"), command_allowed=command is not None)


def _with_account(tx: Tx, *, actor: Actor, agent: Agent) -> Agent:
    """The account by its id, if it fits the agent's computer and runtime."""
    if agent.account is None:
        return agent
    account = access.account(tx, actor, agent.account)
    if account.computer != agent.computer or account.runtime != agent.runtime:
        raise Invalid(
            f"the account {account.label} is of {account.runtime} on {account.computer}; the agent is of"
            f" {agent.runtime} on {agent.computer or 'no computer'}",
            field="account",
            account=account.id,
        )
    return replace(agent, account=account.id)


def _text(before: str | None, wanted: str | Keep | None, *, field: str) -> str | None:
    if wanted is KEEP:
        return before
    return None if wanted is None else parse_text(wanted, field=field)


def _choice(before: str | None, wanted: str | Keep | None, *, field: str) -> str | None:
    """It becomes an argument of a program: what could be a flag would let members give what only admins may."""
    return before if wanted is KEEP else parse_choice(wanted or None, field=field)


def _or_keep(value: T | None) -> T | Keep:
    return KEEP if value is None else value


def _reread(tx: Tx, agent: Agent) -> Agent:
    found = agents.get(tx, agent.key, workspace_id=agent.workspace_id)
    assert found is not None, "it was found in this transaction"
    return found
