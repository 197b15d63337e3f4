"""Every test here runs on every implementation of its port."""

from tests.support.stores import clock, engine, heard, postgres, store, where

__all__ = ["clock", "engine", "heard", "postgres", "store", "where"]
