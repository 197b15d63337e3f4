"""Platforms by name. Loading one imports its package, and with that nothing heavier than it chooses to."""

import importlib
from importlib.metadata import entry_points

from .platform import Platform

NAMES = ("lark", "slack", "dingtalk")
GROUP = "pal.platforms"  # entry points of other packages: name → an object that is a Platform


class UnknownPlatform(Exception):
    """No platform of this name is here."""


def load(name: str) -> Platform:
    """The platform of that name; `UnknownPlatform` when there is none."""
    for point in entry_points(group=GROUP, name=name):
        found: Platform = point.load()
        return found
    if name not in NAMES:
        raise UnknownPlatform(f'no platform is called "{name}"; there are {", ".join(NAMES)}')
    try:
        package = importlib.import_module(f"{__package__}.{name}")
    except ModuleNotFoundError as error:
        raise UnknownPlatform(f'the platform "{name}" is not installed: {error}') from error
    platform: Platform = package.PLATFORM
    return platform
