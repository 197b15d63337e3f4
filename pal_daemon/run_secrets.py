"""The values of a run's secret variables: in which forms a text may have them, and where a later daemon finds them.

They lie in the run's folder on this computer, 0600, for as long as what the run said; values that are told by their
shape alone are not among them.
"""

from __future__ import annotations

import json
import os
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

import msgspec

FILE = "secrets"  # in the run's folder
SHORTEST = 8  # characters of a value; shorter ones are no secrets but words
SHORTEST_CODE = 12  # characters of base64


def forms_of(value: str) -> Iterator[str]:
    """How texts have a value: as it is, in JSON, in an address, and in base64 wherever it stands in the coded text."""
    yield value
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield quote(value, safe="")
    data = value.encode("utf-8", "surrogateescape")
    for before, shared in ((0, 0), (1, 2), (2, 3)):  # bytes before it in a group of three, characters those reach into
        whole = (before + len(data)) // 3 * 4
        for encode in (b64encode, urlsafe_b64encode):
            code = encode(bytes(before) + data).decode()[shared:whole]
            if len(code) >= SHORTEST_CODE:
                yield code


def keep_values(run_folder: Path, values: Iterable[str]) -> None:
    """Remember them beside the spool. Raises OSError."""
    fd = os.open(run_folder / FILE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(fd, "wb") as file:
        file.write(msgspec.json.encode(list(values)))


def values_of(run_folder: Path) -> tuple[str, ...]:
    """Empty without any, or when the file cannot be read."""
    try:
        return msgspec.json.decode((run_folder / FILE).read_bytes(), type=tuple[str, ...])
    except (OSError, msgspec.DecodeError):
        return ()
