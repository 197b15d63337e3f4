"""What computers find out of agent programs: asked for by people, reported by daemons."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pal_server.actions import access, computers, introductions
from pal_server.domain.accounts import Account
from pal_server.domain.actors import Actor, Role
from pal_server.domain.agents import parse_runtime
from pal_server.domain.computers import Computer, ComputerStatus
from pal_server.domain.findings import ERROR_LIMIT, TEXT_LIMIT, Finding, Kind, Subject, parse_list
from pal_server.errors import Conflict, Invalid
from pal_server.storage import commands, events, findings
from pal_server.storage.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A computer is to look. What it finds is told in the log after `position`."""

    computer: Computer
    position: int


def probe_account(tx: Tx, *, actor: Actor, ref: str) -> Look:
    """Let the account's computer look which login and models it has."""
    access.need(actor, Role.MEMBER)
    account = access.account(tx, actor, ref)
    return _order(tx, computer=account.computer, actor=actor, runtime=account.runtime, account=account.id)


def probe_agent(tx: Tx, *, actor: Actor, key: str, folder: str | None = None) -> Look:
    """Let the agent's computer look what its program offers: login, models, commands, skills, tool servers."""
    access.need(actor, Role.MEMBER)
    agent = access.agent(tx, actor, key)
    if agent.computer is None:
        raise Conflict(f"{agent.key} is on no computer that could look: assign it to one", agent=agent.key)
    return _order(
        tx,
        computer=agent.computer,
        actor=actor,
        runtime=agent.runtime,
        account=agent.account,
        agent=agent.key,
        folder=_folder(folder) or agent.cwd,
        isolation=agent.isolation,
    )


def report(
    tx: Tx,
    *,
    actor: Actor,
    computer: str,
    epoch: int | None,
    runtime: str,
    account: str | None,
    agent: str | None,
    folder: str | None,
    found: Mapping[str, Any],
    errors: Mapping[str, str],
) -> None:
    """A daemon found something, or nothing. What it did not look for is left as it is."""
    place = computers.need_epoch(tx, actor=actor, computer=computer, epoch=epoch)
    subject = Subject(computer=place.id, runtime=parse_runtime(runtime))
    if account is not None:
        subject = _of_account(subject, access.account(tx, actor, account))
    if agent is not None:
        subject = subject.at(agent=access.agent(tx, actor, agent).key, folder=_folder(folder) or "")
    for name, data in found.items():
        kind = Kind(name)
        entries = parse_list(data if isinstance(data, list) else [data], field=name)
        findings.put(tx, subject.for_kind(kind), kind=kind, data=entries if isinstance(data, list) else data)
    for name, error in errors.items():
        findings.failed(tx, subject.for_kind(Kind(name)), kind=Kind(name), error=error[:ERROR_LIMIT])
    tx.emit(
        "finding.changed",
        workspace_id=place.workspace_id,
        data={
            "computer": place.id,
            "runtime": subject.runtime,
            "account": subject.account or None,
            "agent": subject.agent or None,
            "kinds": sorted({*found, *errors}),
        },
    )


def models_of_agent(tx: Tx, *, actor: Actor, key: str) -> Finding | None:
    return introductions.of_agent(tx, agent=access.agent(tx, actor, key), kind=Kind.MODELS)


def models_of_account(tx: Tx, *, actor: Actor, ref: str) -> Finding | None:
    account = access.account(tx, actor, ref)
    return findings.find(tx, _of_account(_of(account), account), kind=Kind.MODELS)


def logins(tx: Tx, *, workspace_id: str) -> dict[str, Finding]:
    """Whether somebody is logged in, by account."""
    found = findings.of_kind(tx, workspace_id=workspace_id, kind=Kind.LOGIN)
    return {finding.subject.account: finding for finding in found if finding.subject.account}


def login_of(tx: Tx, *, account: Account) -> Finding | None:
    """What the account's computer saw last."""
    return findings.find(tx, _of_account(_of(account), account), kind=Kind.LOGIN)


def forget_account(tx: Tx, id: str) -> None:
    findings.forget_account(tx, id)


def quotas(tx: Tx, *, actor: Actor) -> list[Finding]:
    """Of every login that told how much of its subscription is used. For people."""
    access.need(actor, Role.VIEWER)
    return findings.of_kind(tx, workspace_id=actor.workspace_id, kind=Kind.QUOTA)


def _order(tx: Tx, *, computer: str, actor: Actor, **data: str | None) -> Look:
    """A durable order; one that waits already is enough."""
    place = access.computer(tx, actor, computer)
    if place.status is ComputerStatus.REVOKED:
        raise Conflict(f"{place.name} is revoked: nobody there can look", computer=place.id)
    wanted = {name: value for name, value in data.items() if value is not None}
    waiting = [command for command in commands.open_for(tx, computer_id=place.id) if command.kind == "probe"]
    if all(command.data != wanted for command in waiting):
        commands.add(
            tx, workspace_id=place.workspace_id, computer_id=place.id, kind="probe", run_id=None, data=dict(wanted)
        )
    tx.wake(f"commands:{place.id}")
    return Look(computer=place, position=events.newest(tx, workspace_id=place.workspace_id))


def _of(account: Account) -> Subject:
    return Subject(computer=account.computer, runtime=account.runtime)


def _of_account(subject: Subject, account: Account) -> Subject:
    return Subject(computer=subject.computer, runtime=account.runtime, account=account.id)


def _folder(folder: str | None) -> str | None:
    if folder is not None and (len(folder) > TEXT_LIMIT or "\0" in folder):
        raise Invalid("folder is too long or holds a NUL", field="folder")
    return folder
