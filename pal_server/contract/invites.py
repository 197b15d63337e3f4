"""Invites: making them, and coming in by one."""

from .base import Answer, Request


class Invite(Answer, frozen=True, kw_only=True):
    id: str
    room: str
    created_by: str
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None
    uses: int = 0
    """How often somebody joined by it."""


class CreateInvite(Request, frozen=True, kw_only=True):
    room: str
    expires_at: int | None = None
    client_id: str | None = None
    """Said again before anybody joined, it gets a new token in place of the one whose answer was lost."""


class CreatedInviteAnswer(Answer, frozen=True, kw_only=True):
    invite: Invite
    token: str
    """Shown this once."""
    url: str
    """The guide, for whoever is invited."""


class InviteAnswer(Answer, frozen=True, kw_only=True):
    invite: Invite


class InvitesAnswer(Answer, frozen=True, kw_only=True):
    invites: list[Invite]
    next: str | None = None


class JoinRoom(Request, frozen=True, kw_only=True):
    name: str
    """How you are shown; nobody in the room has it."""
    client_id: str | None = None
    """Said again before the token was used, it gets a new one in place of the one whose answer was lost."""


class JoinedRoom(Answer, frozen=True, kw_only=True):
    id: str
    name: str
    title: str


class JoinedAnswer(Answer, frozen=True, kw_only=True):
    name: str
    room: JoinedRoom
    token: str
    """Your credential for everything else, shown this once."""
