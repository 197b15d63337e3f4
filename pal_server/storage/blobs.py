"""The bytes of files, under their hash: `<root>/<2 hex>/<sha256>`. Equal content is stored once.

Nothing here touches the database. Bytes are stored before the row that names them is written, so a row never lacks
its content; content whose row was never written, or is gone, is removed by `remove_unused`. Blocking: call from a
thread. Several processes may share a root.
"""

import hashlib
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pal_server.domain.files import parse_sha256
from pal_server.errors import TooLarge, Unavailable

YOUNG_FOR = 3600.0  # seconds in which content is not removed: the row that names it may be about to be written
UPLOADS = "uploads"  # folder under the root for bytes that are still coming


class Blobs:
    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, sha256: str) -> Path:
        """Where the content lies, or would lie."""
        digest = parse_sha256(sha256)
        return self._root / digest[:2] / digest

    def open(self, sha256: str) -> BinaryIO:
        """The content, for reading. `Unavailable` when it is gone, which a repaired disk may bring back."""
        try:
            return self.path(sha256).open("rb")
        except FileNotFoundError as exc:
            raise Unavailable("the content of this file is missing on the server's disk", sha256=sha256) from exc

    @contextmanager
    def upload(self, *, limit: int) -> "Iterator[Upload]":
        """Take bytes as they come; what was not kept is gone when the block ends."""
        try:
            folder = self._root / UPLOADS
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            fd, name = tempfile.mkstemp(dir=folder)
        except OSError as exc:
            raise _full(exc) from exc
        upload = Upload(self, os.fdopen(fd, "wb"), Path(name), limit=limit)
        try:
            yield upload
        finally:
            upload.close()

    def put(self, content: bytes, *, limit: int) -> str:
        """Store `content` and return its hash."""
        with self.upload(limit=limit) as upload:
            upload.write(content)
            return upload.keep()

    def remove_unused(self, hashes: Iterable[str], *, young_for: float = YOUNG_FOR) -> int:
        """Remove content no row names any more, unless it was stored or stored again lately; how many were
        removed.
        """
        removed = 0
        for sha256 in hashes:
            path = self.path(sha256)
            try:
                if time.time() - path.stat().st_mtime >= young_for:
                    path.unlink()
                    removed += 1
            except FileNotFoundError:
                continue
        return removed

    def list_old(self, *, young_for: float = YOUNG_FOR) -> Iterator[str]:
        """Hashes of content that is old enough to be removed if nothing names it, and drop uploads nobody
        finished.
        """
        before = time.time() - young_for
        for path in self._root.glob(f"{UPLOADS}/*"):
            if path.stat().st_mtime < before:
                path.unlink(missing_ok=True)
        for path in self._root.glob("[0-9a-f][0-9a-f]/*"):
            if path.stat().st_mtime < before:
                yield path.name


class Upload:
    """Bytes on their way in. Made by `Blobs.upload`."""

    def __init__(self, blobs: Blobs, file: BinaryIO, path: Path, *, limit: int) -> None:
        self._blobs = blobs
        self._file = file
        self._path = path
        self._limit = limit
        self._hash = hashlib.sha256()
        self.size = 0  # bytes so far

    def write(self, chunk: bytes) -> None:
        """`TooLarge` as soon as there is more than the limit."""
        self.size += len(chunk)
        if self.size > self._limit:
            raise TooLarge(f"the file has more than {self._limit} bytes", limit=self._limit)
        self._hash.update(chunk)
        try:
            self._file.write(chunk)
        except OSError as exc:
            raise _full(exc) from exc

    def keep(self) -> str:
        """Make the bytes durable under their hash, which is returned. Content that is there already becomes young
        again.
        """
        digest = self._hash.hexdigest()
        target = self._blobs.path(digest)
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            target.parent.mkdir(exist_ok=True, mode=0o700)
            os.replace(self._path, target)  # also when it exists: the same bytes, and a new time
            _sync_folder(target.parent)
        except OSError as exc:
            raise _full(exc) from exc
        return digest

    def close(self) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make the new name durable too. Windows cannot open a folder and needs no such thing."""
    if os.name == "nt":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _full(exc: OSError) -> Unavailable:
    return Unavailable("the server cannot store files now: its disk is full or not writable", reason=exc.strerror or "")
