"""A runtime over the Agent Client Protocol: what is said of a program here is all it takes to run it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from pal_daemon.runtimes.acp_client.dialect import Dialect
from pal_daemon.runtimes.acp_client.handshake import Task, render_initialize
from pal_daemon.runtimes.acp_client.offer import read_offer
from pal_daemon.runtimes.acp_client.reader import AcpReader
from pal_daemon.runtimes.base import (
    NOT_HERE,
    CannotStart,
    Capabilities,
    Context,
    Discovery,
    LaunchSpec,
    Reader,
    Surroundings,
)
from pal_daemon.runtimes.lean_environment import lean_environment
from pal_daemon.runtimes.offer import CannotTell, Offer
from pal_daemon.runtimes.pictures import pictures_of
from pal_daemon.runtimes.profile import Account, account_of, given_names, mode_of
from pal_daemon.runtimes.program_probe import (
    Version,
    VersionProbe,
    find_program,
    need_program,
    need_version,
)
from pal_server.contract.deliveries import Work

PICTURES = 600 << 10  # bytes of pictures; they go with the memo, which is small


class AcpRuntime:
    """Base of the runtimes that speak ACP; a subclass declares its program and overrides what is its own."""

    name: str
    capabilities: Capabilities
    dialect: Dialect = Dialect()
    programs: tuple[str, ...] = ()  # commands to look for, the best first
    arguments: tuple[str, ...] = ()
    remedy: str = ""
    oldest: Version = ()
    own: tuple[str, ...] = ()  # what the program reads of the daemon's environment
    login: tuple[str, ...] = ()  # the same, for agents without an account of their own
    quiet: Mapping[str, str] = {}  # no telemetry, no updates
    resuming: tuple[str, ...] = ()  # how people start it to go on with the session whose id follows

    def __init__(self) -> None:
        self._versions = VersionProbe()

    def discover(self, surroundings: Surroundings) -> Discovery:
        return self._versions.discover(
            self.programs, surroundings, oldest=self.oldest, remedy=self.remedy, quiet=self.quiet
        )

    def offer(self, program: Path | None, *, env: Mapping[str, str], folder: Path, args: Sequence[str]) -> Offer:
        if program is None:
            raise CannotTell(f"the program of {self.name} is not on this computer: {self.remedy}")
        argv = (str(program), *self.arguments, *args)
        return read_offer(argv, env={**env, **self.quiet}, folder=folder, login=self.login_method(env))

    def launch(self, work: Work, context: Context) -> LaunchSpec:
        account = account_of(work)
        env = self._whole_environment(work, account, context)
        command = self.command(work, account, env)
        session, reason = self.session(work, env)
        task = Task(
            prompt=work.prompt if work.slash is None else work.slash,
            recap=work.recap,
            is_command=work.slash is not None,
            folder=str(context.folder),
            login=self.login_method(env),
            session=session,
            fresh_because=reason,
            model=work.agent.model,
            effort=work.agent.effort,
            mode=mode_of(work),
            servers=_servers(context),
            pictures=[
                {"type": "image", "mimeType": picture.mime, "data": picture.encoded()}
                for picture in pictures_of(work, room=PICTURES)
            ],
            notices=[NOT_HERE.format(", ".join(context.missing))] if context.missing else [],
        )
        return LaunchSpec(
            argv=(*command, *account.args),
            env=env,
            is_env_whole=True,
            input=render_initialize(),
            memo=msgspec.to_builtins(task),
        )

    def interactive(self, work: Work, context: Context) -> LaunchSpec:
        if not self.resuming:
            raise CannotStart("spawn", f"{self.name} cannot be used in a terminal; a shell can")
        account = account_of(work)
        env = self._whole_environment(work, account, context)
        session, reason = self.session(work, env)
        if session is None:
            why = reason or "there is none"
            raise CannotStart("spawn", f"the conversation of {work.agent.key} cannot go on here: {why}")
        program, *_ = self.command(work, account, env)
        words = [program, *self.resuming, session]
        words += ["-m", work.agent.model] if work.agent.model else []
        return LaunchSpec(argv=(*words, *account.args), env=env, is_env_whole=True)

    def reader(self) -> Reader:
        return AcpReader(self.dialect)

    # What a program may have of its own

    def command(self, work: Work, account: Account, env: Mapping[str, str]) -> tuple[str, ...]:
        """The program and its arguments. Raises CannotStart."""
        path = env.get("PATH")
        names = (account.bin,) if account.bin else self.programs
        name = next((name for name in names if find_program(name, path=path)), names[0])
        program = need_program(name, path=path, remedy=self.remedy)
        need_version(self._versions.read(program, env=env), at_least=self.oldest, program=program, remedy=self.remedy)
        return (str(program), *self.arguments)

    def environment(self, work: Work, account: Account, context: Context) -> dict[str, str]:
        """What is set for the program, above all where its account lives."""
        return {}

    def login_method(self, env: Mapping[str, str]) -> str | None:
        """What the agent wants to be asked before it opens a session."""
        return None

    def session(self, work: Work, env: Mapping[str, str]) -> tuple[str | None, str | None]:
        """The conversation to go on with, or why that cannot be."""
        return work.native_session, None

    def _whole_environment(self, work: Work, account: Account, context: Context) -> dict[str, str]:
        has_account = work.agent.account is not None or bool(account.home or account.env)
        own = self.own if has_account else (*self.own, *self.login)
        env = lean_environment(context.env, given=given_names(work), own=own)
        return {**env, **self.quiet, **self.environment(work, account, context), "TMPDIR": str(context.scratch)}


def _servers(context: Context) -> list[dict[str, object]]:
    return [
        {"name": name, "command": argv[0], "args": list(argv[1:]), "env": []} for name, argv in context.servers.items()
    ]


def home_of(account: Account) -> str | None:
    return None if account.home is None else os.path.expanduser(account.home)
