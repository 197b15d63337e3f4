"""Accounts: one login of a runtime on one computer, with a program, home, variables or arguments of its own."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pal_server.errors import Invalid

ENTRIES_LIMIT = 100  # variables or arguments of one account
VALUE_LIMIT = 10_000  # characters of one of them

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """`env` holds values: it goes to the account's own computer and to nobody else; `fact` names the variables only."""

    id: str
    workspace_id: str
    computer: str
    runtime: str
    label: str
    bin: str | None
    home: str | None
    env: dict[str, str]
    args: tuple[str, ...]
    disabled: bool
    created_at: int

    def fact(self) -> dict[str, Any]:
        """The account as others see it."""
        return {
            "id": self.id,
            "computer": self.computer,
            "runtime": self.runtime,
            "label": self.label,
            "bin": self.bin,
            "home": self.home,
            "env": sorted(self.env),
            "args": list(self.args),
            "disabled": self.disabled,
            "created_at": self.created_at,
        }


def parse_env(env: Mapping[str, str]) -> dict[str, str]:
    """Variables a process can be given, or `Invalid`. No value is in a message."""
    if len(env) > ENTRIES_LIMIT:
        raise Invalid(f"env has more than {ENTRIES_LIMIT} variables", field="env", limit=ENTRIES_LIMIT)
    for name, value in env.items():
        if not _VARIABLE.fullmatch(name):
            raise Invalid("a variable's name has letters, digits and underscores", field="env", value=name[:128])
        if "\0" in value or len(value) > VALUE_LIMIT:
            raise Invalid(f"the value of {name} holds a NUL or more than {VALUE_LIMIT} characters", field="env")
    return dict(env)


def parse_args(args: Sequence[str]) -> tuple[str, ...]:
    """Arguments a process can be given, or `Invalid`."""
    if len(args) > ENTRIES_LIMIT or any("\0" in arg or len(arg) > VALUE_LIMIT for arg in args):
        raise Invalid(f"args are at most {ENTRIES_LIMIT} texts without NUL", field="args", limit=ENTRIES_LIMIT)
    return tuple(args)
