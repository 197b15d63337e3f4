"""Exit codes, and which one each failure means."""

DONE = 0
BUG = 1  # a bug of ours, or a run that failed
USAGE = 2  # wrong usage or an invalid request
REFUSED = 3  # not known, not allowed, not found, conflict
TRY_AGAIN = 4  # unreachable or busy: worth another try

_BY_CODE = {
    "invalid": USAGE,
    "too_large": USAGE,
    "unauthenticated": REFUSED,
    "forbidden": REFUSED,
    "not_found": REFUSED,
    "conflict": REFUSED,
    "already_exists": REFUSED,
    "already_claimed": REFUSED,
    "lease_lost": REFUSED,
    "rate_limited": TRY_AGAIN,
    "unavailable": TRY_AGAIN,
}


class WrongUsage(Exception):
    """The command cannot be done as it was written; the message names the field and the remedy."""


class Declined(Exception):
    """The person at the terminal said no."""


def exit_code(code: str, status: int) -> int:
    """The exit code for an error the server told of; a code we do not know goes by its HTTP status."""
    if code in _BY_CODE:
        return _BY_CODE[code]
    if status in (400, 413, 415, 422):
        return USAGE
    if status in (429, 502, 503, 504):
        return TRY_AGAIN
    return BUG if status >= 500 else REFUSED
