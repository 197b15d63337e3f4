"""Loads the SDK's WebSocket client and nothing else of the SDK.

`import lark_oapi` costs seconds and 150 MB, because its `__init__` loads ten thousand modules of API models, and its
WebSocket client imports the models of all events for a dispatcher that pal does not use. Both are replaced by empty
stand-ins before the client is imported, which leaves some 60 small modules; `requests`, with which it would look its
address up, is kept out as well. That leans on the SDK's layout, so
`pyproject.toml` bounds it to one minor version and `tests/bridges/lark/test_sdk.py` checks what is leaned on.
"""

import importlib.util
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

_PACKAGE = "lark_oapi"
_DISPATCHER = "lark_oapi.event.dispatcher_handler"
_HTTP = "requests"


@contextmanager
def lean() -> Iterator[None]:
    """Import the WebSocket client within this."""
    prepare()
    is_spared = _HTTP not in sys.modules
    if is_spared:
        sys.modules[_HTTP] = ModuleType(_HTTP)
    try:
        yield
    finally:
        if is_spared:
            del sys.modules[_HTTP]  # whoever else needs it gets the real one


def prepare() -> None:
    """Put the stand-ins in place, before anything of the SDK is imported. A second call does nothing.

    Does nothing either when the whole SDK is loaded already: then there is nothing left to save.
    """
    if _PACKAGE in sys.modules:
        return
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("lark-oapi is not installed")
    package = ModuleType(_PACKAGE)
    package.__path__ = list(found.submodule_search_locations)
    dispatcher = ModuleType(_DISPATCHER)
    dispatcher.EventDispatcherHandler = object  # type: ignore[attr-defined]  # named in an annotation, never called
    sys.modules[_PACKAGE] = package
    sys.modules[_DISPATCHER] = dispatcher


def hush() -> None:
    """Take the SDK's logger off standard output, where it also writes addresses that are secrets.

    Call it after the import and after each client is made: both set the level for the whole process.
    """
    logger = logging.getLogger("Lark")
    logger.handlers.clear()
    logger.propagate = False
    logger.setLevel(logging.CRITICAL)
