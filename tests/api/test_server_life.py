"""Starting and stopping: homes, ports, health, metrics, settings, logs."""

import asyncio
import json
import logging
import os
import stat
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pal_server.app import PortTaken, running_server
from pal_server.config import Settings, load_settings
from pal_server.errors import Conflict, Invalid, Unavailable
from pal_server.logs import JsonLines
from pal_server.storage.statements import STATEMENTS
from pal_server.storage.store import open_store
from tests.support.patience import PATIENCE
from tests.support.server import ServerUnderTest, expect, start_server


async def test_the_home_is_its_owners_alone(server: ServerUnderTest) -> None:
    def rights(name: str) -> int:
        return stat.S_IMODE((server.home / name).stat().st_mode)

    assert rights(".") == 0o700
    for name in ("owner.token", "secret.key", "server.json"):
        assert rights(name) == 0o600, name
    told = json.loads((server.home / "server.json").read_text())
    assert told == {"url": server.url, "pid": os.getpid()}


async def test_a_home_in_use_is_refused(server: ServerUnderTest) -> None:
    with pytest.raises(Conflict, match="is using"):
        async with start_server(server.home):
            pass

    assert (await server.get("/health", token=None)).status == 200


async def test_a_taken_port_is_refused_and_the_home_is_left_free(server: ServerUnderTest, tmp_path: Path) -> None:
    with pytest.raises(PortTaken, match=str(server.app.port)):
        async with start_server(tmp_path / "second", port=server.app.port):
            pass

    async with start_server(tmp_path / "second") as second:
        assert (await second.get("/api/me")).status == 200


async def test_two_homes_know_nothing_of_each_other(server: ServerUnderTest, tmp_path: Path) -> None:
    async with start_server(tmp_path / "second") as second:
        await server.room("here")

        assert (await second.get("/api/rooms/here")).status == 404
        assert (await second.get("/api/me", token=server.owner)).status == 401
        assert second.app.services.cookie != server.app.services.cookie


async def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(Unavailable, match="PAL_HOME"):
        async with running_server(Settings(home=tmp_path / "file" / "home", port=0)):
            pass


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    async with start_server(tmp_path / "home") as first:
        await first.agent("reviewer")
        sent = await first.send("@reviewer later")

    async with start_server(tmp_path / "home") as second:
        delivery = await second.get(f"/api/deliveries/{sent['deliveries'][0]['id']}")
        assert delivery["delivery"]["status"] == "pending"
        assert (await second.get("/api/messages", room="general"))["messages"] == [sent["message"]]


async def test_ready_says_what_stands_in_the_way(server: ServerUnderTest, monkeypatch: Any) -> None:
    monkeypatch.setattr("pal_server.app.PROBE_FOR", PATIENCE)
    well = await server.get("/health/ready", token=None)
    monkeypatch.setattr("pal_server.app.DISK_MIN", 2**60)
    full = await server.get("/health/ready", token=None)

    assert well["checks"] == {"database": "ok", "disk": "ok", "loops": "ok"}
    assert full.status == 503
    assert "left on the disk" in full["checks"]["disk"]


async def test_a_loop_that_keeps_failing_makes_the_server_unready(server: ServerUnderTest) -> None:
    server.app.loop("retention").failures = 3

    ready = await server.get("/health/ready", token=None)

    assert ready.status == 503
    assert ready["checks"]["loops"] == "failing: retention"


async def test_metrics_count_requests_and_facts(server: ServerUnderTest) -> None:
    await server.send("one")
    await server.send("two")
    await server.get("/api/nothing")

    response = await server.get("/metrics")
    text = response.body.decode()

    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'pal_http_requests_total{operation="messages.send",status="201"} 2' in text
    assert 'pal_http_requests_total{operation="none",status="404"} 1' in text
    assert 'pal_events_total{kind="message.created"} 2' in text
    assert 'pal_http_request_seconds_count{operation="messages.send"} 2' in text
    for line in text.splitlines():
        assert line.startswith("# ") or float(line.rpartition(" ")[2]) >= 0


async def test_version_tells_the_protocol(server: ServerUnderTest) -> None:
    version = expect(await server.get("/api/version", token=None), 200)

    assert version["name"] == "pal"
    assert isinstance(version["protocol"], int)


async def test_a_loop_can_be_stepped_by_hand(server: ServerUnderTest) -> None:
    computer = await server.provision()
    await server.connect(computer)
    await server.agent("reviewer", computer=computer)
    sent = await server.send("@reviewer go")
    server.clock.advance(5)
    assert len(await server.claim(computer)) == 1

    server.clock.advance(120)
    await server.step("lease_reaper")

    delivery = (await server.get(f"/api/deliveries/{sent['deliveries'][0]['id']}"))["delivery"]
    assert delivery["status"] == "pending"


