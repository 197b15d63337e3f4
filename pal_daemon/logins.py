"""The logins of this computer: at each program's usual place, and of each account; seen, keyed, forgotten, opened.

A login is named by its account's id or label, or by its runtime for the usual place. Keys come in here and are written
to disk or given to the program; they are in no answer but `shell`, which is for the terminal of whoever owns them.
"""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pal_daemon.account_keys import home_of, read_keys, write_keys
from pal_daemon.environment import OURS
from pal_daemon.house import House
from pal_daemon.runtimes.base import Runtime
from pal_daemon.runtimes.lean_environment import lean_environment
from pal_daemon.runtimes.program_probe import find_program
from pal_daemon.runtimes.way_in import LOOK_FOR, UNKNOWN, LogsIn, Seen, WayIn
from pal_server.contract.agents import Account

SHORTEST, LONGEST = 8, 10_000  # characters of a key: a shorter one is no secret, so agents could say it
KEEP_FOR = 20.0  # seconds a program may take to store a key

log = logging.getLogger(__name__)


class NoSuchLogin(Exception):
    """Nothing here goes by that name; the message says what does."""


class Unfit(Exception):
    """It cannot be done for this login; the message says why and what to do instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One login: of an account, or at the usual place (`account` is None)."""

    runtime: str
    account: Account | None
    way_in: WayIn
    program: Path | None
    env: Mapping[str, str]  # all its program gets, keys included
    own: Mapping[str, str]  # the part of it that is the login's own

    @property
    def id(self) -> str:
        return self.runtime if self.account is None else self.account.id


class Logins:
    """Asks the server which accounts there are, each time: what it does not answer is not known here."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.changed = asyncio.Event()  # a login here may be another one now

    async def all(self) -> list[Place]:
        """Of every runtime whose program has logins: the usual place where the program is here, then the accounts."""
        accounts = await self._house.bus.accounts()
        return await asyncio.to_thread(self._places, accounts)

    async def find(self, name: str) -> Place:
        """Raises NoSuchLogin, Unfit for a name that several have."""
        places = await self.all()
        found = [place for place in places if place.id == name]
        found = found or [place for place in places if place.account is not None and place.account.label == name]
        if len(found) > 1:
            raise Unfit(f"{len(found)} accounts are called {name}: name one by its id, {found[0].id}, …")
        if not found:
            known = ", ".join(place.id if place.account is None else place.account.label for place in places)
            raise NoSuchLogin(f"there is no login {name} on this computer. There are {known or 'none'}")
        return found[0]

    async def look(self, place: Place) -> Seen:
        """Never raises: what cannot be found out is unknown, and the log says why."""
        try:
            async with asyncio.timeout(LOOK_FOR + 1):
                return await asyncio.to_thread(place.way_in.look, place.program, place.env)
        except Exception as error:  # an edge: a plugin's code, or one that takes for ever
            fields = {"action": "login.look", "runtime": place.runtime}
            log.warning("whether somebody is logged in is not known: %s", type(error).__name__, extra=fields)
            return UNKNOWN

    def keys_of(self, place: Place) -> list[str]:
        """Names of the variables that are kept here for it."""
        return sorted(read_keys(self._house.settings, place.id)) if place.account is not None else []

    async def set_key(self, place: Place, key: str, *, variable: str | None) -> str:
        """Keep a key for an account; where it is now, in words. Raises Unfit, OSError."""
        _check_key(key)
        if place.account is None:
            raise Unfit(
                f"a key belongs to an account: `pal console accounts add --runtime {place.runtime} …` makes one"
            )
        if variable is None and place.way_in.keep_key:
            if place.account.home is None:
                raise Unfit(f"{place.account.label} has no home of its own to keep a key in: add one with --home")
            await asyncio.to_thread(_let_program_keep, place, key)
            self.changed.set()
            return f"kept by the program in {place.account.home}"
        name = variable or place.way_in.key
        if name is None:
            raise Unfit(f"{place.runtime} has no variable for keys of its own: name one with --variable")
        if name.startswith(OURS) or not name.isidentifier():
            raise Unfit(f"{name} is no variable an account may have")
        keys = {**read_keys(self._house.settings, place.id), name: key}
        await asyncio.to_thread(write_keys, self._house.settings, place.id, keys)
        self.changed.set()
        return f"kept on this computer as {name}"

    async def clear(self, place: Place) -> str:
        """Forget the keys that are kept here, and log the account's program out; what was done, in words."""
        if place.account is None:
            raise Unfit(f"the usual login of {place.runtime} is yours, not pal's: log out with the program itself")
        kept = self.keys_of(place)
        await asyncio.to_thread(write_keys, self._house.settings, place.id, {})
        said = [f"forgot {', '.join(kept)}"] if kept else []
        if place.way_in.end and place.program is not None and place.account.home is not None:
            done = await asyncio.to_thread(_run, place, place.way_in.end, b"")
            said.append("logged out of its home" if done.returncode == 0 else "its program did not log out")
        self.changed.set()
        return " and ".join(said) or "nothing was kept"

    # Putting together

    def _places(self, accounts: list[Account]) -> list[Place]:
        usual = [self._usual(runtime) for runtime in self._house.registry if isinstance(runtime, LogsIn)]
        own = [self._of_account(account) for account in accounts]
        is_here = [place for place in usual if place is not None and (place.program or not place.way_in.programs)]
        return [*is_here, *(place for place in own if place is not None)]

    def _usual(self, runtime: Runtime) -> Place | None:
        assert isinstance(runtime, LogsIn)
        return _place(runtime.name, runtime.way_in, account=None, own={}, names=runtime.way_in.programs)

    def _of_account(self, account: Account) -> Place | None:
        runtime = self._house.registry.get(account.runtime)
        way_in = runtime.way_in if isinstance(runtime, LogsIn) else None
        if way_in is None:
            way_in = WayIn(programs=(), home=lambda home: {}, look=lambda program, env: UNKNOWN)
        home = home_of(self._house.settings, account.home)
        keys = read_keys(self._house.settings, account.id)
        own = {**(account.values or {}), **keys, **({} if home is None else way_in.home(home))}
        names = (account.bin,) if account.bin else way_in.programs
        return _place(account.runtime, way_in, account=account, own=own, names=names)


