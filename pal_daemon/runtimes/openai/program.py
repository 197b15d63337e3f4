"""One turn with an OpenAI-compatible endpoint (Chat Completions, streamed). Standard library only.

One JSON line in: prompt, pictures, url, model, effort, session, folder, headers, retries. JSON lines out: session,
piece, note, usage, fail, done. The key is in OPENAI_API_KEY. The conversation is kept in `folder`, one file a session,
0600. SIGINT ends it politely with exit 130.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import sys
import time
import urllib.error
import urllib.request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO, Any

SILENT_FOR = 300.0  # seconds without a byte after which the endpoint is given up
LONGEST_LINE = 16 << 20  # bytes
LONGEST_ERROR = 2000  # characters
KEPT = 400_000  # characters of a conversation; the oldest is left out first
LONGEST_PAUSE = 30.0  # seconds between two tries
AGAIN = (408, 409, 425, 429, 500, 502, 503, 504, 529)
KINDS = {401: "auth", 403: "auth", 429: "rate_limit"}


class Failed(Exception):
    """The turn cannot be had. `kind` and `status` are as in pal's error events."""

    def __init__(self, text: str, *, kind: str, status: int | None = None, after: float | None = None) -> None:
        """`after` is how many seconds the endpoint wants to be left alone."""
        super().__init__(text)
        self.kind = kind
        self.status = status
        self.after = after


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to another host."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def tell(**said: object) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def main() -> int:
    signal.signal(signal.SIGINT, lambda number, frame: os._exit(130))
    for stream in (sys.stdin, sys.stdout):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]  # -I ignores PYTHONUTF8
    task = json.loads(sys.stdin.readline())
    path = os.path.join(task["folder"], f"{task['session']}.json")
    messages = [*load(path), {"role": "user", "content": task["text"]}]
    tell(type="session", id=task["session"])
    try:
        text = ask(task, [*messages[:-1], {"role": "user", "content": shown(task)}])
    except Failed as failure:
        tell(
            type="fail",
            text=str(failure)[:LONGEST_ERROR],
            kind=failure.kind,
            status=failure.status,
            after=failure.after,
        )
        return 1
    save(path, [*messages, {"role": "assistant", "content": text}])
    tell(type="done", text=text)
    return 0


def shown(task: dict[str, Any]) -> object:
    """The words with their pictures. Only the words are kept: pictures would soon be all of a conversation."""
    pictures = task.get("pictures")
    if not pictures:
        return task["text"]
    return [
        {"type": "text", "text": task["text"]},
        *({"type": "image_url", "image_url": {"url": one}} for one in pictures),
    ]


# The conversation


def load(path: str) -> list[dict[str, str]]:
    try:
        with open(path, encoding="utf-8") as file:
            messages: list[dict[str, str]] = json.load(file)
    except (OSError, ValueError):
        return []
    return messages


def save(path: str, messages: list[dict[str, str]]) -> None:
    """Whole or not at all."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    fresh = f"{path}.{os.getpid()}"
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(cut(messages), file)
    os.replace(fresh, path)


def cut(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """The newest ones that fit; a conversation begins with a person's words."""
    size = 0
    for place in range(len(messages) - 1, -1, -1):
        size += len(messages[place]["content"])
        if size > KEPT:
            kept = messages[place + 1 :]
            return kept[1:] if kept and kept[0]["role"] == "assistant" else kept
    return messages


# The endpoint


