"""Full-text search finds the same on both engines."""

import pytest

from pal_server.storage import search
from pal_server.storage.store import Store, Tx

MESSAGES = {
    1: ("room_a", "The quick brown fox jumps"),
    2: ("room_a", "A slow fox, and quick thinking"),
    3: ("room_b", "The quick brown fox in another room"),
    4: ("room_a", "请检查数据库的备份"),
    5: ("room_a", "数据在仓库里"),
    6: ("room_a", "東京タワーで会議 at 10:30"),
    7: ("room_a", "Déjà vu: the CAFÉ fixes pal_server/storage/store.py (issue #42)"),
    8: ("room_a", "it's 'quoted' & (odd) | \\ \"text\" :* ! <-> NOT AND OR"),
}


@pytest.fixture
async def indexed(store: Store) -> Store:
    def index(tx: Tx) -> None:
        for message_id, (room_id, text) in MESSAGES.items():
            tx.index_message(message_id, room_id=room_id, text=text)

    await store.write(index)
    return store


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("fox", [2, 1]),
        ("FOX quick", [2, 1]),
        ("fox -slow", [1]),
        ('"quick brown"', [1]),
        ('"brown quick"', []),
        ("quick-brown", [1]),
        ("jum*", [1]),
        ("ju*", []),
        ("数据库", [4]),
        ("数据", [5, 4]),
        ("备份 检查", [4]),
        ("タワー", [6]),
        ("deja cafe", [7]),
        ("storage/store.py", [7]),
        ("#42", [7]),
        ("it's", [8]),
        ("NOT", [8]),
        ("", []),
        ("!!! ()", []),
        ("-fox", []),
        ('"unclosed fox', []),
    ],
)
async def test_a_query_finds(indexed: Store, q: str, found: list[int]) -> None:
    assert await indexed.read(search.find, q, rooms=["room_a"], limit=10) == found


async def test_only_the_named_rooms_are_searched(indexed: Store) -> None:
    both = await indexed.read(search.find, "quick fox", rooms=["room_a", "room_b"], limit=10)
    none = await indexed.read(search.find, "quick fox", rooms=[], limit=10)
    every = await indexed.read(search.find, "quick fox", rooms=None, limit=10)
    other = await indexed.read(search.find, "quick fox", rooms=["room_c"], limit=10)

    assert (both, every, none, other) == ([3, 2, 1], [3, 2, 1], [], [])


async def test_the_name_of_a_room_is_no_word_of_its_messages(indexed: Store) -> None:
    assert await indexed.read(search.find, search.room_token("room_a"), rooms=["room_a"], limit=10) == []


async def test_pages_go_back_from_the_newest(indexed: Store) -> None:
    first = await indexed.read(search.find, "fox", rooms=["room_a"], limit=1)
    second = await indexed.read(search.find, "fox", rooms=["room_a"], before=first[-1], limit=1)

    assert (first, second) == ([2], [1])


async def test_an_edited_message_is_found_by_its_new_words_only(indexed: Store) -> None:
    await indexed.write(lambda tx: tx.index_message(1, room_id="room_a", text="nothing of it"))

    assert await indexed.read(search.find, "jumps", rooms=["room_a"], limit=10) == []
    assert await indexed.read(search.find, "nothing", rooms=["room_a"], limit=10) == [1]


async def test_a_deleted_message_is_not_found(indexed: Store) -> None:
    await indexed.write(search.unindex, 1)

    assert await indexed.read(search.find, "fox", rooms=["room_a"], limit=10) == [2]


async def test_a_huge_message_is_stored_and_found_by_its_beginning(store: Store) -> None:
    text = "start " + " ".join(f"word{n}" for n in range(60_000)) + " " + "x" * 100_000 + " \x00 end"

    await store.write(lambda tx: tx.index_message(1, room_id="room_a", text=text))

    assert await store.read(search.find, "start word7", rooms=["room_a"], limit=10) == [1]


@pytest.mark.parametrize(
    "q", ['"', "'", "\\", "*", "- -", 'a"b"c', "\x00", "a AND", "room:x", "body : x", "(", "数" * 300, "a " * 500]
)
async def test_no_query_breaks_the_search(indexed: Store, q: str) -> None:
    assert isinstance(await indexed.read(search.find, q, rooms=["room_a"], limit=10), list)
