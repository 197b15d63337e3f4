"""Keys of accounts that stay on this computer: one file for each account, for its owner's eyes alone.

They are given to the account's program and nobody else; the server never sees them. Whatever agents say is searched
for them before it leaves (`redaction`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from pal_daemon.runtimes.profile import account_of
from pal_daemon.settings import Settings
from pal_server.contract.deliveries import Work

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")  # of an account's id, as part of a path
KEYS = "keys.json"
HOMES = "homes"  # of accounts whose home is a plain name


def accounts_folder(settings: Settings) -> Path:
    return settings.folder / "accounts"


def read_keys(settings: Settings, account: str) -> dict[str, str]:
    """Variables and their values; empty without any, or when the file cannot be read."""
    return _read(_file(settings, account))


def write_keys(settings: Settings, account: str, keys: Mapping[str, str]) -> None:
    """These and no others; none at all removes the file. Whole or not at all, mode 0600. Raises OSError."""
    file = _file(settings, account)
    if not keys:
        shutil.rmtree(file.parent, ignore_errors=True)
        return
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = file.with_name(f".{KEYS}.{os.getpid()}")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        json.dump(dict(keys), out)
        out.flush()
        os.fsync(out.fileno())
    os.replace(fresh, file)


def kept_values(settings: Settings) -> tuple[str, ...]:
    """Every key kept here, of whichever account: what no agent may say aloud."""
    return tuple(value for file in accounts_folder(settings).glob(f"*/{KEYS}") for value in _read(file).values())


def home_of(settings: Settings, home: str | None) -> str | None:
    """Where an account's program keeps its login: a path as it is, a plain name below the daemon's folder (0700).

    Raises OSError.
    """
    if home is None or _is_path(home):
        return None if home is None else os.path.expanduser(home)
    name = NAME.fullmatch(home)
    if name is None:
        raise OSError(f"an account's home is an absolute path or a plain name, not {home!r}")
    folder = accounts_folder(settings) / HOMES / home
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return str(folder)


def with_keys(settings: Settings, work: Work) -> Work:
    """The work with what only this computer knows of its agent's account: the place of its home, and its keys."""
    account = work.agent.settings.get("account")
    if not isinstance(account, dict):
        return work
    keys = read_keys(settings, work.agent.account) if work.agent.account else {}
    known = account_of(work)
    complete = {
        **account,
        "env": {**known.env, **keys},
        "home": home_of(settings, known.home),
        "is_home_ours": known.home is not None and not _is_path(known.home),
        "key_file": str(_file(settings, work.agent.account)) if work.agent.account and keys else None,
        "key_names": tuple(keys),
    }
    agent = msgspec.structs.replace(work.agent, settings={**work.agent.settings, "account": complete})
    return msgspec.structs.replace(work, agent=agent)


def _is_path(home: str) -> bool:
    return home.startswith(("/", "~"))


def _file(settings: Settings, account: str) -> Path:
    if not NAME.fullmatch(account) or account == HOMES:
        raise OSError(f"{account!r} is no account's id")
    return accounts_folder(settings) / account / KEYS


def _read(file: Path) -> dict[str, str]:
    try:
        keys = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in keys.items()} if isinstance(keys, dict) else {}