async def test_the_last_use_of_a_token_is_noted(server: ServerUnderTest) -> None:
    await server.get("/api/me")

    await server.step("token_use")

    [owner] = [one for one in (await server.get("/api/tokens"))["tokens"] if one["name"] == "owner.token"]
    assert owner["last_used_at"] == server.clock.now


def test_settings_come_from_file_environment_and_flags_in_that_order(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        'port = 1\nhost = "a"\nlog_level = "debug"\nserver = "http://x"\nunknown = 1\n'
    )
    environment = {"PAL_HOME": str(tmp_path), "PAL_PORT": "2", "PAL_HOST": "b", "LOCK_HOST": "c"}

    settings = load_settings(environment=environment, flags={"port": 3, "host": None})

    assert (settings.port, settings.host, settings.log_level) == (3, "c", "debug")
    assert settings.database == str(tmp_path / "lock.sqlite")
    assert load_settings(environment={"PAL_HOME": str(tmp_path)}).port == 1
    assert load_settings(environment={"PAL_HOME": str(tmp_path / "none")}).port == 4127


@pytest.mark.parametrize(
    ("environment", "flags", "named"),
    [
        ({"PAL_PORT": "many"}, {}, "port"),
        ({"PAL_PORT": "70000"}, {}, "port"),
        ({"PAL_LOG_LEVEL": "loud"}, {}, "log_level"),
        ({}, {"log_format": "xml"}, "log_format"),
    ],
)
def test_a_wrong_setting_is_named(
    tmp_path: Path, environment: dict[str, str], flags: dict[str, object], named: str
) -> None:
    with pytest.raises(Invalid) as refused:
        load_settings(environment={"PAL_HOME": str(tmp_path), **environment}, flags=flags)

    assert refused.value.facts["setting"] == named


def test_a_broken_settings_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("port = ")

    with pytest.raises(Invalid, match=r"config\.toml"):
        load_settings(environment={"PAL_HOME": str(tmp_path)})


def test_log_lines_are_json_with_their_fields() -> None:
    record = logging.LogRecord("pal", logging.INFO, __file__, 1, "a %s", ("sentence",), None)
    record.action = "thing.done"

    line = json.loads(JsonLines().format(record))

    assert line["text"] == "a sentence"
    assert line["action"] == "thing.done"
    assert line["level"] == "info"


async def test_a_part_that_dies_stops_the_server_aloud(tmp_path: Path, monkeypatch: Any) -> None:
    async def dies(_: Any) -> None:
        raise ZeroDivisionError("the tailer is gone")

    monkeypatch.setattr("pal_server.api.stream.Tailer.run", dies)

    with pytest.raises(ExceptionGroup) as died:
        async with running_server(Settings(home=tmp_path / "home", port=0)):
            await asyncio.Event().wait()

    assert died.group_contains(ZeroDivisionError)


async def test_head_is_get_without_the_body(server: ServerUnderTest) -> None:
    head = await server.request("HEAD", "/health", token=None)

    assert head.status == 200
    assert int(head.headers["Content-Length"]) > 0


async def test_a_file_that_is_too_large_is_refused_before_it_is_sent(server: ServerUnderTest) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.app.port)
    writer.write(
        b"POST /api/artifacts?name=x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60000000\r\n"
        b"Expect: 100-continue\r\nAuthorization: Bearer " + server.owner.encode() + b"\r\n\r\n"
    )

    head = await reader.readline()

    writer.close()
    assert head.split()[1] == b"413"


async def test_a_full_disk_is_said_and_nothing_is_half_written(tmp_path: Path, monkeypatch: Any) -> None:
    with_probes = partial(open_store, statements=(STATEMENTS, Path(__file__).parents[1] / "support" / "sql"))
    monkeypatch.setattr("pal_server.app.open_store", with_probes)
    body = {"room": "general", "content": "x" * 200_000, "client_id": "c1"}

    async with start_server(tmp_path / "home") as server:
        await server.store.write(lambda tx: tx.sql.all("disk.fill"))
        refused = await server.post("/api/messages", body)
        said = await server.get("/api/messages", room="general")
        await server.store.write(lambda tx: tx.sql.all("disk.make_room"))
        again = await server.post("/api/messages", body)

    assert (refused.status, refused.code) == (503, "unavailable")
    assert refused.headers["Retry-After"] == "1"
    assert said["messages"] == []
    assert again.status == 201
