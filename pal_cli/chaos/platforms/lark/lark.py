"""The loopback Lark as a test holds it: starts the process, does what people do, waits for what happens.

Every call is a short HTTP request of its own and blocks; call it without a loop, or through `asyncio.to_thread`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from pal_cli.chaos.platforms.process import platform_process

Json = dict[str, Any]
PATIENCE = 90.0  # seconds; far more than anything here takes, on a busy machine too
_opener = build_opener(ProxyHandler({}))


class LoopbackLark:
    """A platform of its own; everything in it is gone with it."""

    def __init__(self) -> None:
        self._held = ExitStack()
        self.url = self._held.enter_context(platform_process("lark"))

    def __enter__(self) -> LoopbackLark:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._held.close()

    def do(self, verb: str, **asked: Any) -> Json:
        """Any verb of `control.py`."""
        request = Request(f"{self.url}/control/{verb}", data=json.dumps(asked).encode(), method="POST")
        with _opener.open(request, timeout=PATIENCE + 20) as answer:
            said: Json = json.load(answer)
        return said

    # --- what is asked often

    def app(self, id: str = "cli_a", **facts: Any) -> str:
        """A new app with a bot, secret `secret-<id>`; its id."""
        self.do("app", id=id, secret=f"secret-{id}", **facts)
        return id

    def person(self, name: str = "Ann") -> str:
        """Somebody new; the union_id."""
        return str(self.do("person", name=name)["union_id"])

    def chat(self, *, apps: list[str], people: list[str], mode: str = "group", name: str = "Team") -> str:
        return str(self.do("chat", apps=apps, people=people, mode=mode, name=name)["chat_id"])

    def mention(self, app: str, text: str, *, chat: str, person: str, **more: Any) -> Json:
        """`@bot text` in a chat."""
        return self.do("say", chat=chat, person=person, text=f"@_user_1 {text}", mentions=[app], **more)

    def posted(self, app: str | None = None, *, chat: str | None = None) -> list[Json]:
        """What bots posted, oldest first, with all versions."""
        return list(self.do("posted", app=app, chat=chat)["messages"])

    # --- waiting

    def entries(self, kind: str, **facts: Any) -> list[Json]:
        """What the journal has of that kind with those facts."""
        return [entry for entry in self.do("journal")["entries"] if _fits(entry, kind, facts)]

    def wait_for(self, kind: str, *, count: int = 1, within: float = PATIENCE, **facts: Any) -> list[Json]:
        """The entries, once there are `count` of them. AssertionError with the journal's end when they do not come."""
        seen: list[Json] = []
        found: list[Json] = []
        give_up_at = time.monotonic() + within
        while time.monotonic() < give_up_at:
            more = self.do("journal", after=len(seen), wait=min(5.0, give_up_at - time.monotonic()))["entries"]
            seen += more
            found += [entry for entry in more if _fits(entry, kind, facts)]
            if len(found) >= count:
                return found
        raise AssertionError(f"not within {within:g} s: {count} {kind} {facts}, but {seen[-12:]}")

    def wait_posted(self, look: Callable[[list[Json]], Any], *, app: str | None = None, what: str = "") -> list[Json]:
        """What bots posted, as soon as `look` likes it."""
        seen = 0
        give_up_at = time.monotonic() + PATIENCE
        while True:
            messages = self.posted(app)
            if look(messages):
                return messages
            if time.monotonic() > give_up_at:
                raise AssertionError(f"not posted: {what} {json.dumps(messages, ensure_ascii=False)[-3000:]}")
            seen += len(self.do("journal", after=seen, wait=1.0)["entries"])


def _fits(entry: Json, kind: str, facts: Json) -> bool:
    return entry["kind"] == kind and all(entry.get(name) == value for name, value in facts.items())
