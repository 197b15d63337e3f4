"""Pages of lists: `next` of one goes back as `after` for the following one, and is null on the last."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pal_server.errors import Invalid

LIMIT = 200  # things on one page; more is cut to this

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    items: tuple[T, ...]
    next: str | None


def parse_limit(limit: int) -> int:
    """How many things a page may hold, or `Invalid` for no positive number."""
    if limit < 1:
        raise Invalid("limit is a positive number", field="limit", value=limit)
    return min(limit, LIMIT)


def parse_after(after: str | None) -> int | None:
    """A cursor that is a number, or `Invalid`."""
    if after is None:
        return None
    if not after.isascii() or not after.isdigit() or len(after) > 18:
        raise Invalid("after is the `next` of an earlier page", field="after")
    return int(after)


def page_of(found: Sequence[T], *, limit: int, cursor: Callable[[T], str]) -> Page[T]:
    """The page of `found`, which holds one thing more than `limit` when there are more."""
    items = tuple(found[:limit])
    return Page(items=items, next=cursor(items[-1]) if len(found) > limit else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page of things in order of their making begins: behind this one."""

    at: int
    id: str


OLDEST = Place(at=-1, id="")
NEWEST = Place(at=2**62, id="")


def render_place(at: int, id: str) -> str:
    return f"{at}.{id}"


def parse_place(after: str | None, *, default: Place) -> Place:
    """The cursor `render_place` made, or `Invalid`."""
    if after is None:
        return default
    at, dot, name = after.partition(".")
    if not dot or not at.isascii() or not at.isdigit() or len(at) > 18 or "\0" in name:
        raise Invalid("after is the `next` of an earlier page", field="after")
    return Place(at=int(at), id=name)
