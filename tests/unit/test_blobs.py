"""The bytes of files on disk."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from pal_server.errors import Invalid, TooLarge, Unavailable
from pal_server.storage.blobs import Blobs

HELLO = hashlib.sha256(b"hello").hexdigest()


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "files")


def age(blobs: Blobs, sha256: str) -> None:
    long_ago = time.time() - 7200
    os.utime(blobs.path(sha256), (long_ago, long_ago))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_content_lies_under_its_hash(blobs: Blobs, tmp_path: Path) -> None:
    assert blobs.put(b"hello", limit=5) == HELLO

    with blobs.open(HELLO) as file:
        assert file.read() == b"hello"
    assert blobs.path(HELLO) == tmp_path / "files" / HELLO[:2] / HELLO


def test_equal_content_is_stored_once(blobs: Blobs, tmp_path: Path) -> None:
    for _ in range(3):
        blobs.put(b"hello", limit=5)

    assert names(tmp_path) == [HELLO]


def test_too_much_leaves_nothing(blobs: Blobs, tmp_path: Path) -> None:
    with blobs.upload(limit=4) as upload:
        upload.write(b"hel")
        with pytest.raises(TooLarge):
            upload.write(b"lo")

    assert names(tmp_path) == []


def test_what_was_not_kept_is_gone(blobs: Blobs, tmp_path: Path) -> None:
    with blobs.upload(limit=10) as upload:
        upload.write(b"hello")

    assert names(tmp_path) == []


def test_only_old_content_is_removed(blobs: Blobs, tmp_path: Path) -> None:
    blobs.put(b"hello", limit=5)
    assert blobs.remove_unused([HELLO]) == 0

    age(blobs, HELLO)
    assert list(blobs.list_old()) == [HELLO]
    assert blobs.remove_unused([HELLO, hashlib.sha256(b"missing").hexdigest()]) == 1

    assert names(tmp_path) == []


def test_content_stored_again_is_young_again(blobs: Blobs) -> None:
    blobs.put(b"hello", limit=5)
    age(blobs, HELLO)

    blobs.put(b"hello", limit=5)

    assert blobs.remove_unused([HELLO]) == 0


@pytest.mark.parametrize("name", ["../secret.key", "", "A" * 64, HELLO + "/x"])
def test_nothing_but_a_hash_is_a_path(blobs: Blobs, name: str) -> None:
    with pytest.raises(Invalid):
        blobs.open(name)


def test_missing_content_is_said_plainly(blobs: Blobs) -> None:
    with pytest.raises(Unavailable):
        blobs.open(HELLO)


def test_a_folder_that_cannot_be_made_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("in the way")

    with pytest.raises(Unavailable):
        Blobs(tmp_path / "files").put(b"hello", limit=5)