def _place(
    runtime: str, way_in: WayIn, *, account: Account | None, own: Mapping[str, str], names: tuple[str, ...]
) -> Place:
    """As an agent's program would find it: an account gets nothing of the daemon's own login."""
    base = lean_environment(os.environ, given=(), own=way_in.reads if account is None else ())
    base = {name: value for name, value in base.items() if not name.startswith(OURS)}
    env = {**base, **(way_in.quiet or {}), **own}
    program = next((found for name in names if (found := find_program(name, path=env.get("PATH")))), None)
    return Place(runtime=runtime, account=account, way_in=way_in, program=program, env=env, own=own)


def _check_key(key: str) -> None:
    if not SHORTEST <= len(key) <= LONGEST or not key.isprintable() or " " in key:
        raise Unfit(f"a key is one word of {SHORTEST} to {LONGEST:,} characters")


def _let_program_keep(place: Place, key: str) -> None:
    if place.program is None:
        raise Unfit(f"the program of {place.runtime} is not on this computer")
    done = _run(place, place.way_in.keep_key, key.encode())
    if done.returncode:
        raise Unfit(f"{place.program.name} did not take the key (exit {done.returncode})")


def _run(place: Place, arguments: tuple[str, ...], given: bytes) -> subprocess.CompletedProcess[bytes]:
    """The program in the login's environment. Raises Unfit."""
    assert place.program is not None
    try:
        return subprocess.run(
            (place.program, *arguments),
            env=dict(place.env),
            input=given,
            capture_output=True,
            timeout=KEEP_FOR,
            start_new_session=True,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unfit(f"{place.program.name} cannot be asked: {type(error).__name__}") from error
