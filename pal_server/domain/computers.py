"""Computers: machines with a daemon. Which daemon may act, and what people see of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pal_server.errors import Conflict, Invalid

HELD_FOR = 30_000  # milliseconds after its last word in which a daemon cannot be replaced by one on another machine
BEATS_MISSED = 3  # heartbeats that may be lost before a computer counts as away
AWAY_AFTER_MIN = 10_000  # milliseconds; with a very short interval three beats are no proof
BEAT_MIN, BEAT_MAX = 100, 60_000  # milliseconds a daemon may choose between heartbeats
RUNTIMES_LIMIT = 64  # runtimes one computer reports
TEXT_LIMIT = 500  # characters of each text a daemon reports of itself
CHECKOUTS_LIMIT = 50
PATH_LIMIT = 4_096  # characters


class ComputerStatus(StrEnum):
    PROVISIONED = "provisioned"  # its daemon never came
    ONLINE = "online"
    OFFLINE = "offline"  # not heard of for some beats
    DRAINING = "draining"  # online, finishes what runs, takes nothing new
    REVOKED = "revoked"  # its key is void for good


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeState:
    """What a computer says of one runtime."""

    name: str
    available: bool
    version: str | None = None
    note: str = ""
    capabilities: dict[str, bool]
    login: str | None = None  # at the program's usual place: in, out, unknown; None without logins
    login_method: str = ""
    install: str = ""  # what installs or updates it

    def fact(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "available": self.available,
            "version": self.version,
            "note": self.note,
            "capabilities": self.capabilities,
            "login": self.login,
            "login_method": self.login_method,
            "install": self.install,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A repository in which runs of a computer work."""

    root: str
    branch: str | None
    used_at: int  # UTC milliseconds: when a run began there last

    def fact(self) -> dict[str, Any]:
        return {"root": self.root, "branch": self.branch, "used_at": self.used_at}


@dataclass(frozen=True, slots=True, kw_only=True)
class Computer:
    """`machine` identifies the computer and home its daemon lives in; `epoch` fences a daemon that was replaced.

    `status`, `agents` and `live_runs` are as of the moment it was read.
    """

    id: str
    workspace_id: str
    name: str
    status: ComputerStatus
    machine: str | None
    epoch: int
    host: str | None
    os: str | None
    daemon_version: str | None
    runtimes: tuple[RuntimeState, ...]
    beat_every: int  # milliseconds between heartbeats, chosen by the daemon
    max_runs: int
    draining: bool
    is_offline: bool  # what the log said last
    last_seen_at: int | None
    created_at: int
    revoked_at: int | None
    agents: tuple[str, ...]
    live_runs: int
    checkouts: tuple[Checkout, ...] = ()

    def can(self, runtime: str, capability: str) -> bool:
        """Whether its daemon said so of the runtime."""
        return any(state.name == runtime and state.capabilities.get(capability, False) for state in self.runtimes)

    def fact(self) -> dict[str, Any]:
        """The computer as others see it."""
        return {
            "id": self.id,
            "name": self.name,
            "status": self.status,
            "os": self.os,
            "host": self.host,
            "daemon_version": self.daemon_version,
            "runtimes": [runtime.fact() for runtime in self.runtimes],
            "agents": list(self.agents),
            "live_runs": self.live_runs,
            "max_runs": self.max_runs,
            "checkouts": [checkout.fact() for checkout in self.checkouts],
            "last_seen_at": self.last_seen_at,
            "created_at": self.created_at,
        }


def status_of(
    *, revoked_at: int | None, last_seen_at: int | None, is_offline: bool, draining: bool, beat_every: int, now: int
) -> ComputerStatus:
    """What people see. A computer that is not heard of is offline at once, also before the log says so."""
    if revoked_at is not None:
        return ComputerStatus.REVOKED
    if last_seen_at is None:
        return ComputerStatus.PROVISIONED
    if is_offline or now - last_seen_at > away_after(beat_every):
        return ComputerStatus.OFFLINE
    return ComputerStatus.DRAINING if draining else ComputerStatus.ONLINE


