"""Computers: machines with a daemon. Their life from the first key to the last, and who of two daemons may act.

A revoked computer keeps its agents: they are shown as unavailable, with the advice to assign another one. Nobody is
moved silently.
"""

from collections.abc import Sequence

from pal_server.actions import access, audit, client_ids, terminals, tokens
from pal_server.actions import runs as run_actions
from pal_server.domain.actors import Actor, ActorKind, Role
from pal_server.domain.agents import Agent
from pal_server.domain.computers import (
    Checkout,
    Computer,
    ComputerStatus,
    RuntimeState,
    check_epoch,
    epoch_for,
    parse_checkouts,
    parse_interval,
    parse_machine,
    parse_report,
    parse_runtimes,
)
from pal_server.domain.names import parse_label
from pal_server.domain.pages import OLDEST, Page, page_of, parse_limit, parse_place, render_place
from pal_server.domain.runs import Wanted
from pal_server.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound
from pal_server.storage import agents, computers, runs
from pal_server.storage.tx import Tx


def provision(tx: Tx, *, actor: Actor, name: str, key_hash: str, client_id: str | None = None) -> Computer:
    """A computer whose daemon may come with the key of `key_hash`. By an admin.

    Said again with the same `client_id` before any daemon came, the computer gets the new key in place of the one whose
    answer was lost: an existing secret is never told again.
    """
    access.need(actor, Role.ADMIN)
    label = parse_label(name, field="name")
    if label.startswith("machine_"):
        raise Invalid("a computer's name cannot begin with machine_, as ids do", field="name")
    said = {"name": label}
    computer_id = client_ids.earlier(tx, actor=actor, client_id=client_id, verb="computers.provision", said=said)
    if computer_id is not None:
        return _provision_again(tx, actor=actor, id=computer_id, key_hash=key_hash)
    if computers.by_name(tx, label, workspace_id=actor.workspace_id) is not None:
        raise AlreadyExists(
            f"there is already a computer called {label}: rotate its key, revoke it or choose another name", name=label
        )
    computer_id = tx.new_id("machine")
    computers.insert(tx, id=computer_id, workspace_id=actor.workspace_id, name=label)
    _issue_key(tx, actor=actor, id=computer_id, name=label, key_hash=key_hash)
    client_ids.remember(tx, actor=actor, client_id=client_id, verb="computers.provision", said=said, target=computer_id)
    computer = _reread(tx, computer_id)
    _tell(tx, "computer.provisioned", computer)
    audit.record(tx, actor=actor, action="computer.provisioned", target=computer_id, detail={"name": label})
    return computer


def connect(
    tx: Tx,
    *,
    actor: Actor,
    machine: str,
    host: str,
    os: str,
    daemon_version: str,
    runtimes: Sequence[RuntimeState],
    interval: int,
    take_over: bool = False,
) -> Computer:
    """A daemon begins, with its computer's key; its `epoch` goes with every later request.

    The same machine comes back at once. Another machine is refused while the first one is alive, or takes over and
    fences it out.
    """
    computer_id = _own_id(actor)
    computers.lock(tx, computer_id)
    before = _reread(tx, computer_id)
    epoch = epoch_for(before, machine=parse_machine(machine), take_over=take_over, now=tx.now)
    known = agents.list_of_computer(tx, computer_id)
    connected = computers.connect(
        tx,
        computer_id,
        machine=machine,
        epoch=epoch,
        host=parse_report(host),
        os=parse_report(os),
        daemon_version=parse_report(daemon_version),
        runtimes=parse_runtimes(runtimes),
        beat_every=parse_interval(interval),
    )
    if not connected:
        raise NotFound("there is no such computer", computer=computer_id)
    if epoch > before.epoch and before.machine is not None:
        tx.wake(f"computer:{computer_id}")  # the daemon before this one learns that it was replaced
    after = _reread(tx, computer_id)
    _tell_change(tx, before, after)
    _tell_readiness(tx, before=known)
    return after


