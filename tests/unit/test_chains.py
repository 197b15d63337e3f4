"""How far agents may go on by themselves."""

from pal_server.domain.chains import DELIVERY_LIMIT, HOP_LIMIT, Chain, end, let_go_on, stopped_by

FRESH = Chain(id=1, hop_limit=HOP_LIMIT, delivery_limit=DELIVERY_LIMIT, deliveries=0)


def test_the_eighth_hop_is_the_first_that_stops() -> None:
    assert HOP_LIMIT == 8
    assert stopped_by(FRESH, hop=7, more=1) is None
    assert stopped_by(FRESH, hop=8, more=1) is not None


def test_a_fan_out_stops_as_a_long_chain_does() -> None:
    assert stopped_by(FRESH, hop=1, more=DELIVERY_LIMIT) is None
    assert stopped_by(FRESH, hop=1, more=DELIVERY_LIMIT + 1) is not None


def test_going_on_is_for_as_much_again() -> None:
    further = let_go_on(FRESH)

    assert stopped_by(further, hop=15, more=2 * DELIVERY_LIMIT) is None
    assert stopped_by(further, hop=16, more=1) is not None


def test_what_a_person_ended_stays_ended() -> None:
    assert (FRESH.is_ended, end(FRESH).is_ended) == (False, True)
    assert stopped_by(end(FRESH), hop=1, more=1) is not None
