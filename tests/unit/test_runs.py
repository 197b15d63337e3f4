"""How a run ends, and what that makes of its delivery."""

import pytest

from pal_server.domain.deliveries import FINAL
from pal_server.domain.runs import ENDS, LIVE, Ending, Status, Wanted, clip, delivery_status, end_of, parse_end
from pal_server.errors import Invalid


def test_a_status_is_living_or_an_end() -> None:
    assert set(Status) == LIVE | ENDS
    assert not LIVE & ENDS


@pytest.mark.parametrize("end", sorted(ENDS))
def test_every_end_ends_the_delivery(end: Status) -> None:
    assert delivery_status(end) in FINAL
    assert parse_end(str(end)) is end


@pytest.mark.parametrize("status", [*sorted(LIVE), "fine", ""])
def test_nothing_else_is_an_end(status: str) -> None:
    with pytest.raises(Invalid):
        parse_end(status)


@pytest.mark.parametrize("wanted", [None, *Wanted])
@pytest.mark.parametrize("said", sorted(ENDS))
def test_a_wish_explains_what_looks_like_a_failure(said: Status, wanted: Wanted | None) -> None:
    explained = wanted is not None and said in (Status.FAILED, Status.INTERRUPTED)

    assert end_of(Ending(status=said), wanted=wanted) is (Status.CANCELLED if explained else said)


def test_a_long_text_is_cut_with_a_note() -> None:
    assert clip("short", limit=5, note="[more]") == "short"
    assert clip("a bit longer", limit=6, note="[more]") == "a bit\n\n[more]"
