"""The endpoint runtime: its program against odd endpoints, its start, and its reader."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from pal_daemon.runtimes.base import CannotStart, Context, Event, NativeSession
from pal_daemon.runtimes.openai.program import KEPT, cut
from pal_daemon.runtimes.openai.reader import OpenAiReader
from pal_daemon.runtimes.openai.runtime import PROGRAM, OpenAiRuntime
from pal_daemon.spool import Stream
from pal_server.contract.deliveries import AgentProfile, Work
from tests.runtimes.recordings import events, exited, note, output, read
from tests.support.patience import LONG_PATIENCE

NATIVE = "0d8f1a52-4f7e-4f0c-9b0e-5a3f0e1c2d3b"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Endpoint:
    """Answers with what the test gives it, one handler a request, the last one for ever."""

    def __init__(self, tmp_path: Path) -> None:
        self.url = ""
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self._handlers: list[Handler] = []
        self._folder = tmp_path

    def answers(self, *handlers: Handler) -> None:
        self._handlers = list(handlers)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(await request.json())
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        handler = self._handlers.pop(0) if len(self._handlers) > 1 else self._handlers[0]
        return await handler(request)

    async def ask(self, text: str = "hello", **changes: Any) -> list[dict[str, Any]]:
        """What the program says in one turn."""
        task = {
            "text": text,
            "url": f"{self.url}/v1/chat/completions",
            "model": "small",
            "effort": None,
            "session": NATIVE,
            "folder": str(self._folder / "conversations"),
            "headers": {},
            "retries": 2,
            **changes,
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(PROGRAM)),
            env={"OPENAI_API_KEY": "sk-secret"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(json.dumps(task).encode() + b"\n"), LONG_PATIENCE)
        assert not err, err.decode()
        return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
async def endpoint(tmp_path: Path) -> AsyncIterator[Endpoint]:
    made = Endpoint(tmp_path)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    made.url = f"http://{host}:{port}"
    yield made
    await runner.cleanup()


def stream(*lines: str) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for line in lines:
            await response.write(f"{line}\n\n".encode())
        return response

    return handler


def says(text: str, finish: str | None = None) -> str:
    return "data: " + json.dumps({"choices": [{"delta": {"content": text}, "finish_reason": finish}]})


def refuses(status: int, message: str = "no", **headers: str) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.json_response({"error": {"message": message}}, status=status, headers=headers)

    return handler


DONE = "data: [DONE]"


async def test_an_answer_is_told_in_pieces_and_whole(endpoint):
    usage = 'data: {"model": "small-2", "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2}}'
    endpoint.answers(stream(": a comment", says("Good "), says("day", "stop"), usage, DONE))

    told = await endpoint.ask()

    assert [line["type"] for line in told] == ["session", "piece", "piece", "usage", "done"]
    assert told[-1]["text"] == "Good day"
    assert told[3]["input_tokens"] == 9
    assert endpoint.headers[0]["authorization"] == "Bearer sk-secret"


async def test_the_conversation_goes_on(endpoint, tmp_path):
    endpoint.answers(stream(says("Noted.", "stop"), DONE))

    await endpoint.ask("remember 4711")
    await endpoint.ask("which number?")

    assert [message["content"] for message in endpoint.asked[1]["messages"]] == [
        "remember 4711",
        "Noted.",
        "which number?",
    ]
    (file,) = (tmp_path / "conversations").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


async def test_thoughts_are_told_apart(endpoint):
    thought = 'data: {"choices": [{"delta": {"reasoning_content": "hm"}}]}'
    endpoint.answers(stream(thought, says("Yes.", "stop"), DONE))

    told = await endpoint.ask()

    assert [line.get("kind") for line in told] == [None, "reasoning", "message", None]
    assert told[-1]["text"] == "Yes."


async def test_an_answer_that_breaks_off_is_no_answer(endpoint):
    endpoint.answers(stream(says("half of it")))

    told = await endpoint.ask()

    assert (told[-1]["type"], told[-1]["kind"]) == ("fail", "stream")
    assert len(endpoint.asked) == 1, "what was told once is not asked for again"


async def test_a_finish_reason_without_done_is_enough(endpoint):
    endpoint.answers(stream(says("All of it.", "stop")))

    assert (await endpoint.ask())[-1] == {"type": "done", "text": "All of it."}


async def test_an_error_in_the_middle_of_a_stream_fails_the_turn(endpoint):
    endpoint.answers(stream(says("half"), 'data: {"error": {"message": "out of memory"}}'))

    told = await endpoint.ask()

    assert (told[-1]["type"], told[-1]["text"]) == ("fail", "out of memory")


async def test_a_limit_is_waited_for_and_then_told(endpoint):
    endpoint.answers(refuses(429, "slow down", **{"Retry-After": "0"}))

    told = await endpoint.ask()

    assert [line["type"] for line in told] == ["session", "retry", "retry", "fail"]
    assert (told[-1]["kind"], told[-1]["status"], told[-1]["after"]) == ("rate_limit", 429, 0)


async def test_a_service_that_recovers_costs_only_time(endpoint):
    endpoint.answers(refuses(503), stream(says("Back.", "stop"), DONE))

    assert (await endpoint.ask())[-1]["text"] == "Back."


@pytest.mark.parametrize(("status", "kind"), [(400, "service"), (401, "auth"), (404, "service")])
async def test_what_asking_again_cannot_change_fails_at_once(endpoint, status, kind):
    endpoint.answers(refuses(status, "that is wrong"))

    told = await endpoint.ask()

    assert len(endpoint.asked) == 1
    assert (told[-1]["kind"], told[-1]["status"]) == (kind, status)
    assert "that is wrong" in told[-1]["text"]


async def test_what_an_endpoint_does_not_take_is_left_out(endpoint):
    endpoint.answers(
        refuses(400, "unknown parameter: stream_options"),
        refuses(400, "reasoning_effort is not supported"),
        stream(says("Fine.", "stop"), DONE),
    )

    told = await endpoint.ask(effort="low")

    assert told[-1]["text"] == "Fine."
    assert {"stream_options", "reasoning_effort"}.isdisjoint(endpoint.asked[2])


async def test_a_redirect_does_not_carry_the_key_away(endpoint):
    async def away(request: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": f"{endpoint.url}/elsewhere"})

    endpoint.answers(away)

    told = await endpoint.ask()

    assert (told[-1]["type"], told[-1]["status"]) == ("fail", 307)
    assert len(endpoint.asked) == 1


async def test_an_endpoint_that_does_not_stream_is_understood(endpoint):
    async def whole(request: web.Request) -> web.StreamResponse:
        return web.json_response({"choices": [{"message": {"content": "At once."}, "finish_reason": "stop"}]})

    endpoint.answers(whole)

    assert (await endpoint.ask())[-1]["text"] == "At once."


@pytest.mark.parametrize("line", ["data: {", "data: []", "data: 7", 'data: {"choices": 5}', 'data: {"choices": [7]}'])
async def test_nonsense_fails_the_turn_and_not_the_program(endpoint, line):
    endpoint.answers(stream(line))

    assert (await endpoint.ask())[-1]["type"] == "fail"


async def test_nobody_there_is_told(endpoint):
    told = await endpoint.ask(url="http://127.0.0.1:9/v1/chat/completions", retries=0)

    assert (told[-1]["type"], told[-1]["kind"]) == ("fail", "network")


async def test_a_header_of_the_account_goes_with_it(endpoint):
    endpoint.answers(stream(says("Hi.", "stop"), DONE))

    await endpoint.ask(headers={"api-key": "k"})

    assert endpoint.headers[0]["api-key"] == "k"


def test_a_long_conversation_loses_its_beginning():
    long = [{"role": role, "content": "x" * (KEPT // 3)} for role in ("user", "assistant") * 3]

    kept = cut(long)

    assert [message["role"] for message in kept] == ["user", "assistant"]


# Its start


def launch(tmp_path: Path, *, native: str | None = None, env: dict[str, str] | None = None, **agent: Any):
    account = {"label": "a", "env": {"OPENAI_BASE_URL": "https://example.org/v1/"}, "args": agent.pop("args", [])}
    if env is not None:
        account["env"] = env
    fields = {"model": "small", **agent}
    profile = AgentProfile(key="w", display_name="W", runtime="openai", settings={"account": account}, **fields)
    work = Work(
        agent=profile,
        prompt="do it",
        content="do it",
        room="r",
        room_name="general",
        topic=1,
        message=1,
        session="s",
        native_session=native,
    )
    base = {"PATH": "/bin", "OPENAI_API_KEY": "the daemon's own", **account["env"]}
    context = Context(run=7, folder=tmp_path, env=base, python="python3", scratch=tmp_path)
    return OpenAiRuntime().launch(work, context)


def test_it_asks_the_accounts_endpoint_with_the_accounts_key(tmp_path):
    spec = launch(tmp_path, args=["--header", "api-key: a:b"])

    task = json.loads(spec.input)
    assert task["url"] == "https://example.org/v1/chat/completions"
    assert task["headers"] == {"api-key": "a:b"}
    assert "OPENAI_API_KEY" not in spec.env
    assert "api-key" not in json.dumps(spec.memo)


@pytest.mark.parametrize("base", ["", "example.org/v1", "file:///etc/passwd"])
def test_without_an_address_it_says_what_is_missing(tmp_path, base):
    with pytest.raises(CannotStart, match="OPENAI_BASE_URL"):
        launch(tmp_path, env={"OPENAI_BASE_URL": base})


@pytest.mark.parametrize("agent", [{"model": None}, {"args": ["--unknown", "a: b"]}, {"args": ["--header"]}])
def test_what_cannot_be_meant_does_not_start(tmp_path, agent):
    with pytest.raises(CannotStart):
        launch(tmp_path, **agent)


@pytest.mark.parametrize("native", [NATIVE, "../../etc/passwd"])
def test_a_conversation_that_is_gone_is_begun_afresh(tmp_path, native):
    spec = launch(tmp_path, native=native)

    assert json.loads(spec.input)["session"] != native
    assert spec.memo["lost"] == {"reason": "it is gone from this computer", "recap": False}
    assert "fresh one" in json.loads(spec.input)["text"]


@pytest.mark.parametrize(
    ("kept", "goes_on"), [(b'[{"role": "user", "content": "hi"}]', True), (b'[{"role', False), (b"", False)]
)
def test_a_conversation_that_is_damaged_is_not_gone_on_with_in_silence(tmp_path, kept, goes_on):
    spec = launch(tmp_path)
    folder = Path(json.loads(spec.input)["folder"])
    folder.mkdir(parents=True)
    (folder / f"{NATIVE}.json").write_bytes(kept)

    spec = launch(tmp_path, native=NATIVE)

    assert (json.loads(spec.input)["session"] == NATIVE, spec.memo["lost"] is None) == (goes_on, goes_on)


# Its reader

LINES = [
    {"type": "session", "id": NATIVE},
    {"type": "piece", "kind": "reasoning", "text": "hm"},
    {"type": "piece", "kind": "message", "text": "Grüße"},
    {"type": "retry", "attempt": 1, "after": 500, "why": "HTTP 503", "status": 503},
    {"type": "usage", "model": "small", "input_tokens": 5, "output_tokens": 3, "cached_tokens": None},
    {"type": "note", "text": "a word"},
    {"type": "something new"},
    {"type": "done", "text": "Grüße"},
]
DATA = b"".join(json.dumps(line).encode() + b"\n" for line in LINES)


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_its_lines_are_read_however_they_are_cut(size):
    reader = OpenAiReader()
    memo = note(Stream.MEMO, run=1, notices=["a notice"])

    outs = read(reader, [memo, *output(*(DATA[at : at + size] for at in range(0, len(DATA), size))), exited()])

    assert [out.kind for out in outs if isinstance(out, Event)] == [
        "status",
        "reasoning",
        "message",
        "status",
        "usage",
        "status",
        "output",
    ]
    assert NativeSession(id=NATIVE) in outs
    outcome = reader.outcome()
    assert outcome.text == "Grüße"
    assert outcome.usage is not None
    assert outcome.usage.output_tokens == 3


def test_a_limit_says_when_another_attempt_makes_sense():
    line = {"type": "fail", "text": "slow down", "kind": "rate_limit", "status": 429, "after": 90.0}
    reader = OpenAiReader()

    read(reader, output(json.dumps(line).encode() + b"\n"))

    assert reader.outcome().resume_at == 1 + 90_000


def test_a_failure_is_the_runs():
    line = {"type": "fail", "text": "no such key", "kind": "auth", "status": 401}
    reader = OpenAiReader()

    outs = read(reader, output(json.dumps(line).encode() + b"\n"))

    assert events(outs, "error")[0].data == {"kind": "auth", "retryable": False, "status": 401}
    assert (reader.outcome().error, reader.outcome().error_kind) == ("no such key", "auth")
