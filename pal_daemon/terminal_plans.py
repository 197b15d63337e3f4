"""What a terminal starts: the user's shell, or an agent's program in its interactive form."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from pal_daemon import keeper_client
from pal_daemon.account_keys import with_keys
from pal_daemon.environment import OURS
from pal_daemon.equipment import isolate
from pal_daemon.folders import scratch_folder, working_folder
from pal_daemon.house import House
from pal_daemon.planning import account_env
from pal_daemon.runtimes.base import CannotStart, Context, Interactive
from pal_daemon.runtimes.registry import missing_note
from pal_server.contract.deliveries import Work

GRACE = 1.0  # seconds between SIGHUP, SIGTERM and SIGKILL: who closes a terminal waits for it
SCREEN = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
LOGIN_SHELLS = ("ash", "bash", "dash", "fish", "ksh", "mksh", "sh", "zsh")  # that know -l


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """`data` of a `terminal_open` command."""

    terminal: str
    kind: str
    cols: int
    rows: int
    folder: str | None = None
    agent: str | None = None
    cwd: str | None = None
    """Of the agent, as its profile has it."""
    work: Work | None = None


def plan_terminal(house: House, order: Order) -> keeper_client.LaunchSpec:
    """Everything the keeper needs. Raises CannotStart, and whatever a plugin raises."""
    argv, folder, env = _agents_program(house, order) if order.kind == "agent" else _shell(house, order)
    memo = {"terminal": order.terminal, "folder": str(folder)}
    return keeper_client.LaunchSpec(
        argv=argv,
        cwd=str(folder),
        env={**env, **SCREEN},
        memo=msgspec.json.encode(memo),
        ask_grace=GRACE,
        terminate_grace=GRACE,
        leftover_grace=GRACE,
        terminal=(order.cols, order.rows),
    )


def bare_environment(base: Mapping[str, str]) -> dict[str, str]:
    """The daemon's own without what is pal's: no key, no token, no address."""
    return {name: value for name, value in base.items() if not name.startswith(OURS)}


def _shell(house: House, order: Order) -> tuple[tuple[str, ...], Path, dict[str, str]]:
    env = bare_environment(os.environ)
    shell = env.get("SHELL") or _users_shell()
    folder = Path(env.get("HOME") or "/")
    if order.folder is not None or order.agent is not None:
        folder = working_folder(house.settings, agent=order.agent or "", cwd=order.folder or order.cwd)
    argv = (shell, "-l") if Path(shell).name in LOGIN_SHELLS else (shell,)
    return argv, folder, {**env, "SHELL": shell}


def _agents_program(house: House, order: Order) -> tuple[tuple[str, ...], Path, dict[str, str]]:
    work = order.work
    if work is None:
        raise CannotStart("spawn", "the order names no agent to start")
    agent = work.agent
    runtime = house.registry.get(agent.runtime)
    if runtime is None:
        raise CannotStart("missing_program", missing_note(agent.runtime))
    if not isinstance(runtime, Interactive):
        raise CannotStart("spawn", f"{agent.runtime} cannot be used in a terminal; a shell can")
    try:
        work = with_keys(house.settings, work)
    except OSError as error:
        raise CannotStart("auth", f"the account of {agent.key} cannot be used: {error}") from error
    folder = working_folder(house.settings, agent=agent.key, cwd=agent.cwd)
    scratch = scratch_folder(house.settings, agent=agent.key, account=agent.account)
    env = {**bare_environment(os.environ), **work.env, **account_env(work)}
    context = Context(run=0, folder=folder, env=env, python=sys.executable, scratch=scratch)
    plan = runtime.interactive(work, context)
    whole_env = dict(plan.env) if plan.is_env_whole else {**env, **plan.env}
    isolation = agent.settings.get("isolation")
    argv = isolate(plan.argv, isolation, folder=folder, scratch=scratch, env={**whole_env, **SCREEN})
    return argv, plan.cwd or folder, whole_env


def _users_shell() -> str:
    """As the system knows it. A user without an entry gets what every system has."""
    try:
        return pwd.getpwuid(os.getuid()).pw_shell or "/bin/sh"
    except KeyError:
        return "/bin/sh"
