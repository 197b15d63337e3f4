"""RT-15: a request as an agent: method, headers, body, time limit, and which hosts may be asked."""

from __future__ import annotations

import asyncio
import shlex
from typing import Any

import pytest
from aiohttp import web

from pal_daemon.runtimes.http.request_line import fill, parse_request_line

KEY = "key-3c8a1e5f7b2d4690"


@pytest.fixture
async def service(aiohttp_server):
    """Answers with what it was asked; /slow never does, /away sends elsewhere, /near to itself under another path."""
    app = web.Application()

    async def echo(request: web.Request) -> web.Response:
        said = {"method": request.method, "key": request.headers.get("X-Key"), "body": await request.text()}
        return web.json_response(said)

    async def slow(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async def away(request: web.Request) -> web.Response:
        raise web.HTTPFound(f"http://localhost:{request.url.port}/echo")

    async def near(request: web.Request) -> web.Response:
        raise web.HTTPFound("/echo")

    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=422, text="no such field")

    app.router.add_route("*", "/echo", echo)
    for path, handler in (("/slow", slow), ("/away", away), ("/near", near), ("/refuse", refuse)):
        app.router.add_route("*", path, handler)
    return await aiohttp_server(app, host="127.0.0.1")


async def asked(bus, start_daemon, command: str, **more: Any) -> dict[str, Any]:
    """How a run with this request ended."""
    await start_daemon()
    agent = {"runtime": "http", "command": command, "command_allowed": True, **more}
    return dict((await bus.end_of(await bus.given_delivery(content='say "hi"', **agent))).finish)


async def test_a_request_has_method_header_and_body_and_its_answer_is_the_agents(bus, start_daemon, service):
    url = service.make_url("/echo")
    account = {"account": {"label": "a", "env": {"HOOK_KEY": KEY}}}
    template = shlex.quote('{"text": {content}, "topic": {topic}, "plain": {}}')

    end = await asked(
        bus, start_daemon, f"PUT {url} --header 'X-Key: Bearer $HOOK_KEY' --body {template}", settings=account
    )

    assert end["status"] == "succeeded"
    assert '"method": "PUT"' in end["text"]
    assert r"{\"text\": \"say \\\"hi\\\"\", \"topic\": 7, \"plain\": {}}" in end["text"]
    assert '"key": "Bearer [redacted]"' in end["text"]
    assert KEY not in bus.everything_said()


async def test_without_a_template_the_body_is_all_there_is_and_a_get_has_none(bus, start_daemon, service):
    end = await asked(bus, start_daemon, f"POST {service.make_url('/echo')}")
    empty = (
        await bus.end_of(
            await bus.given_delivery(runtime="http", command=f"GET {service.make_url('/echo')}", command_allowed=True)
        )
    ).finish

    assert r"\"prompt\":" in end["text"]
    assert '"body": ""' in empty["text"]


@pytest.mark.parametrize(
    ("path", "flags", "why"),
    [
        ("/slow", "--timeout 0.3", "did not answer within 0.3 s"),
        ("/away", "", "may not be asked"),
        ("/refuse", "", "422: no such field"),
    ],
)
async def test_what_goes_wrong_is_said(bus, start_daemon, service, path, flags, why):
    end = await asked(bus, start_daemon, f"POST {service.make_url(path)} {flags}")

    assert end["status"] == "failed"
    assert why in end["stderr"]


async def test_a_redirect_to_an_allowed_host_is_followed(bus, start_daemon, service):
    near = await asked(bus, start_daemon, f"GET {service.make_url('/near')}")
    url = service.make_url("/away")
    away = (
        await bus.end_of(
            await bus.given_delivery(
                runtime="http", command=f"GET {url} --host 127.0.0.1 --host localhost", command_allowed=True
            )
        )
    ).finish

    assert (near["status"], away["status"]) == ("succeeded", "succeeded")


async def test_it_is_off_until_an_admin_allowed_it(bus, start_daemon, service):
    end = await asked(bus, start_daemon, f"GET {service.make_url('/echo')}", command_allowed=False)

    assert (end["status"], end["error_kind"]) == ("failed", "spawn")


@pytest.mark.parametrize(
    "wrong",
    [
        "FETCH http://a.example",
        "GET file:///etc/passwd",
        "GET",
        "GET http://a.example --host b.example",
        "GET http://a.example --header nonsense",
        "GET http://a.example --header 'X: $NOT_GIVEN'",
        "GET http://a.example --timeout 0",
        "GET http://a.example --unknown",
        "GET 'http://a.example",
    ],
)
def test_a_request_that_cannot_be_meant(wrong):
    with pytest.raises(ValueError):  # noqa: PT011 - each has words of its own
        parse_request_line(wrong, env={"HOME": "/h"})


def test_a_template_cannot_be_broken_out_of():
    said = {
        "prompt": '"}, {"admin": true',
        "content": "x",
        "agent": "a",
        "room": "r",
        "topic": 1,
        "message": 2,
        "run": 3,
    }

    assert fill('{"text": {prompt}}', said) == r'{"text": "\"}, {\"admin\": true"}'
    assert fill("{other} {room}", said) == '{other} "r"'
