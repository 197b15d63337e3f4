"""The server's routes as the daemon uses them: one method per thing said, typed, with this daemon's epoch on each.

Raises what the client raises: ApiProblem (the server said no) and Unreachable (it said nothing, or not now). Every
call may be repeated: the server answers a repeat under the same lease as it answered the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO, Protocol, TypeVar

from pal_server.client import retry
from pal_server.client.problems import ApiProblem, Unreachable
from pal_server.contract.agents import (
    Account,
    AccountsAnswer,
    CommandDone,
    ConnectComputer,
    ConnectedAnswer,
    HeartbeatAnswer,
    HeartbeatRequest,
)
from pal_server.contract.base import Done, Request
from pal_server.contract.deliveries import (
    ClaimDeliveries,
    ClaimsAnswer,
    DeliveryAnswer,
    ReleaseDelivery,
    RenewAnswer,
    UnderLease,
)
from pal_server.contract.findings import ReportFindings
from pal_server.contract.runs import (
    AddedAnswer,
    AddRunEvents,
    BindNativeSession,
    FinishRun,
    InteractionAnswer,
    InteractionApplied,
    OpenedAnswer,
    OpenInteraction,
    OpenRun,
    RebuiltAnswer,
    RebuiltPart,
    ReportPid,
    RunAnswer,
    RunState,
    SessionAnswer,
)

__all__ = [
    "ApiProblem",
    "Bus",
    "Caller",
    "Unreachable",
    "is_lease_lost",
    "is_shut_out",
    "is_struck_off",
    "is_worth_repeating",
]

T = TypeVar("T")
EPOCH = "X-Pal-Epoch"
ABOUT_THE_REQUEST = frozenset((400, 413, 414, 431))  # what a proxy says of one that is wrong or too large


class Caller(Protocol):
    """One request and its answer; `pal_server.client.aio.Client` is one."""

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Request | None = None,
        query: Mapping[str, object] | None = None,
        answer: type[T],
        headers: Mapping[str, str] | None = None,
    ) -> T: ...

    async def download_into(self, into: BinaryIO, path: str) -> None: ...


class Bus:
    """Everything the daemon says to the server over HTTP."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self.epoch: int | None = None  # written by `connect` only

    @property
    def headers(self) -> dict[str, str]:
        """What goes with every request of this daemon, the WebSocket's too."""
        return {} if self.epoch is None else {EPOCH: str(self.epoch)}

    async def connect(self, request: ConnectComputer) -> ConnectedAnswer:
        """Begin, or begin again: the answer's epoch is this daemon's from now on."""
        answer = await self._caller.call("POST", "/api/computers/connect", body=request, answer=ConnectedAnswer)
        self.epoch = answer.epoch
        return answer

    async def heartbeat(self, computer: str, request: HeartbeatRequest) -> HeartbeatAnswer:
        return await self._post(f"/api/computers/{computer}/heartbeat", request, HeartbeatAnswer)

    async def command_done(self, computer: str, command: int, *, ok: bool, detail: str = "") -> None:
        await self._post(f"/api/computers/{computer}/commands/{command}/done", CommandDone(ok=ok, detail=detail), Done)

    async def accounts(self) -> list[Account]:
        """Those of this computer, with the values of their variables."""
        found: list[Account] = []
        after: str | None = None
        while True:
            page = await self._caller.call(
                "GET", "/api/accounts", query={"limit": 200, "after": after}, answer=AccountsAnswer
            )
            found += page.accounts
            if page.next is None:
                return found
            after = page.next

    async def report_findings(self, computer: str, request: ReportFindings) -> None:
        await self._post(f"/api/computers/{computer}/findings", request, Done)

    async def claim(self, request: ClaimDeliveries) -> ClaimsAnswer:
        return await self._post("/api/deliveries/claim", request, ClaimsAnswer)

    async def download(self, file: str, into: BinaryIO) -> None:
        """The content of a file, from the beginning of `into` on."""
        await self._caller.download_into(into, f"/f/{file}")

    async def renew(self, delivery: int, lease: UnderLease) -> RenewAnswer:
        return await self._post(f"/api/deliveries/{delivery}/renew", lease, RenewAnswer)

    async def release(self, delivery: int, request: ReleaseDelivery) -> None:
        await self._post(f"/api/deliveries/{delivery}/release", request, DeliveryAnswer)

    async def open_run(self, request: OpenRun) -> OpenedAnswer:
        return await self._post("/api/runs", request, OpenedAnswer)

    async def report_pid(self, run: int, request: ReportPid) -> None:
        await self._post(f"/api/runs/{run}/pid", request, RunAnswer)

    async def report_state(self, run: int, request: RunState) -> None:
        await self._post(f"/api/runs/{run}/state", request, RunAnswer)

    async def add_events(self, run: int, request: AddRunEvents) -> AddedAnswer:
        return await self._post(f"/api/runs/{run}/events", request, AddedAnswer)

    async def hand_in(self, run: int, part: RebuiltPart) -> RebuiltAnswer:
        return await self._post(f"/api/runs/{run}/rebuilt", part, RebuiltAnswer)

    async def finish(self, run: int, request: FinishRun) -> None:
        await self._post(f"/api/runs/{run}/finish", request, RunAnswer)

    async def open_interaction(self, run: int, request: OpenInteraction) -> InteractionAnswer:
        return await self._post(f"/api/runs/{run}/interactions", request, InteractionAnswer)

    async def interaction_applied(self, interaction: int, request: InteractionApplied) -> None:
        await self._post(f"/api/interactions/{interaction}/applied", request, InteractionAnswer)

    async def bind_session(self, session: str, request: BindNativeSession) -> None:
        await self._post(f"/api/sessions/{session}/runtime-session", request, SessionAnswer)

    async def _post(self, path: str, body: Request, answer: type[T]) -> T:
        return await self._caller.call("POST", path, body=body, answer=answer, headers=self.headers)


def is_worth_repeating(error: BaseException) -> bool:
    """Whether the same request may succeed later, of a server that has answered before: what a proxy says in its place
    passes, unless it is about the request itself.
    """
    if retry.is_worth_repeating(error):
        return True
    return isinstance(error, ApiProblem) and not error.is_ours and error.status not in ABOUT_THE_REQUEST


def is_lease_lost(error: Exception) -> bool:
    """Somebody else owns the attempt: stop, and say nothing more."""
    return isinstance(error, ApiProblem) and error.code == "lease_lost"


def is_struck_off(error: Exception) -> bool:
    """Our computer was revoked, and not only given a new key: nobody may run agents on it any more."""
    return isinstance(error, ApiProblem) and error.code == "unauthenticated" and error.facts.get("reason") == "revoked"


def is_shut_out(error: Exception) -> bool:
    """Nothing this daemon says will be heard: its key is no longer good, or another daemon has taken over."""
    if not isinstance(error, ApiProblem):
        return False
    return error.code == "unauthenticated" or (error.code == "conflict" and "epoch" in error.facts)
