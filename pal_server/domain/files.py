"""Files: artifacts of runs and attachments of messages. The bytes lie beside the database under their hash."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from pal_server.errors import Invalid, TooLarge

SIZE_LIMIT = 64 * 1024 * 1024  # bytes of one file, unless the server is configured otherwise
NAME_LIMIT = 200  # bytes in UTF-8; file systems end at 255
TITLE_LIMIT = 200  # characters
TTL_MAX = 10 * 365 * 24 * 3600  # seconds

_MIME = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,127}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    id: str
    workspace_id: str
    name: str
    title: str
    mime: str
    size: int  # bytes
    sha256: str
    room: str | None  # None: for the whole workspace
    run: int | None
    created_by: str
    created_at: int
    expires_at: int | None
    revoked_at: int | None

    @property
    def url(self) -> str:
        """Path of the file on its server."""
        return f"/f/{self.id}"

    def is_live(self, *, now: int) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def fact(self) -> dict[str, Any]:
        """The file as others see it."""
        return {
            "id": self.id,
            "name": self.name,
            "title": self.title,
            "mime": self.mime,
            "size": self.size,
            "sha256": self.sha256,
            "url": self.url,
            "room": self.room,
            "run": self.run,
            "made_by": self.created_by,
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            "revoked_at": self.revoked_at,
        }


def safe_name(name: str) -> str:
    """The last part of a path, without what could hide or break something where it is shown or saved. Never empty."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    shown = "".join(c for c in last if unicodedata.category(c)[0] != "C" and c not in '<>:"|?*').strip(" .")
    if len(shown.encode()) > NAME_LIMIT:
        stem, dot, suffix = shown.rpartition(".")
        ending = dot + suffix if stem and len(suffix.encode()) <= 20 else ""
        stem = shown.removesuffix(ending) if ending else shown
        shown = stem.encode()[: NAME_LIMIT - len(ending.encode())].decode(errors="ignore") + ending
    return shown or "file"


def parse_mime(mime: str) -> str:
    """A media type without parameters, or `Invalid`."""
    plain = mime.partition(";")[0].strip().lower()
    if not _MIME.fullmatch(plain):
        raise Invalid("mime is a media type as text/html", field="mime")
    return plain


def parse_title(title: str) -> str:
    title = " ".join(title.split())
    if len(title) > TITLE_LIMIT:
        raise Invalid(f"title has more than {TITLE_LIMIT} characters", field="title", limit=TITLE_LIMIT)
    return title


def parse_size(size: int, *, limit: int = SIZE_LIMIT) -> int:
    """A number of bytes that may be stored, or `Invalid`, `TooLarge`."""
    if size < 1:
        raise Invalid("the file is empty", field="body")
    if size > limit:
        raise TooLarge(f"the file has more than {limit} bytes", limit=limit, size=size)
    return size


def parse_sha256(sha256: str) -> str:
    """A hash in hex, which is also safe as a path, or `Invalid`."""
    if not _SHA256.fullmatch(sha256):
        raise Invalid("sha256 is 64 hex digits", field="sha256")
    return sha256


def expiry_of(ttl: int | None, *, now: int) -> int | None:
    """When a file with `ttl` seconds to live ends, or `Invalid`."""
    if ttl is None:
        return None
    if not 1 <= ttl <= TTL_MAX:
        raise Invalid(f"ttl is between 1 and {TTL_MAX} seconds", field="ttl", value=ttl)
    return now + ttl * 1000
