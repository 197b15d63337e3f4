"""Tokens: credentials with a kind, an owner, scopes and an end. Only the hash of the secret is ever stored."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pal_server.domain.actors import Role, rank
from pal_server.errors import Invalid

SESSION_FOR = 30 * 24 * 3_600_000  # milliseconds a log-in lasts
CODE_FOR = 24 * 3_600_000  # milliseconds a one-time log-in link may wait
SCOPES_LIMIT = 20

_PLATFORM = re.compile(r"platform:[a-z]{1,32}")


class TokenKind(StrEnum):
    USER = "user"  # speaks as its user, from a program
    SESSION = "session"  # speaks as its user, in the cookie of a browser
    COMPUTER = "computer"  # a daemon's key; subject is the computer
    RUN = "run"  # an agent in one run; subject is the run, dies with it
    INVITE = "invite"  # lets somebody join
    SHARE = "share"  # lets somebody look at one thing
    BRIDGE = "bridge"  # a client of an outside chat, run by its user
    CODE = "code"  # a log-in link that works once


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What is known of a token. `subject` is the id of the user, computer or run it speaks for."""

    id: str
    workspace_id: str
    kind: TokenKind
    name: str
    subject: str
    scopes: tuple[str, ...]
    created_by: str
    created_at: int
    expires_at: int | None
    last_used_at: int | None
    revoked_at: int | None

    def is_live(self, *, now: int) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def parse_scopes(scopes: Iterable[str], *, kind: TokenKind) -> tuple[str, ...]:
    """Scopes a token of this kind may have, sorted, or `Invalid`.

    `role:viewer` (or member, admin) is the highest role a user's token acts with; `platform:lark` ties a bridge's token
    to one platform. No scope means no such limit.
    """
    unique = tuple(sorted(set(scopes)))
    if len(unique) > SCOPES_LIMIT:
        raise Invalid(f"a token has at most {SCOPES_LIMIT} scopes", field="scopes", limit=SCOPES_LIMIT)
    for scope in unique:
        known = (
            scope in _ROLE_SCOPES
            if kind is TokenKind.USER
            else kind is TokenKind.BRIDGE and _PLATFORM.fullmatch(scope) is not None
        )
        if not known:
            raise Invalid(
                f"a {kind} token knows no scope {scope!r}: a user token may have {', '.join(_ROLE_SCOPES)}, a bridge"
                " token platform:NAME",
                field="scopes",
                value=scope,
            )
    return unique


def parse_expiry(expires_at: int | None, *, now: int) -> int | None:
    """A moment to come, or `Invalid`."""
    if expires_at is not None and expires_at <= now:
        raise Invalid("expires_at lies in the past", field="expires_at", value=expires_at, now=now)
    return expires_at


def capped_role(role: Role, scopes: Iterable[str]) -> Role:
    """The role a token acts with: its user's own, or the lowest its scopes name."""
    caps = [Role(scope.removeprefix("role:")) for scope in scopes if scope in _ROLE_SCOPES]
    return min([role, *caps], key=rank)


_ROLE_SCOPES = tuple(f"role:{role}" for role in (Role.VIEWER, Role.MEMBER, Role.ADMIN))
