"""The audit log: each entry is chained to the one before by an HMAC, so that a changed or missing entry shows.

The key lies in a file outside the database: who can write the database alone cannot forge the chain. What was cut off
at the end shows only to somebody who noted the head.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

START = "0" * 64  # the hash before the first entry


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    id: int
    workspace_id: str
    at: int
    actor: str
    action: str
    target: str
    detail: dict[str, Any]
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """`head` is the hash of the newest entry; note it elsewhere to notice later that entries were cut off."""

    ok: bool
    entries: int
    first_changed: int | None
    head: str


def render_detail(detail: dict[str, Any]) -> str:
    """The stored form, the same for equal content."""
    return json.dumps(detail, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def link(
    key: bytes, *, previous: str, workspace_id: str, at: int, actor: str, action: str, target: str, detail: str
) -> str:
    """The hash of an entry; `detail` is the stored text."""
    content = json.dumps(
        [previous, workspace_id, at, actor, action, target, detail], ensure_ascii=False, separators=(",", ":")
    )
    return hmac.new(key, content.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
