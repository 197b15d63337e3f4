"""Errors as the wire says them: one shape, one table of statuses."""

import re
from typing import Literal, get_args, get_origin, get_type_hints

import msgspec

from pal_server.api.routing import MethodNotAllowed
from pal_server.contract.base import Problem, ProblemAnswer
from pal_server.errors import Invalid, PalError, RateLimited

STATUSES = {
    "invalid": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "already_exists": 409,
    "already_claimed": 409,
    "lease_lost": 409,
    "too_large": 413,
    "rate_limited": 429,
    "internal": 500,  # a bug of pal, never anything else
    "unavailable": 503,
}

_encode = msgspec.json.Encoder(enc_hook=str).encode


def present_problem(error: PalError, /, *, request_id: str) -> tuple[int, bytes, dict[str, str]]:
    """Status, body and headers of an error."""
    headers: dict[str, str] = {}
    status = STATUSES[error.code]
    if isinstance(error, MethodNotAllowed):
        status, headers["Allow"] = 405, error.allowed
    elif isinstance(error, RateLimited):
        headers["Retry-After"] = str(max(1, round(error.retry_after + 0.5)))
    elif status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    elif status == 503:
        headers["Retry-After"] = "1"
    problem = Problem(code=error.code, message=error.message, facts=error.facts, request_id=request_id)
    return status, _encode(ProblemAnswer(error=problem)), headers


def present_bug(*, request_id: str) -> tuple[int, bytes, dict[str, str]]:
    """What a client learns of an error nobody planned for: only how to find it in the log."""
    problem = Problem(
        code="internal", message="pal failed at this; its log says more under the request id.", request_id=request_id
    )
    return STATUSES["internal"], _encode(ProblemAnswer(error=problem)), {}


def invalid_by_check(error: msgspec.ValidationError, /, *, place: str, kind: type[msgspec.Struct]) -> Invalid:
    """Say which field of `place` ("body" or "query"), a `kind`, is wrong, with names and never with values."""
    text = str(error)
    what, _, path = text.partition(" - at `")
    field = path.rstrip("`").removeprefix("$").lstrip(".")
    if unknown := _UNKNOWN.search(what):
        field = f"{field}.{unknown[1]}" if field else unknown[1]
        return Invalid(f"{field} is not a field of the {place}.", field=field)
    if missing := _MISSING.search(what):
        field = f"{field}.{missing[1]}" if field else missing[1]
        return Invalid(f"{field} is missing in the {place}.", field=field)
    if "enum value" in what and (words := _words_of(kind, field)):
        return Invalid(f"{field} is one of: {', '.join(words)}.", field=field)
    if not field:
        return Invalid(f"The {place} is not right: {what}.", field=place)
    return Invalid(f"{field} is not right: {what}.", field=field)


def _words_of(kind: type[msgspec.Struct], field: str) -> list[str]:
    """The words a field may hold; empty for a field that is not a closed set, or not of `kind` itself."""
    hint = get_type_hints(kind).get(field)
    sets = [part for part in (hint, *get_args(hint)) if get_origin(part) is Literal]
    return [str(word) for closed in sets for word in get_args(closed)]


_UNKNOWN = re.compile(r"unknown field `(.*)`")
_MISSING = re.compile(r"missing required field `(.*)`")
