"""What a daemon and the server tell each other in one round trip: who it is, what it should run, what is ordered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pal_server.actions import access, computers, deliveries, interruptions, runs, steering, terminals
from pal_server.domain.actors import Actor
from pal_server.domain.computers import Checkout, Computer, RuntimeState
from pal_server.domain.runs import Run
from pal_server.errors import NotFound
from pal_server.storage import commands, rooms
from pal_server.storage.commands import Command
from pal_server.storage.tx import Tx

T = TypeVar("T")
DETAIL_LIMIT = 1_000  # characters of what a computer says of an order


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """The answer to `connect`: what the server believes of this computer, and what is ordered."""

    computer: Computer
    commands: tuple[Command, ...]
    runs: tuple[Run, ...]
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """The answer to a heartbeat. `pending` counts what this computer could claim now.

    `strays` are runs the server believes this computer has and the daemon did not name.
    """

    computer: Computer
    commands: tuple[Command, ...]
    pending: int
    strays: tuple[Run, ...]
    now: int


def fenced(tx: Tx, *, actor: Actor, epoch: int, action: Callable[..., T], arguments: Mapping[str, object]) -> T:
    """Run a daemon's action unless another daemon has taken its computer over since `epoch`."""
    computers.need_epoch(tx, actor=actor, epoch=epoch)
    return action(tx, **arguments)


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
    take_over: bool,
) -> Greeting:
    """A daemon begins; see `computers.connect` for who may."""
    computer = computers.connect(
        tx,
        actor=actor,
        machine=machine,
        host=host,
        os=os,
        daemon_version=daemon_version,
        runtimes=runtimes,
        interval=interval,
        take_over=take_over,
    )
    return Greeting(
        computer=computer,
        commands=tuple(commands.open_for(tx, computer_id=computer.id)),
        runs=tuple(runs.live_on(tx, computer_id=computer.id)),
        now=tx.now,
    )


def beat(
    tx: Tx,
    *,
    actor: Actor,
    computer: str,
    epoch: int | None,
    runtimes: Sequence[RuntimeState] | None,
    stalled: Sequence[int],
    running: Sequence[int] = (),
    checkouts: Sequence[Checkout] | None = None,
) -> Beat:
    """The daemon is there; all open commands go with the answer, until they are reported done."""
    found = computers.heartbeat(
        tx, actor=actor, computer=computer, epoch=epoch, runtimes=runtimes, checkouts=checkouts, stalled=stalled
    )
    named = frozenset(running)
    return Beat(
        computer=found,
        strays=tuple(run for run in runs.live_on(tx, computer_id=found.id) if run.id not in named),
        commands=tuple(commands.open_for(tx, computer_id=found.id)),
        pending=deliveries.waiting_for(tx, actor=actor),
        now=tx.now,
    )


def command_done(
    tx: Tx, *, actor: Actor, computer: str, command: int, epoch: int | None, ok: bool, detail: str
) -> None:
    """A command was carried out, or cannot be; it is not given out again. A second time changes nothing."""
    found = computers.need_epoch(tx, actor=actor, computer=computer, epoch=epoch)
    order = commands.find_for(tx, id=command, computer_id=found.id)
    if order is None:
        raise NotFound(f"there is no command {command}", command=command)
    if order.kind == "steer" and not ok and order.run_id is not None:
        rooms.lock(tx, room_id=access.run(tx, actor, order.run_id).room_id)
        steering.refused(tx, workspace_id=actor.workspace_id, delivery_id=order.data["delivery"], why=detail)
    if order.kind == "set_aside" and order.run_id is not None:
        run = access.run(tx, actor, order.run_id)
        rooms.lock(tx, room_id=run.room_id)
        interruptions.has_set_aside(tx, run=run, ok=ok, detail=detail[:DETAIL_LIMIT])
    if order.kind in (terminals.OPEN, terminals.CLOSE):
        terminals.order_done(
            tx, actor=actor, kind=order.kind, id=str(order.data["terminal"]), ok=ok, detail=detail[:DETAIL_LIMIT]
        )
    commands.done(tx, id=command, computer_id=found.id, ok=ok, detail=detail)


def standing(tx: Tx, *, actor: Actor) -> tuple[int, int | None]:
    """For the wake-up channel: the computer's epoch, and when a delivery that is held back may be claimed."""
    computer = computers.need_epoch(tx, actor=actor, epoch=None)
    return computer.epoch, deliveries.next_due(tx, computer_id=computer.id)
