"""What the platform's codes mean for a send, and how fast it may be written to."""

import pytest

from pal_server.bridges.inbound import Place, PlaceKind
from pal_server.bridges.lark.errors import Answer, outcome, reason
from pal_server.bridges.lark.limits import charges
from pal_server.bridges.outbound import Doubtful, EditText, Limited, Outgoing, PostText, React, Refused, Unsent, Why

PLACE = Place(chat="oc_1", kind=PlaceKind.GROUP)


def meaning(code: int | None, *, status: int = 400, msg: str = "", reset: float | None = None) -> object:
    return outcome(Answer(status=status, code=code, msg=msg, reset=reset), app="app:a", here="chat:c")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (10014, Why.CREDENTIALS),
        (99991672, Why.SCOPE),
        (99991661, Why.INVALID),
        (230001, Why.INVALID),
        (230002, Why.CLOSED),
        (230006, Why.SCOPE),
        (230011, Why.GONE),
        (230110, Why.GONE),
        (230013, Why.SCOPE),
        (230025, Why.TOO_LONG),
        (230071, Why.TOO_LATE),
        (230072, Why.TOO_LATE),
        (230075, Why.TOO_LATE),
        (230099, Why.CARD),
        (99992361, Why.INVALID),
        (231001, Why.INVALID),
        (231003, Why.GONE),
        (234001, Why.INVALID),
        (234006, Why.TOO_LONG),
        (424242, Why.INVALID),
    ],
)
def test_a_refusal_says_what_can_be_done(code: int, why: Why) -> None:
    found = meaning(code, msg="No.")

    assert isinstance(found, Refused)
    assert found.why is why
    assert str(code) in found.reason


@pytest.mark.parametrize(
    ("code", "status", "bucket"),
    [
        (99991400, 429, "app:a"),
        (99991400, 400, "app:a"),
        (11020, 400, "app:a"),
        (230020, 400, "chat:c"),
        (None, 429, "app:a"),
    ],
)
def test_too_fast_waits_as_long_as_the_platform_says(code: int | None, status: int, bucket: str) -> None:
    assert meaning(code, status=status, reset=7.0) == Limited(after=7.0, bucket=bucket)
    assert meaning(code, status=status) == Limited(after=1.0, bucket=bucket)


@pytest.mark.parametrize("code", [99991663, 99991664, 99991665, 99991668])
def test_a_token_that_is_not_taken_is_certainly_nothing(code: int) -> None:
    assert isinstance(meaning(code), Unsent)


def test_a_used_up_month_waits_longer() -> None:
    found = meaning(99991403)

    assert isinstance(found, Limited)
    assert found.after >= 60


@pytest.mark.parametrize(("code", "status"), [(None, 502), (None, 200), (2200, 500), (1, 503)])
def test_an_answer_that_is_none_leaves_doubt(code: int | None, status: int) -> None:
    assert isinstance(meaning(code, status=status), Doubtful)


def test_a_missing_scope_is_named() -> None:
    msg = "Access denied. One of the following scopes is required: [im:message:send_as_bot, im:message]."

    said = reason(Answer(status=400, code=99991672, msg=msg))

    assert said.endswith("the app needs the scope im:message:send_as_bot, im:message")


@pytest.mark.parametrize(
    ("out", "bucket"),
    [
        (PostText(key="k", place=PLACE, text="x"), "chat:oc_1"),
        (EditText(key="k", place=PLACE, ref="om_1", text="x"), "message:om_1"),
    ],
)
def test_no_second_holds_more_than_the_platform_lets_through(out: Outgoing, bucket: str) -> None:
    by_name = {charge.bucket: charge for charge in charges("cli_a", out)}

    assert by_name[bucket].per_second + by_name[bucket].burst <= 5
    app, minute = by_name["app:cli_a"], by_name["app:cli_a:minute"]
    assert app.per_second + app.burst <= 50
    assert minute.per_second * 60 + minute.burst <= 1000


def test_two_bots_share_the_limit_of_a_chat_and_not_that_of_an_app() -> None:
    out = PostText(key="k", place=PLACE, text="x")

    one, other = ({charge.bucket for charge in charges(app, out)} for app in ("cli_a", "cli_b"))

    assert one & other == {"chat:oc_1"}


def test_a_reaction_counts_against_the_app_alone() -> None:
    react = React(key="k", place=PLACE, message="om_1", emoji="Typing")

    assert all(charge.bucket.startswith("app:") for charge in charges("cli_a", react))
