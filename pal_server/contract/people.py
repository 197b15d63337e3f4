"""Users, tokens, log-in and the audit log."""

from typing import Any

import msgspec

from .base import Answer, Page, Request
from .words import Role, TokenKind


class Login(Request, frozen=True, kw_only=True):
    """One of: a token, a one-time code, a name with password."""

    token: str | None = None
    code: str | None = None
    username: str | None = None
    password: str | None = None


class Me(Answer, frozen=True, kw_only=True):
    kind: str
    name: str
    display_name: str = ""
    role: Role | None = None
    workspace: str
    agent: str | None = None
    computer: str | None = None
    run: int | None = None
    room: str | None = None
    topic: int | None = None


class MeAnswer(Answer, frozen=True, kw_only=True):
    me: Me


class User(Answer, frozen=True, kw_only=True):
    id: str
    username: str
    display_name: str
    role: Role
    disabled: bool
    created_at: int


class UserAnswer(Answer, frozen=True, kw_only=True):
    user: User


class UsersAnswer(Answer, frozen=True, kw_only=True):
    users: list[User]
    next: str | None = None


class CreateUser(Request, frozen=True, kw_only=True):
    username: str
    display_name: str = ""
    role: Role = "member"
    password: str | None = None
    client_id: str | None = None


class ChangeUser(Request, frozen=True, kw_only=True):
    display_name: str | msgspec.UnsetType = msgspec.UNSET
    role: Role | msgspec.UnsetType = msgspec.UNSET
    password: str | msgspec.UnsetType = msgspec.UNSET
    disabled: bool | msgspec.UnsetType = msgspec.UNSET


class Token(Answer, frozen=True, kw_only=True):
    id: str
    kind: TokenKind
    name: str
    subject: str
    scopes: list[str] = []
    created_at: int
    expires_at: int | None = None
    last_used_at: int | None = None
    revoked_at: int | None = None


class TokenAnswer(Answer, frozen=True, kw_only=True):
    token: Token


class CreatedTokenAnswer(Answer, frozen=True, kw_only=True):
    token: Token
    secret: str
    """Shown this once."""


class TokensAnswer(Answer, frozen=True, kw_only=True):
    tokens: list[Token]
    next: str | None = None


class CreateToken(Request, frozen=True, kw_only=True):
    name: str
    kind: TokenKind = "user"
    user: str | None = None
    """Whose; yourself when left out."""
    scopes: list[str] = []
    expires_at: int | None = None
    client_id: str | None = None
    """Said again, the same token gets a new secret in place of the one whose answer was lost; `conflict` once it was
    used.
    """


class AuditEntry(Answer, frozen=True, kw_only=True):
    id: int
    at: int
    actor: str
    action: str
    target: str
    detail: dict[str, Any] = {}
    hash: str


class AuditAnswer(Answer, frozen=True, kw_only=True):
    audit: list[AuditEntry]
    next: str | None = None


class AuditVerified(Answer, frozen=True, kw_only=True):
    ok: bool
    entries: int
    first_changed: int | None = None
    head: str = ""


class AuditQuery(Page, frozen=True, kw_only=True):
    action: str | None = None
