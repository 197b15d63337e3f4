"""What several handlers do with a body's fields."""

from typing import TypeVar

import msgspec

from pal_server.domain.keep import KEEP, Keep

T = TypeVar("T")


def keep(value: T | msgspec.UnsetType, /) -> T | Keep:
    """A field nobody named stays as it is."""
    return KEEP if isinstance(value, msgspec.UnsetType) else value


def or_none(value: T | msgspec.UnsetType, /) -> T | None:
    """None for a field nobody named, where None is no value of its own."""
    return None if isinstance(value, msgspec.UnsetType) else value
