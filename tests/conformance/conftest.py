"""Every test here runs on every implementation of its port."""

import pytest

from tests.support.patience import PATIENCE
from tests.support.stores import clock, engine, heard, postgres, store, where

__all__ = ["clock", "engine", "heard", "postgres", "store", "unhurried", "where"]


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection may take long on a busy machine; a test that is about too long says how long."""
    monkeypatch.setattr("pal_server.storage.engines.postgres.CONNECT_FOR", PATIENCE)
    monkeypatch.setattr("pal_server.storage.engines.sqlite.BUSY_FOR", PATIENCE)
