"""What an agent's settings say to its program: account, mode, effort."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from pal_server.contract.deliveries import Work


class Mode(StrEnum):
    """What an agent may do without asking a person."""

    ASK = "ask"
    ACCEPT_EDITS = "accept_edits"  # files in its folder without asking, the rest with
    AUTO = "auto"  # the program decides what is worth asking
    BYPASS = "bypass"  # everything
    READ_ONLY = "read_only"  # no changes; what would change something is refused, not asked
    PLAN = "plan"  # as READ_ONLY, until a person approves its plan

    @property
    def is_locked(self) -> bool:
        return self in (Mode.READ_ONLY, Mode.PLAN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One login of a program. `home` holds it; without one the program's usual place does."""

    bin: str | None = None
    home: str | None = None
    is_home_ours: bool = False  # a folder of the daemon's own and not a person's
    env: dict[str, str] = field(default_factory=dict)
    args: tuple[str, ...] = ()
    key_file: str | None = None  # JSON: the variables of `env` that are kept on this computer, for its user alone
    key_names: tuple[str, ...] = ()  # what it holds


def account_of(work: Work) -> Account:
    """The agent's account; an empty one when it has none."""
    account = work.agent.settings.get("account")
    if not isinstance(account, dict):
        return Account()
    return Account(
        bin=account.get("bin") or None,
        home=account.get("home") or None,
        is_home_ours=account.get("is_home_ours") is True,
        env={str(name): str(value) for name, value in (account.get("env") or {}).items()},
        args=tuple(str(arg) for arg in account.get("args") or ()),
        key_file=account.get("key_file") or None,
        key_names=tuple(account.get("key_names") or ()),
    )


def mode_of(work: Work) -> Mode:
    """ASK, which is safe, for a word this version does not know."""
    try:
        return Mode(str(work.agent.settings.get("mode", Mode.ASK)).replace("-", "_"))
    except ValueError:
        return Mode.ASK


def given_names(work: Work) -> set[str]:
    """Names of the environment that the agent's profile or account set."""
    return {*work.env, *account_of(work).env}
