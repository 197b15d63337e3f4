"""What has ended is removed without anybody asking, bytes too; what a browser could run never runs in our name."""

import os
from pathlib import Path
from typing import Any

from tests.support.server import ServerUnderTest, expect

HOURS = 3600


async def put(server: ServerUnderTest, data: bytes, **query: Any) -> Any:
    return expect(await server.request("POST", "/api/artifacts", data=data, params=query), 201)["artifact"]


def stored(server: ServerUnderTest) -> list[Path]:
    return [path for path in (server.home / "files").glob("??/*") if path.is_file()]


def age(path: Path) -> None:
    """As if it had been stored some hours ago."""
    before = path.stat().st_mtime - 2 * HOURS
    os.utime(path, (before, before))


async def test_what_has_ended_is_removed_with_its_bytes(server: ServerUnderTest) -> None:
    kept = await put(server, b"kept", name="a.txt")
    ended = await put(server, b"ended", name="b.txt", ttl=60)
    for path in stored(server):
        age(path)
    server.clock.advance(61)

    await server.step("files")

    assert [path.read_bytes() for path in stored(server)] == [b"kept"]
    assert (await server.get(f"/f/{ended['id']}")).status == 404
    assert (await server.get(f"/f/{kept['id']}")).body == b"kept"


async def test_bytes_that_no_row_names_are_swept_away(server: ServerUnderTest) -> None:
    await put(server, b"kept", name="a.txt")
    lost = server.home / "files" / "ab" / ("ab" + "0" * 62)
    lost.parent.mkdir(exist_ok=True)
    lost.write_bytes(b"nobody's")
    for path in stored(server):
        age(path)

    await server.step("files")

    assert [path.read_bytes() for path in stored(server)] == [b"kept"]


async def test_equal_content_is_stored_once(server: ServerUnderTest) -> None:
    first = await put(server, b"same", name="a.txt")
    second = await put(server, b"same", name="b.txt")

    assert first["id"] != second["id"]
    assert len(stored(server)) == 1


async def test_a_run_puts_an_artifact_and_its_topic_shows_it_with_a_preview(server: ServerUnderTest) -> None:
    _, _, opened = await server.running()
    query = {"name": "report.md", "mime": "text/markdown", "card": "true"}

    answer = await server.request("POST", "/api/artifacts", data=b"# All is well", params=query, token=opened["token"])

    file = expect(answer, 201)["artifact"]
    card = (await server.get("/api/messages", room="general"))["messages"][-1]
    assert card["kind"] == "card"
    assert card["card"]["preview"] == "# All is well"
    assert card["card"]["file"]["url"] == file["url"]