def ask(task: dict[str, Any], messages: list[dict[str, Any]]) -> str:
    """The answer's text, told in pieces meanwhile. Asks again while nothing was told and the endpoint may recover."""
    body: dict[str, object] = {
        "model": task["model"],
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if task.get("effort"):
        body["reasoning_effort"] = task["effort"]
    attempt = 0
    while True:
        try:
            return turn(task, body)
        except Failed as failure:
            attempt += 1
            dropped = drop_refused(body, failure)
            if dropped:
                tell(type="note", text=f"the endpoint does not take {dropped}; asked again without it")
                continue
            if attempt > task["retries"] or not may_recover(failure):
                raise
            pause = min(failure.after or 2.0**attempt / 2, LONGEST_PAUSE)
            tell(type="retry", attempt=attempt, after=int(pause * 1000), why=str(failure)[:200], status=failure.status)
            time.sleep(pause)


def drop_refused(body: dict[str, object], failure: Failed) -> str | None:
    """Take out what this endpoint complains of and can be done without; its name."""
    if failure.status not in (400, 422):
        return None
    for name in ("reasoning_effort", "stream_options"):
        if name in body and name in str(failure):
            del body[name]
            return name
    return None


def may_recover(failure: Failed) -> bool:
    return failure.kind == "network" or failure.status in AGAIN


def turn(task: dict[str, Any], body: dict[str, object]) -> str:
    request = urllib.request.Request(
        task["url"],
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Accept": "text/event-stream", **task["headers"]},
    )
    key = os.environ.get("OPENAI_API_KEY")
    if key and not request.has_header("Authorization"):
        request.add_header("Authorization", f"Bearer {key}")
    opener = urllib.request.build_opener(NoRedirects)
    answer = Answer()
    try:
        with opener.open(request, timeout=SILENT_FOR) as response:
            for chunk in chunks(response):
                answer.take(chunk)
    except urllib.error.HTTPError as error:
        raise refused(error) from None
    except (AttributeError, TypeError, LookupError) as error:
        raise Failed(f"the endpoint said something of an unknown shape: {error}", kind="protocol") from None
    except (OSError, http.client.HTTPException) as error:  # URLError and timeouts are OSErrors
        raise broken(error, has_text=bool(answer.text)) from None
    return answer.finished()


def chunks(response: IO[bytes]) -> Iterator[dict[str, Any]]:
    """The objects of a stream of server-sent events; of a server that does not stream, its one answer."""
    if "json" in str(getattr(response, "headers", {}).get("Content-Type", "")):
        yield parse(response.read(LONGEST_LINE))
        yield {"done": True}
        return
    while line := response.readline(LONGEST_LINE):
        if not line.startswith(b"data:"):
            continue
        data = line[5:].strip()
        if data == b"[DONE]":
            yield {"done": True}
            return
        yield parse(data)


def parse(data: bytes) -> dict[str, Any]:
    try:
        chunk = json.loads(data)
    except ValueError:
        raise Failed("the endpoint said something that is no JSON", kind="protocol") from None
    if not isinstance(chunk, dict):
        raise Failed("the endpoint said something that is no object", kind="protocol")
    return chunk


class Answer:
    """One answer, put together from its chunks."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._finish: str | None = None
        self._is_done = False

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def take(self, chunk: dict[str, Any]) -> None:
        if chunk.get("done"):
            self._is_done = True
            return
        if chunk.get("error"):
            raise Failed(error_text(chunk), kind="stream")
        if isinstance(chunk.get("usage"), dict):
            tell_usage(chunk)
        for choice in chunk.get("choices") or ():
            said = choice.get("delta") or choice.get("message") or {}
            thought = said.get("reasoning_content") or said.get("reasoning")
            if isinstance(thought, str) and thought:
                tell(type="piece", kind="reasoning", text=thought)
            if isinstance(said.get("content"), str) and said["content"]:
                self._pieces.append(said["content"])
                tell(type="piece", kind="message", text=said["content"])
            self._finish = choice.get("finish_reason") or self._finish

    def finished(self) -> str:
        if self._finish is None and not self._is_done:
            raise Failed("the answer broke off before its end", kind="stream" if self._pieces else "network")
        if self._finish == "content_filter":
            raise Failed("the endpoint refused to go on: content filter", kind="refusal")
        if self._finish == "length":
            tell(type="note", text="the answer ends here because the model may say no more at once")
        return self.text


def tell_usage(chunk: dict[str, Any]) -> None:
    usage = chunk["usage"]
    details = usage.get("prompt_tokens_details") or {}
    tell(
        type="usage",
        model=chunk.get("model"),
        input_tokens=usage.get("prompt_tokens"),
        output_tokens=usage.get("completion_tokens"),
        cached_tokens=details.get("cached_tokens"),
    )


def refused(error: urllib.error.HTTPError) -> Failed:
    try:
        text = error_text(json.loads(error.read(LONGEST_LINE)))
    except (OSError, ValueError):
        text = str(error.reason)
    after = error.headers.get("Retry-After") or ""
    return Failed(
        f"{text} (HTTP {error.code})",
        kind=KINDS.get(error.code, "service"),
        status=error.code,
        after=float(after) if re.fullmatch(r"\d{1,6}", after) else None,
    )


def broken(error: Exception, *, has_text: bool) -> Failed:
    """Asking again after some of the answer was told would say it twice."""
    reason = getattr(error, "reason", error)
    if isinstance(reason, socket.timeout | TimeoutError):
        text = f"the endpoint said nothing for {SILENT_FOR:.0f} seconds"
    else:
        text = f"the connection to the endpoint failed: {reason}"
    return Failed(text, kind="stream" if has_text else "network")


def error_text(said: object) -> str:
    """Whatever shape an endpoint gives its errors."""
    error = said.get("error", said) if isinstance(said, dict) else said
    if isinstance(error, dict):
        error = error.get("message") or error.get("detail") or json.dumps(error)
    return str(error)


if __name__ == "__main__":
    sys.exit(main())
