"""What every request and answer shares: strictness, paging and the one error shape."""

from typing import Any

import msgspec


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A body or query sent to the server. Unknown fields are refused by name.

    What equals its default is not sent: a server that does not know a newer field yet understands whoever has no use
    for it.
    """


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A body the server sends. Readers ignore fields they do not know."""


class Problem(Answer, frozen=True, kw_only=True):
    """What went wrong: a closed `code`, a sentence that helps, and facts that carry values."""

    code: str
    message: str
    facts: dict[str, Any] = {}
    request_id: str = ""


class ProblemAnswer(Answer, frozen=True, kw_only=True):
    error: Problem


class Page(Request, frozen=True, kw_only=True):
    """Paging of every list: give `next` of one page back as `after` for the following one."""

    after: str | None = None
    limit: int = 50


class Done(Answer, frozen=True, kw_only=True):
    """Nothing to say but that it is done."""

    ok: bool = True
