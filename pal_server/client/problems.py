"""What can come of a request besides its answer: the server said no, or it said nothing."""

from collections.abc import Mapping
from typing import Any

PAGE_WAIT = 60.0  # seconds a proxy's page can make us wait; an hour of maintenance may be over in a minute


class ApiProblem(Exception):
    """The server understood and refused. `code` is one of the contract's; `facts` carry values. Without `is_ours` it
    was something on the way that answered, as a proxy does while the server is exchanged.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int,
        facts: Mapping[str, Any] | None = None,
        request_id: str = "",
        retry_after: float | None = None,
        is_ours: bool = True,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.facts: dict[str, Any] = dict(facts or {})
        self.request_id = request_id
        self.retry_after = retry_after  # seconds, where the server named them
        self.is_ours = is_ours


class Unreachable(Exception):
    """No answer: nobody there, a broken connection, or something else that answers. The request may have been
    carried out.
    """


def problem_of(status: int, document: object, *, retry_after: str | None = None) -> ApiProblem:
    """Read the one error shape; anything else that is no success (a proxy's page) is `unavailable` or `invalid`."""
    seconds = _seconds(retry_after)
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict) or not isinstance(error.get("code"), str):
        code = "unavailable" if status >= 500 else "invalid"
        text = f"the answer was HTTP {status} without an explanation"
        soon = None if seconds is None else min(seconds, PAGE_WAIT)
        return ApiProblem(code, text, status=status, retry_after=soon, is_ours=False)
    facts = error.get("facts")
    return ApiProblem(
        error["code"],
        str(error.get("message", "")),
        status=status,
        facts=facts if isinstance(facts, dict) else {},
        request_id=str(error.get("request_id", "")),
        retry_after=seconds,
    )


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else max(0.0, float(text))
    except ValueError:
        return None
