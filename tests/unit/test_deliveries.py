"""The rules of one delivery, transition by transition."""

from dataclasses import replace
from typing import Any

import pytest

from pal_server.domain import deliveries as rules
from pal_server.domain.addressing import Reason
from pal_server.domain.deliveries import FINAL, POLICY, RETRYABLE, Delivery, Status
from pal_server.errors import AlreadyClaimed, Conflict, LeaseLost

NOW = 1_000_000
LEASE: dict[str, Any] = {"lease_id": "lease_1", "fence": 1}


def delivery(**changes: Any) -> Delivery:
    fresh = Delivery(
        id=1,
        workspace_id="w",
        room_id="room_1",
        topic_id=1,
        message_id=1,
        agent="bot",
        reason=Reason.MENTION,
        status=Status.PENDING,
        waits=False,
        attempts=0,
        max_attempts=POLICY.max_attempts,
        not_before=0,
        lease_id=None,
        lease_until=None,
        fence=0,
        started=False,
        computer_id=None,
        run_id=None,
        fresh=False,
        chain_id=1,
        hop=0,
        error=None,
        created_at=0,
        updated_at=0,
    )
    return replace(fresh, **changes)


def claimed(**changes: Any) -> Delivery:
    return replace(rules.claim(delivery(), lease_id="lease_1", computer_id="box", now=NOW), **changes)


def started(**changes: Any) -> Delivery:
    return replace(rules.start(claimed(), run_id=7, now=NOW, **LEASE), **changes)


def test_a_claim_counts_an_attempt_and_raises_the_fence() -> None:
    first = claimed()

    assert (first.status, first.attempts, first.fence, first.computer_id) == (Status.CLAIMED, 1, 1, "box")
    assert first.lease_until == NOW + POLICY.lease_for


@pytest.mark.parametrize(
    ("state", "error"),
    [
        (claimed(), AlreadyClaimed),
        (delivery(waits=True), Conflict),
        *((delivery(status=status), Conflict) for status in sorted(FINAL)),
    ],
)
def test_what_cannot_be_claimed(state: Delivery, error: type[Exception]) -> None:
    with pytest.raises(error):
        rules.claim(state, lease_id="lease_2", computer_id="box", now=NOW)


@pytest.mark.parametrize("wrong", [{"lease_id": "lease_2"}, {"fence": 0}, {"fence": 2}])
def test_every_write_needs_the_newest_lease(wrong: dict[str, Any]) -> None:
    lease = {**LEASE, **wrong}

    for act in (
        lambda: rules.renew(claimed(), now=NOW, **lease),
        lambda: rules.start(claimed(), run_id=1, now=NOW, **lease),
        lambda: rules.release(claimed(), now=NOW, **lease),
        lambda: rules.settle(started(), outcome=Status.ACKED, error=None, now=NOW, **lease),
        lambda: rules.put_back(started(), now=NOW, **lease),
    ):
        with pytest.raises(LeaseLost):
            act()


def test_a_lease_holds_to_its_last_millisecond_and_no_longer() -> None:
    until = NOW + POLICY.lease_for

    assert rules.renew(claimed(), now=until, **LEASE).lease_until == until + POLICY.lease_for
    with pytest.raises(LeaseLost):
        rules.renew(claimed(), now=until + 1, **LEASE)
    assert rules.expire(claimed(), now=until) == claimed()
    assert rules.expire(claimed(), now=until + 1).status is Status.PENDING


def test_a_started_attempt_is_lost_to_no_clock() -> None:
    late = NOW + 1_000 * POLICY.lease_for

    assert rules.expire(started(), now=late) == started()
    assert rules.settle(started(), outcome=Status.ACKED, error=None, now=late, **LEASE).status is Status.ACKED


def test_the_last_attempt_that_is_taken_back_is_dead() -> None:
    spent = claimed(attempts=POLICY.max_attempts)
    late = NOW + POLICY.lease_for + 1

    assert rules.expire(spent, now=late).status is Status.DEAD
    assert rules.release(spent, now=NOW, **LEASE).status is Status.DEAD
    assert rules.release(spent, now=NOW, burn_attempt=False, **LEASE).status is Status.PENDING


def test_handing_back_forgets_the_lease_and_keeps_the_fence() -> None:
    back = rules.release(claimed(), now=NOW, delay_for=5, reason="later", **LEASE)

    assert (back.lease_id, back.lease_until, back.fence, back.not_before, back.error) == (
        None,
        None,
        1,
        NOW + 5,
        "later",
    )
    assert rules.claim(back, lease_id="lease_2", computer_id="box", now=NOW).fence == 2


def test_what_has_started_is_finished_not_handed_back() -> None:
    with pytest.raises(Conflict):
        rules.release(started(), now=NOW, **LEASE)


def test_the_lease_stays_at_the_end_so_that_a_repeat_is_known() -> None:
    done = rules.settle(started(), outcome=Status.FAILED, error="no", now=NOW, **LEASE)

    assert done.is_held_under(**LEASE)
    assert (done.started, done.error) == (False, "no")


def test_putting_back_begins_anew_ahead_of_the_lane() -> None:
    again = rules.put_back(started(), now=NOW, **LEASE)

    assert (again.status, again.waits, again.attempts, again.lease_id, again.run_id) == (
        Status.PENDING,
        False,
        0,
        None,
        7,
    )


@pytest.mark.parametrize("status", sorted(Status))
def test_only_what_waits_is_cancelled(status: Status) -> None:
    if status in (Status.PENDING, Status.CANCELLED):
        assert rules.cancel(delivery(status=status), now=NOW).status is Status.CANCELLED
    else:
        with pytest.raises(Conflict):
            rules.cancel(claimed() if status is Status.CLAIMED else delivery(status=status), now=NOW)


def test_what_is_withdrawn_before_the_start_has_no_lease_left() -> None:
    gone = rules.withdraw(claimed(), now=NOW)

    assert (gone.status, gone.lease_id) == (Status.CANCELLED, None)
    with pytest.raises(LeaseLost):
        rules.start(gone, run_id=1, now=NOW, **LEASE)
    with pytest.raises(Conflict):
        rules.withdraw(started(), now=NOW)


@pytest.mark.parametrize("status", sorted(Status))
@pytest.mark.parametrize("any_end", [False, True])
def test_what_a_person_may_have_done_again(status: Status, any_end: bool) -> None:
    if status in RETRYABLE or (any_end and status in FINAL):
        again = rules.retry(
            delivery(status=status, attempts=5), fresh=True, lane_is_open=True, now=NOW, any_end=any_end
        )
        assert (again.status, again.waits, again.attempts, again.fresh) == (Status.PENDING, True, 0, True)
    else:
        with pytest.raises(Conflict):
            rules.retry(delivery(status=status), fresh=True, lane_is_open=False, now=NOW, any_end=any_end)


def test_others_do_not_see_the_lease() -> None:
    assert "lease_1" not in str(claimed().fact())
