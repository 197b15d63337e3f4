"""What can go wrong in pal, each with its closed code.

A `PalError` is raised where it happens, with a sentence that helps and facts that carry values. HTTP status and exit
code are tables at the edges. Codes are part of the contract: never renamed, never reused. No message and no fact
holds a secret.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar


class PalError(Exception):
    """The root; only its leaves are raised. `facts` are plain JSON values (ids, numbers, short strings)."""

    code: ClassVar[str]

    def __init__(self, message: str, /, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class Invalid(PalError):
    """The request says something that cannot be."""

    code = "invalid"


class Unauthenticated(PalError):
    """No credential, or one nobody knows."""

    code = "unauthenticated"


class Forbidden(PalError):
    """The actor may know of the thing and may not do this with it."""

    code = "forbidden"


class NotFound(PalError):
    """Missing, or nothing the actor may know of: the two look alike."""

    code = "not_found"


class Conflict(PalError):
    """The thing is in a state that does not allow this."""

    code = "conflict"


class AlreadyExists(Conflict):
    """Another thing has this name or key."""

    code = "already_exists"


class AlreadyClaimed(Conflict):
    """Somebody else holds it."""

    code = "already_claimed"


class LeaseLost(Conflict):
    """The lease, or its fence, is no longer the caller's. Stop, and say nothing more."""

    code = "lease_lost"


class TooLarge(PalError):
    """More bytes, rows or characters than the limit named in the facts."""

    code = "too_large"


class RateLimited(PalError):
    """Too often; `retry_after` is in seconds."""

    code = "rate_limited"

    def __init__(self, message: str, /, *, retry_after: float, **facts: object) -> None:
        super().__init__(message, retry_after=retry_after, **facts)
        self.retry_after = retry_after


class Unavailable(PalError):
    """Not now: nothing was written, the same request may be sent again."""

    code = "unavailable"


@contextmanager
def about(what: str) -> Iterator[None]:
    """What goes wrong inside says first which of several things it is about."""
    try:
        yield
    except PalError as error:
        raise type(error)(f"{what}: {error.message}", **error.facts) from error
