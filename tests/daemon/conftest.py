"""Kept runs, a fake bus, and daemons that run inside the test's own loop."""

from tests.support.daemons import bus, settings, start_daemon, unhurried
from tests.support.keepers import gone, runs

__all__ = ["bus", "gone", "runs", "settings", "start_daemon", "unhurried"]
