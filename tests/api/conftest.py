"""Tests here speak HTTP to a real server in this process."""

from tests.support.server import api, clock, server

__all__ = ["api", "clock", "server"]
