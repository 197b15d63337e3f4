"""The two databases pal knows. An engine runs actions and queries; what they may rely on is said in
`storage/store.py`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from pal_server.storage.tx import EngineName


class Engine(Protocol):
    """An open database. Used from one event loop."""

    @property
    def name(self) -> EngineName: ...

    async def write(self, action: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], /) -> Any:
        """Run `action(tx, *args, **kwargs)` and return its result once it is committed."""

    async def read(self, query: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], /) -> Any:
        """Run `query(tx, *args, **kwargs)` on one snapshot."""

    async def close(self) -> None:
        """Finish what was accepted, refuse the rest, let go of every connection and thread. A second call waits
        for the first.
        """
