"""A fake bus and daemons, for runtimes with their real programs."""

from tests.support.daemons import bus, settings, start_daemon, unhurried

__all__ = ["bus", "settings", "start_daemon", "unhurried"]
