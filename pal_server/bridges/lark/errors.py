"""What an answer of the API means for a send. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pal_server.bridges.outbound import Doubtful, Limited, Outcome, Refused, Unsent, Why

TOKEN_CODES = frozenset({99991663, 99991664, 99991665, 99991668})  # the token is no more: fetch another, once
TOO_FAST = frozenset({99991400, 11020, 11021})  # the app as a whole
TOO_FAST_HERE = 230020  # one chat or one message
USED_UP = 99991403  # the month's calls of a tenant that does not pay
LATER = 1.0  # seconds to wait when the platform names no time
MUCH_LATER = 600.0  # seconds; a used up month is over when somebody pays or a month begins

WHY: Mapping[int, Why] = {
    10003: Why.CREDENTIALS,
    10014: Why.CREDENTIALS,
    99991672: Why.SCOPE,
    99991679: Why.SCOPE,
    230002: Why.CLOSED,
    230006: Why.SCOPE,  # the app has no bot
    230013: Why.SCOPE,  # the person may not use the app
    230011: Why.GONE,
    230110: Why.GONE,
    231003: Why.GONE,
    230025: Why.TOO_LONG,
    234006: Why.TOO_LONG,
    230031: Why.TOO_LATE,
    230071: Why.TOO_LATE,
    230072: Why.TOO_LATE,
    230075: Why.TOO_LATE,
    230099: Why.CARD,
}
_ADVICE: Mapping[int, str] = {
    230006: "switch the bot on in the app's settings",
    230013: "let this person use the app: availability, in the version of the app",
    231001: "Lark knows no such reaction; its names are case-sensitive",
    99992361: "this open_id belongs to another app",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. `code` is None when the body was not the platform's JSON (a proxy's page)."""

    status: int
    code: int | None
    msg: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    reset: float | None = None  # seconds, of x-ogw-ratelimit-reset

    @property
    def is_good(self) -> bool:
        return self.code == 0 and self.status < 400


def outcome(answer: Answer, *, app: str, here: str) -> Outcome:
    """What became of a send that was not good. `app` and `here` name the buckets of the app and of the place."""
    if answer.code == TOO_FAST_HERE:
        return Limited(after=answer.reset or LATER, bucket=here)
    if answer.code in TOO_FAST or answer.status == 429:
        return Limited(after=answer.reset or LATER, bucket=app)
    if answer.code in TOKEN_CODES:
        return Unsent(reason=reason(answer))  # a token just fetched: a refused app would not have got one
    if answer.code == USED_UP:
        return Limited(after=MUCH_LATER, bucket=app)
    if answer.code is None or (answer.status >= 500 and answer.code not in WHY):
        return Doubtful(reason=reason(answer))  # it may have been sent before something behind it failed
    return Refused(why=WHY.get(answer.code, Why.INVALID), reason=reason(answer))


def reason(answer: Answer) -> str:
    """For a person: the platform's own words, its code, and what helps where we know it."""
    if answer.code is None:
        return f"Lark answered HTTP {answer.status} without JSON"
    scope = re.search(r"\[([\w:., -]+)\]", answer.msg) if WHY.get(answer.code) is Why.SCOPE else None
    advice = f"; the app needs the scope {scope.group(1)}" if scope else ""
    if answer.code in _ADVICE:
        advice = f"; {_ADVICE[answer.code]}"
    return f"{answer.msg.strip().rstrip('.')[:300]} (Lark {answer.code}){advice}"
