"""What handlers work with: put together once by the composition root."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pal_server.api.asking import Lines
from pal_server.api.auth import Credentials
from pal_server.api.origins import Origins
from pal_server.api.pace import Pace
from pal_server.api.stream import Tailer
from pal_server.api.terminal_relay import Relays
from pal_server.api.throttle import Throttle
from pal_server.config import Settings
from pal_server.metrics import Metrics
from pal_server.storage.store import Store
from pal_server.wakeups.hub import Hub


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """`readiness` answers what stands in the way of work, empty when nothing does."""

    store: Store
    hub: Hub
    clock: Callable[[], int]
    settings: Settings
    metrics: Metrics
    credentials: Credentials
    origins: Origins
    throttle: Throttle
    pace: Pace  # of comments through share links
    tailer: Tailer
    lines: Lines  # to the daemons that are connected here
    relays: Relays  # what terminals print, for those who watch
    workspace_id: str
    cookie: str  # name of the session cookie, of this server alone
    key: bytes  # of `secret.key`
    url: Callable[[], str]
    api_document: Callable[[], bytes]  # OpenAPI, as JSON
    lifetime: "Lifetime"
    readiness: "Callable[[], Awaitable[Readiness]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    checks: dict[str, str]  # name → "ok" or what is wrong

    @property
    def is_ready(self) -> bool:
        return all(text == "ok" for text in self.checks.values())


STOPPING = "stopping"  # the key that is woken when the server stops


@dataclass(slots=True)
class Lifetime:
    """Written by the composition root; streams read it whenever `STOPPING` is woken."""

    is_stopping: bool = False