def heartbeat(
    tx: Tx,
    *,
    actor: Actor,
    computer: str,
    epoch: int | None,
    runtimes: Sequence[RuntimeState] | None = None,
    checkouts: Sequence[Checkout] | None = None,
    stalled: Sequence[int] = (),
) -> Computer:
    """The daemon is there. Exactly the runs in `stalled` are flagged as giving no sign of life; nothing is done to
    them.
    """
    before = need_epoch(tx, actor=actor, computer=computer, epoch=epoch)
    known = agents.list_of_computer(tx, before.id) if runtimes is not None else []
    if not computers.beat(tx, before.id):
        raise NotFound("there is no such computer", computer=computer)
    if runtimes is not None and (reported := parse_runtimes(runtimes)) != before.runtimes:
        computers.set_runtimes(tx, before.id, reported)
    if checkouts is not None and (told := parse_checkouts(checkouts)) != before.checkouts:
        computers.set_checkouts(tx, before.id, told)
    for stall in computers.flag_stalled(tx, before.id, runs=stalled):
        run = runs.find(tx, workspace_id=before.workspace_id, id=stall.run)
        if run is not None:
            tx.emit("run.changed", workspace_id=before.workspace_id, room_id=stall.room_id, data=run.fact())
    after = _reread(tx, before.id)
    _tell_change(tx, before, after)
    _tell_readiness(tx, before=known)
    return after


def need_epoch(tx: Tx, *, actor: Actor, computer: str | None = None, epoch: int | None) -> Computer:
    """The actor's own computer; `Conflict` when another daemon has taken it over since `epoch`.

    For every action of a daemon. `computer` is the id in the path, which must be the actor's own.
    """
    computer_id = _own_id(actor)
    if computer is not None and computer != computer_id:
        raise NotFound(f"there is no computer {computer}", computer=computer)
    found = _reread(tx, computer_id)
    check_epoch(found.epoch, epoch)
    return found


def any_silent(tx: Tx) -> bool:
    """Whether `mark_offline` has anything to do."""
    return bool(computers.silent(tx))


def mark_offline(tx: Tx) -> list[str]:
    """Write down which computers have not been heard of for too long; their ids. For a loop."""
    gone = []
    for computer_id in computers.silent(tx):
        if computers.mark_offline(tx, computer_id):
            tx.batch_cache.clear()
            _tell(tx, "computer.offline", _reread(tx, computer_id))
            gone.append(computer_id)
    return gone


def drain(tx: Tx, *, actor: Actor, ref: str, draining: bool = True) -> Computer:
    """Finish what runs and take nothing new, or take work again. By an admin, or the computer's own daemon."""
    before = access.computer(tx, actor, ref)
    if actor.kind is not ActorKind.COMPUTER:
        access.need(actor, Role.ADMIN)
    if before.draining is draining:
        return before
    computers.set_draining(tx, before.id, draining=draining)
    tx.batch_cache.clear()
    tx.wake(f"computer:{before.id}")
    after = _reread(tx, before.id)
    _tell(tx, "computer.changed", after)
    return after


def rotate(tx: Tx, *, actor: Actor, ref: str, key_hash: str) -> Computer:
    """Give the computer a new key. The old one is void at once, a daemon that uses it ends, and any machine may come
    with the new one.
    """
    access.need(actor, Role.ADMIN)
    before = access.computer(tx, actor, ref)
    _check_not_revoked(before)
    tokens.revoke_of(tx, workspace_id=before.workspace_id, kind="computer", subject=before.id)
    _issue_key(tx, actor=actor, id=before.id, name=before.name, key_hash=key_hash)
    after = _cut_off(tx, before)
    audit.record(tx, actor=actor, action="computer.key_rotated", target=before.id, detail={"name": before.name})
    return after


def revoke(tx: Tx, *, actor: Actor, ref: str) -> Computer:
    """Void the computer's key for good; its name is free again. What it runs ends here, because it can report no more.

    A second time changes nothing.
    """
    access.need(actor, Role.ADMIN)
    before = access.computer(tx, actor, ref)
    known = agents.list_of_computer(tx, before.id)
    if not computers.revoke(tx, before.id):
        return before
    tokens.revoke_of(tx, workspace_id=before.workspace_id, kind="computer", subject=before.id)
    after = _cut_off(tx, before)
    _tell_readiness(tx, before=known)
    for run in runs.live_on(tx, computer_id=before.id):
        run_actions.order(tx, actor=actor, run=run, wanted=Wanted.KILL, reason="the computer is revoked")
    terminals.end_of_computer(tx, computer_id=before.id)
    audit.record(tx, actor=actor, action="computer.revoked", target=before.id, detail={"name": before.name})
    return after


