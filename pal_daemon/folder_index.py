"""Which files lie in a folder where an agent works, by path below it: what git knows there, else what lies there.

Nothing outside of the folder is told, and nothing that is ignored or looks like a secret. All of it blocks: call it in
a thread.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from pal_daemon import git_state
from pal_daemon.git_state import GitFailed

LIST_FOR = 10.0  # seconds git may take for a very large repository
MOST = 300_000  # paths; a folder with more is searched as far as that
_SKIPPED = frozenset({".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv", "venv", ".cache"})
# Files that hold keys by custom. That they exist is nobody's business either.
_SECRET = re.compile(
    r"(^|/)(\.env(\.(?!example$|sample$|template$)[^/]*)?|\.netrc|\.pgpass|\.npmrc|\.pypirc|id_(rsa|dsa|ecdsa|ed25519)"
    r"|[^/]*\.(pem|key|p12|pfx|keystore)|credentials(\.json)?|secret\.key|owner\.token)$"
    r"|(^|/)(\.ssh|\.gnupg|\.aws)/",
    re.IGNORECASE,
)


def list_paths(folder: Path) -> tuple[str, ...]:
    """Sorted. Raises OSError or GitFailed when the folder cannot be looked at."""
    folder = folder.resolve(strict=True)
    found = _walked(folder) if git_state.root_of(folder) is None else git_state.list_files(folder, within=LIST_FOR)
    return tuple(sorted({path for path in found if is_told(path)})[:MOST])


def is_told(path: str) -> bool:
    """Whether a path below the folder may be told: it stays below, and does not look like a secret."""
    return path != "" and not path.startswith(("/", "../")) and _SECRET.search(path) is None


def is_within(folder: Path, path: str) -> bool:
    """Whether the path leads to a file below the folder, now, through whatever links lie on the way."""
    root = os.path.realpath(folder)
    real = os.path.realpath(os.path.join(root, path))
    return real.startswith(root.rstrip(os.sep) + os.sep) and os.path.isfile(real)


def _walked(folder: Path) -> list[str]:
    found: list[str] = []
    for place, folders, files in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        below = os.path.relpath(place, folder)
        found += (name if below == "." else f"{below}/{name}" for name in files)
        if len(found) >= MOST:
            break
    return found


__all__ = ["GitFailed", "is_told", "is_within", "list_paths"]
