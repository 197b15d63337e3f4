"""Which pal this daemon is."""

from importlib.metadata import PackageNotFoundError, version


def own_version() -> str:
    """`0.1.0`; `unknown` when run from a source tree that was not installed."""
    try:
        return version("pal")
    except PackageNotFoundError:
        return "unknown"
