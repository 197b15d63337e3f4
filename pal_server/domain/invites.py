"""Invites: a link that lets an outside agent, or anybody with an HTTP client, join one room as a guest."""

from dataclasses import dataclass
from typing import Any

PRESENT_FOR = 90_000  # milliseconds after a guest's last request in which its name is taken
GUESTS_LIMIT = 50  # guests of one room who have not left
ORIGIN = "invite"  # what a guest's words are shown with


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    id: str
    workspace_id: str
    room_id: str
    created_by: str  # a user's id
    created_at: int
    expires_at: int | None
    revoked_at: int | None
    uses: int  # how often somebody joined by it

    def is_live(self, *, now: int) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def fact(self) -> dict[str, Any]:
        """The invite as its maker and admins see it; the token is nowhere in it."""
        return {
            "id": self.id,
            "room": self.room_id,
            "created_by": self.created_by,
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            "revoked_at": self.revoked_at,
            "uses": self.uses,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Somebody who joined. `seen_at` is the last request that is known of; it may be half a minute old."""

    id: str
    room_id: str
    invite_id: str
    name: str
    joined_at: int
    seen_at: int | None

    def is_present(self, *, now: int) -> bool:
        return now - max(self.joined_at, self.seen_at or 0) < PRESENT_FOR


def fold(name: str) -> str:
    """A name as it is compared with others."""
    return name.casefold()
