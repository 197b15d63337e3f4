"""A platform of our own, for tests of the core: a world over HTTP that survives what is killed and can do all wrong."""

from .platform import PLATFORM, Loopback
from .world import World, running_world

__all__ = ["PLATFORM", "Loopback", "World", "running_world"]
