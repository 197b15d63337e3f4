"""`$PAL_HOME/lark.json` and the like: bots as a file says, read with every reload.

    {"bots": [{"app_id": "cli_…", "app_secret": "…", "agent": "codex", "label": "Codex"}]}

`agent`, `label`, `base_url`, `options` and `notify_chat` are pal's; every other name is a credential of the platform. A
list alone, without `bots` around it, is the same.
"""

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from pal_server.domain.bots import parse_fields
from pal_server.errors import Invalid

ENTRIES_LIMIT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    app_id: str
    credentials: dict[str, str]
    agent: str
    label: str
    base_url: str | None
    options: dict[str, str]
    notify_chat: str | None
    where: str  # in the file, for who reads of an error


def read_entries(path: Path, *, platform: str) -> list[FileEntry]:
    """Every entry of the file, or `Invalid` that names the first wrong one. No value of it is in a message."""
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise Invalid(f"{path} can be read by others: chmod 600 {path}", path=str(path))
    try:
        document = msgspec.json.decode(path.read_bytes())
    except msgspec.DecodeError as error:
        raise Invalid(f"{path} is not valid JSON: {error}", path=str(path)) from None
    listed = document.get("bots") if isinstance(document, dict) else document
    if not isinstance(listed, list) or len(listed) > ENTRIES_LIMIT:
        raise Invalid(f"{path} holds no list of at most {ENTRIES_LIMIT} bots", path=str(path))
    return [_entry(one, where=f"bots[{number}] of {path}") for number, one in enumerate(listed)]


def _entry(one: Any, *, where: str) -> FileEntry:
    if not isinstance(one, dict):
        raise Invalid(f"{where} is no object", field=where)
    texts = {name: value for name, value in one.items() if name not in ("options",)}
    wrong = [name for name, value in texts.items() if not isinstance(value, str)]
    if wrong or not isinstance(one.get("options", {}), dict):
        raise Invalid(f"{where}.{(wrong or ['options'])[0]} is no text", field=where)
    agent = texts.pop("agent", "")
    if not agent:
        raise Invalid(f"{where}.agent is missing: which agent is it for?", field=where)
    label, base_url, notify = texts.pop("label", ""), texts.pop("base_url", None), texts.pop("notify_chat", None)
    credentials = parse_fields(texts, field=where)
    if not credentials:
        raise Invalid(f"{where} has no credentials", field=where)
    return FileEntry(
        app_id=credentials.get("app_id") or credentials.get("client_id") or "",
        credentials=credentials,
        agent=agent,
        label=label,
        base_url=base_url,
        options=parse_fields(one.get("options", {}), field=where),
        notify_chat=notify,
        where=where,
    )
