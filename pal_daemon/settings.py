"""What one daemon is told: flags < wins over > environment, project file, config file, defaults. Frozen once made."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pal_server.client.resolve import Unusable, find_server, pal_home

DEFAULT_LOCAL_PORT = 4137
DEFAULT_INTERVAL = 3000  # milliseconds between heartbeats
SHORTEST_INTERVAL = 100  # milliseconds; a person who asks for less means "often", not a busy loop
LONGEST_INTERVAL = 60_000  # milliseconds; beyond it nobody could tell a slow daemon from a dead one
STALLED_AFTER = 2 * 60 * 60.0  # seconds without a byte of output
STRAY_AFTER = 15.0  # seconds the server names a run that is not ours; one that begins or ends takes less
KEEP_BYTES = 200 << 20  # of finished runs, newest first
KEEP_FOR = 14 * 24 * 60 * 60.0  # seconds a finished run is kept at most
MAX_RUNS = 20


class BadSettings(Exception):
    """A setting that cannot be meant; the message names it and says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the daemon's parts are made from. Times in seconds, sizes in bytes."""

    home: Path
    server: str
    key: str
    interval: float = DEFAULT_INTERVAL / 1000
    local_host: str = "127.0.0.1"
    local_port: int = DEFAULT_LOCAL_PORT
    local_token: str | None = None
    cwd: Path | None = None
    is_dry_run: bool = False
    is_once: bool = False
    is_drain: bool = False
    legacy_agent: str | None = None
    max_runs: int = MAX_RUNS
    stalled_after: float = STALLED_AFTER
    stray_after: float = STRAY_AFTER
    keep_bytes: int = KEEP_BYTES
    keep_for: float = KEEP_FOR

    @property
    def folder(self) -> Path:
        """Journal, spools, token and lock of this computer's daemon."""
        return self.home / "daemon"

    @property
    def runs_folder(self) -> Path:
        return self.folder / "runs"


def resolve_settings(
    *,
    env: Mapping[str, str],
    here: Path,
    server: str | None = None,
    api_key: str | None = None,
    interval: int | None = None,
    local_port: int | None = None,
    cwd: str | None = None,
    dry_run: bool = False,
    once: bool = False,
    drain: bool = False,
    agent: str | None = None,
    computer_secret: str | None = None,
) -> Settings:
    """Settings of `pal daemon`; arguments are its flags. Raises BadSettings.

    A project file may name the server, never a credential.
    """
    home = pal_home(env).absolute()
    key = api_key or computer_secret or env.get("PAL_API_KEY") or env.get("PAL_COMPUTER_SECRET") or ""
    if not key:
        raise BadSettings("the computer's key is missing: give --api-key sk_machine_… or set PAL_API_KEY")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise BadSettings("the computer's key has characters no key has: copy it again from where it was shown")
    try:
        address = find_server(server=server, env=env, cwd=here).value
    except Unusable as error:
        raise BadSettings(str(error)) from error
    milliseconds = DEFAULT_INTERVAL if interval is None else interval
    if milliseconds <= 0:
        raise BadSettings("--interval is a positive number of milliseconds")
    return Settings(
        home=home,
        server=address,
        key=key,
        interval=min(max(milliseconds, SHORTEST_INTERVAL), LONGEST_INTERVAL) / 1000,
        local_port=_local_port(env) if local_port is None else local_port,
        local_token=env.get("LOCK_DAEMON_TOKEN") or env.get("PAL_DAEMON_TOKEN") or None,
        cwd=_checked_cwd(cwd),
        is_dry_run=dry_run,
        is_once=once,
        is_drain=drain,
        legacy_agent=agent or env.get("PAL_AGENT") or None,
    )


def _checked_cwd(cwd: str | None) -> Path | None:
    if cwd is None:
        return None
    path = Path(cwd).expanduser().absolute()
    if not path.is_dir():
        raise BadSettings(f"--cwd {cwd} is no folder")
    return path


def _local_port(env: Mapping[str, str]) -> int:
    """The port of the address the command line will look at, so that both agree without a flag."""
    from urllib.parse import urlsplit

    address = env.get("LOCK_DAEMON_URL") or env.get("PAL_DAEMON_URL")
    if not address:
        return DEFAULT_LOCAL_PORT
    try:
        return urlsplit(address).port or DEFAULT_LOCAL_PORT
    except ValueError:
        raise BadSettings(f"LOCK_DAEMON_URL or PAL_DAEMON_URL is no address: {address!r}") from None


def current_settings(**flags: object) -> Settings:
    """`resolve_settings` in this process's environment and folder."""
    return resolve_settings(env=os.environ, here=Path.cwd(), **flags)  # type: ignore[arg-type]  # the flags are typed where they are declared
