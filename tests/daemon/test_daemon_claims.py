"""Claims: what a lost answer may have given us is asked for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from pal_daemon.claims import Claims
from pal_server.client.problems import ApiProblem, Unreachable, problem_of
from pal_server.contract.deliveries import ClaimDeliveries, ClaimsAnswer


class Server:
    """Loses its first answer; notes what it is asked."""

    def __init__(self, loss: Exception) -> None:
        self.losses = [loss]
        self.asked: list[ClaimDeliveries] = []

    async def claim(self, request: ClaimDeliveries) -> ClaimsAnswer:
        self.asked.append(request)
        if self.losses:
            raise self.losses.pop()
        return ClaimsAnswer(deliveries=[], more=False, now=0)


class Nothing:
    """No run is under way, and there is room."""

    free = 1

    def __iter__(self) -> Any:
        return iter(())


@pytest.mark.parametrize(
    ("loss", "held"),
    [
        pytest.param(Unreachable("no answer in time"), [], id="no answer"),
        pytest.param(problem_of(504, "<html>"), [], id="a proxy was tired of waiting"),
        pytest.param(ApiProblem("conflict", "draining", status=409), None, id="the server said no"),
    ],
)
async def test_what_may_have_been_given_to_us_is_named_as_not_held(loss: Exception, held: list[int] | None) -> None:
    server = Server(loss)
    house = SimpleNamespace(bus=server, settings=SimpleNamespace(legacy_agent=None))
    claims = Claims(cast(Any, house), cast(Any, Nothing()), is_ours=lambda agent, since: True)

    with pytest.raises(type(loss)):
        await claims.step()
    await claims.step()

    assert [request.held for request in server.asked] == [None, held]