def get(tx: Tx, *, actor: Actor, ref: str) -> Computer:
    return access.computer(tx, actor, ref)


def list_page(tx: Tx, *, actor: Actor, after: str | None, limit: int) -> Page[Computer]:
    """In order of provisioning, revoked ones too. For people; a computer finds itself."""
    count = parse_limit(limit)
    if actor.kind is ActorKind.COMPUTER:
        return Page(items=(access.computer(tx, actor, actor.id),), next=None)
    access.need(actor, Role.VIEWER)
    place = parse_place(after, default=OLDEST)
    found = computers.list_page(tx, workspace_id=actor.workspace_id, place=place, limit=count + 1)
    return page_of(found, limit=count, cursor=lambda computer: render_place(computer.created_at, computer.id))


def _own_id(actor: Actor) -> str:
    if actor.kind is not ActorKind.COMPUTER:
        raise Forbidden("only a daemon does this, with its computer's key", needs="computer", actor=actor.kind)
    return actor.id


def _provision_again(tx: Tx, *, actor: Actor, id: str, key_hash: str) -> Computer:
    computer = _reread(tx, id)
    if computer.last_seen_at is not None or computer.revoked_at is not None:
        raise Conflict(
            f"{computer.name} is provisioned and its key was used: rotate the key to get another", computer=id
        )
    tokens.revoke_of(tx, workspace_id=computer.workspace_id, kind="computer", subject=id)
    _issue_key(tx, actor=actor, id=id, name=computer.name, key_hash=key_hash)
    audit.record(tx, actor=actor, action="computer.key_rotated", target=id, detail={"name": computer.name})
    return computer


def _issue_key(tx: Tx, *, actor: Actor, id: str, name: str, key_hash: str) -> None:
    tokens.issue(
        tx,
        kind="computer",
        subject=id,
        name=f"key of {name}",
        workspace_id=actor.workspace_id,
        created_by=actor.key,
        secret_hash=key_hash,
    )


def _cut_off(tx: Tx, before: Computer) -> Computer:
    """The daemon with the old key ends as soon as it looks."""
    computers.cut_off(tx, before.id)
    tx.batch_cache.clear()
    tx.wake(f"computer:{before.id}")
    after = _reread(tx, before.id)
    if after.revoked_at is not None:
        _tell(tx, "computer.revoked", after)
    else:
        _tell(tx, "computer.changed" if before.is_offline else "computer.offline", after)
    return after


def _check_not_revoked(computer: Computer) -> None:
    if computer.status is ComputerStatus.REVOKED:
        raise Conflict(f"{computer.name} is revoked: provision it again", computer=computer.id)


def _reread(tx: Tx, id: str) -> Computer:
    computer = computers.get(tx, id)
    if computer is None:
        raise NotFound(f"there is no computer {id}", computer=id)
    return computer


def _tell(tx: Tx, kind: str, computer: Computer) -> None:
    tx.emit(kind, workspace_id=computer.workspace_id, data=computer.fact())


def _tell_change(tx: Tx, before: Computer, after: Computer) -> None:
    """Say it once when it comes online, or when what it says of itself changed; a plain heartbeat is no news."""
    if before.is_offline:
        tx.batch_cache.clear()
        _tell(tx, "computer.online", after)
    elif _profile(before) != _profile(after):
        _tell(tx, "computer.changed", after)


def _profile(computer: Computer) -> tuple[object, ...]:
    places = tuple((checkout.root, checkout.branch) for checkout in computer.checkouts)
    return computer.host, computer.os, computer.daemon_version, computer.runtimes, places


def _tell_readiness(tx: Tx, *, before: Sequence[Agent]) -> None:
    """What a computer says of its runtimes shows at its agents, too."""
    for agent in before:
        now = agents.get(tx, agent.key, workspace_id=agent.workspace_id)
        if now is not None and now != agent:
            tx.emit("agent.changed", workspace_id=agent.workspace_id, data=now.fact())