def away_after(beat_every: int) -> int:
    """Milliseconds of silence after which a computer counts as offline."""
    return max(BEATS_MISSED * beat_every, AWAY_AFTER_MIN)


def epoch_for(computer: Computer, *, machine: str, take_over: bool, now: int) -> int:
    """The epoch under which a daemon on `machine` may act, or `Conflict` while another machine's daemon is alive.

    The same machine comes back under its old epoch: a lock in its home keeps a second daemon out, and requests of
    before a lost connection stay good. Another machine gets a higher one, which shuts out the daemon before it.
    """
    if computer.machine == machine:
        return computer.epoch
    is_held = (
        computer.machine is not None and computer.last_seen_at is not None and now - computer.last_seen_at < HELD_FOR
    )
    if is_held and not take_over:
        raise Conflict(
            f"a daemon on another machine ({computer.host or 'unknown host'}) works with this key: stop it and wait"
            f" {HELD_FOR // 1000} seconds, or provision a computer of its own for this machine",
            computer=computer.id,
            host=computer.host,
            last_seen_at=computer.last_seen_at,
        )
    return computer.epoch + 1


def check_epoch(computer_epoch: int, epoch: int | None) -> None:
    """Refuse a daemon that was replaced. None is a client that takes no part in the fencing."""
    if epoch is not None and epoch < computer_epoch:
        raise Conflict(
            "another daemon has taken over this computer: this one may not go on", epoch=epoch, current=computer_epoch
        )


def parse_machine(machine: str) -> str:
    if not 1 <= len(machine) <= 200 or not machine.isprintable():
        raise Invalid("machine is 1 to 200 characters on one line, the same across restarts", field="machine")
    return machine


def parse_interval(interval: int) -> int:
    """Milliseconds between heartbeats, or `Invalid`."""
    if not BEAT_MIN <= interval <= BEAT_MAX:
        raise Invalid(f"interval lies between {BEAT_MIN} and {BEAT_MAX} milliseconds", field="interval", value=interval)
    return interval


def parse_report(text: str) -> str:
    """What a daemon says of itself, cut to a length people read."""
    return text[:TEXT_LIMIT]


def parse_checkouts(checkouts: Iterable[Checkout]) -> tuple[Checkout, ...]:
    """What a daemon says of its repositories, or `Invalid`."""
    told = tuple(checkouts)
    if len(told) > CHECKOUTS_LIMIT:
        raise Invalid(f"a computer has at most {CHECKOUTS_LIMIT} checkouts", field="checkouts", limit=CHECKOUTS_LIMIT)
    for checkout in told:
        for text in (checkout.root, checkout.branch or ""):
            if len(text) > PATH_LIMIT or "\0" in text:
                raise Invalid("a checkout's text is too long or holds a NUL", field="checkouts", limit=PATH_LIMIT)
    return told


def parse_runtimes(runtimes: Iterable[RuntimeState]) -> tuple[RuntimeState, ...]:
    """The runtimes of a report by name, or `Invalid`."""
    by_name = {runtime.name: runtime for runtime in runtimes}
    if len(by_name) > RUNTIMES_LIMIT:
        raise Invalid(f"a computer reports at most {RUNTIMES_LIMIT} runtimes", field="runtimes", limit=RUNTIMES_LIMIT)
    for runtime in by_name.values():
        if (
            not 1 <= len(runtime.name) <= 64
            or len(runtime.note) > TEXT_LIMIT
            or max(len(runtime.version or ""), len(runtime.login_method), len(runtime.install)) > TEXT_LIMIT
        ):
            raise Invalid(
                "a runtime's name, version or one of its notes is too long", field="runtimes", value=runtime.name[:64]
            )
    return tuple(by_name[name] for name in sorted(by_name))
