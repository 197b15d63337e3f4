"""Share links: one thing, shown to whoever has the link, for as long as it is good."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pal_server.errors import Invalid


class ShareKind(StrEnum):
    """What a link shows."""

    TOPIC = "topic"
    ROOM = "room"  # with all its topics
    FILE = "file"
    RUN = "run"


class Rights(StrEnum):
    VIEW = "view"
    COMMENT = "comment"  # say something there, as a guest


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """`target` is the id of what it shows, as text; `created_by` the user whose eyes it lends."""

    id: str
    workspace_id: str
    kind: ShareKind
    target: str
    rights: Rights
    may_trigger: bool  # a comment may call agents
    created_by: str
    created_at: int
    expires_at: int | None
    revoked_at: int | None
    uses: int  # how often it was opened
    last_used_at: int | None

    def is_live(self, *, now: int) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def fact(self) -> dict[str, Any]:
        """The link as its maker and admins see it; the token is nowhere in it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "target": self.target,
            "rights": self.rights,
            "may_trigger": self.may_trigger,
            "created_by": self.created_by,
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            "revoked_at": self.revoked_at,
            "uses": self.uses,
            "last_used_at": self.last_used_at,
        }


def parse_rights(rights: str, *, kind: ShareKind, may_trigger: bool) -> Rights:
    """What a link may allow, or `Invalid`: comments go where there is a conversation, and only they call agents."""
    given = Rights(rights)
    if given is Rights.COMMENT and kind not in (ShareKind.TOPIC, ShareKind.ROOM):
        raise Invalid(f"a {kind} is no place for comments: share its topic for that", field="rights", kind=kind)
    if may_trigger and given is not Rights.COMMENT:
        raise Invalid("only comments can call agents: rights is then comment", field="may_trigger")
    return given
