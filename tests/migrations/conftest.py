"""Migrations are tried on both engines."""

from tests.support.stores import clock, engine, heard, postgres, store, where

__all__ = ["clock", "engine", "heard", "postgres", "store", "where"]
