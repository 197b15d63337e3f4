"""Users, their roles and passwords."""

from dataclasses import dataclass
from typing import Any

from pal_server.domain.actors import Actor, Role
from pal_server.errors import Forbidden, Invalid

PASSWORD_MIN = 10  # characters; NIST asks for 8, and length is what counts
PASSWORD_MAX = 1024  # characters; longer ones only cost time


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person in one workspace. The hash of the password is not part of it."""

    id: str
    workspace_id: str
    username: str
    display_name: str
    role: Role
    disabled: bool
    created_at: int

    def fact(self) -> dict[str, Any]:
        """The user as others see it."""
        return {
            "id": self.id,
            "username": self.username,
            "display_name": self.display_name,
            "role": self.role,
            "disabled": self.disabled,
            "created_at": self.created_at,
        }


def parse_password(password: str, *, username: str) -> str:
    """A password that may be used, or `Invalid`. The password itself is in no message."""
    if len(password) < PASSWORD_MIN:
        raise Invalid(f"password has fewer than {PASSWORD_MIN} characters", field="password", minimum=PASSWORD_MIN)
    if len(password) > PASSWORD_MAX:
        raise Invalid(f"password has more than {PASSWORD_MAX} characters", field="password", limit=PASSWORD_MAX)
    if len(set(password)) < 4 or username.lower() in password.lower():
        raise Invalid("password is too easy to guess: avoid the user's name and repeated letters", field="password")
    return password


def parse_role(role: str) -> Role:
    """A role, or `Invalid` naming those there are."""
    try:
        return Role(role)
    except ValueError:
        raise Invalid(f"role is one of {', '.join(Role)}", field="role", value=role) from None


def check_may_give(actor: Actor, role: Role) -> None:
    """Admins give every role but owner, owners every one; nobody else gives any."""
    if not actor.is_at_least(Role.ADMIN):
        raise Forbidden("only an admin or owner gives roles", needs=Role.ADMIN)
    if role is Role.OWNER and not actor.is_at_least(Role.OWNER):
        raise Forbidden("only an owner makes another owner", needs=Role.OWNER)


def check_may_manage(actor: Actor, user: User) -> None:
    """Admins manage everyone but owners, owners everyone."""
    check_may_give(actor, user.role)
