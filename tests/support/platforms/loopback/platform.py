"""The loopback platform as a bridge sees it. `PAL_LOOPBACK` in the environment takes abilities away: "find,forms"."""

import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from typing import Any

import aiohttp

from pal_server.bridges.inbound import (
    Attachment,
    CardAction,
    Command,
    Deleted,
    Edited,
    Event,
    Person,
    Place,
    PlaceKind,
    Said,
)
from pal_server.bridges.outbound import (
    CannotTell,
    Doubtful,
    EditCard,
    EditText,
    Found,
    Limited,
    NotThere,
    Outcome,
    Outgoing,
    PostCard,
    PostFile,
    PostText,
    React,
    Refused,
    Sent,
    Unreact,
    Unsent,
    Why,
    Withdraw,
)
from pal_server.bridges.platform import (
    BadCredentials,
    BotSettings,
    CannotCreate,
    Capabilities,
    Charge,
    Checked,
    Connection,
    Credential,
    Dropped,
    Ears,
    Finding,
    Limits,
    NotStored,
    Shown,
)

NAME = "loopback"
TEXT = 200  # characters


class Loopback:
    name = NAME
    label = "Loopback"
    credentials = (Credential(name="secret", label="Secret"),)
    options: tuple[Credential, ...] = ()
    working = "eyes"

    def __init__(self, *, without: frozenset[str] = frozenset(), edit_every: float = 0.05) -> None:
        able = {name: name not in without for name in ("find", "forms", "read_back")}
        self.capabilities = Capabilities(same_key=False, **able)
        self.limits = Limits(text=TEXT, edit_every=edit_every, file_bytes=10_000)

    def measure(self, text: str) -> int:
        return len(text)

    def app_id(self, secrets: Mapping[str, str]) -> str:
        return ""

    async def check(self, bot: BotSettings) -> Checked:
        async with aiohttp.ClientSession() as session:
            body = {"app_id": bot.app_id, "secret": bot.secrets["secret"]}
            async with session.post(f"{bot.base_url}/open", json=body) as answer:
                ok = answer.status == 200
        text = "the secret is right" if ok else "the secret is wrong"
        finding = Finding(what="secret", ok=ok, text=text, advice="" if ok else "ask the loop for another")
        return Checked(ok=ok, bot_id="B1", app_id=bot.app_id, name="Loop", findings=(finding,))

    async def open(self, bot: BotSettings) -> Connection:
        return LoopbackConnection(bot, find=self.capabilities.find)

    def guide(self) -> str:
        return "Nothing to do."

    async def create_app(self, name: str, *, base_url: str | None, show: Shown) -> Mapping[str, str]:
        raise CannotCreate("it is there")


class LoopbackConnection:
    def __init__(self, bot: BotSettings, *, find: bool) -> None:
        self._bot = bot
        self._url = str(bot.base_url)
        self._can_find = find
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))

    async def listen(self, ears: Ears) -> None:
        try:
            connection = await self._open()
            ears.up()
            while True:
                query = {"bot": self._bot.app_id, "connection": connection}
                async with self._session.get(f"{self._url}/next", params=query) as answer:
                    if answer.status == 410:
                        raise Dropped("the world has cut the socket")
                    event = await answer.json() if answer.status == 200 else None
                ears.alive()
                if event is not None:
                    await self._take(ears, event)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Dropped(str(error) or type(error).__name__) from error

    async def _take(self, ears: Ears, told: dict[str, Any]) -> None:
        try:
            heard = await ears.hear(event_of(told))
        except NotStored:
            return
        answer = {"text": heard.text, "kind": heard.kind.value}
        body = {"bot": self._bot.app_id, "number": told["number"], "answer": answer}
        async with self._session.post(f"{self._url}/ack", json=body):
            return

    def charges(self, out: Outgoing) -> tuple[Charge, ...]:
        return (Charge(f"chat:{out.place.chat}", 50.0, 20.0),)

    async def send(self, out: Outgoing) -> Outcome:
        body = {"bot": self._bot.app_id, "key": out.key, "chat": out.place.chat, "thread": out.place.thread}
        try:
            async with self._session.post(f"{self._url}/send", json={**body, **_content(out)}) as answer:
                told = await answer.json()
        except aiohttp.ClientConnectorError as error:
            return Unsent(reason=str(error))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return Doubtful(reason=str(error) or type(error).__name__)
        match answer.status:
            case 200:
                return Sent(ref=told["ref"])
            case 429:
                return Limited(after=told["after"])
            case 403:
                return Refused(why=Why(told["why"]), reason="as the test wants")
            case _:
                return Doubtful(reason=f"HTTP {answer.status}")

    async def find(self, out: Outgoing, *, since: int) -> Found:
        if not self._can_find:
            return CannotTell(reason="this world keeps no keys")
        try:
            async with self._session.get(f"{self._url}/find", params={"key": out.key}) as answer:
                ref = (await answer.json())["ref"]
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return CannotTell(reason=str(error), again=True)
        return NotThere() if ref is None else Sent(ref=ref)

    async def fetch(self, message: str, attachment: Attachment) -> AsyncIterator[bytes]:
        async with self._session.get(f"{self._url}/file", params={"key": attachment.key}) as answer:
            if answer.status != 200:
                raise OSError("there is no such file")
            yield await answer.read()

    async def name_of(self, person: Person) -> str:
        return f"Name of {person.id}"

    async def read_back(self, places: tuple[Place, ...], *, since: int) -> tuple[Event, ...]:
        async with self._session.get(f"{self._url}/history", params={"bot": self._bot.app_id}) as answer:
            if answer.status != 200:
                raise OSError("there is no history now")
            known = {(place.chat, place.thread) for place in places}
            return tuple(event_of(one) for one in await answer.json() if (one["chat"], one["thread"]) in known)

    async def ping(self) -> None:
        try:
            await self._open()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Dropped(str(error) or type(error).__name__) from error

    async def answers(self) -> None:
        await self.ping()

    async def close(self) -> None:
        await self._session.close()

    async def _open(self) -> int:
        body = {"app_id": self._bot.app_id, "secret": self._bot.secrets["secret"]}
        async with self._session.post(f"{self._url}/open", json=body) as answer:
            if answer.status == 401:
                raise BadCredentials("wrong secret")
            return int((await answer.json())["connection"])


def event_of(told: dict[str, Any]) -> Event:
    base: dict[str, Any] = {
        "event": told["event"],
        "place": Place(
            chat=told["chat"], thread=told["thread"], kind=PlaceKind(told["kind"]), title=told.get("title", "")
        ),
        "person": Person(id=told["person"], name=told.get("name", "")),
        "at": 1,
        "raw": told["text"],
    }
    ref, text = told["ref"], told["text"]
    match told["type"]:
        case "said":
            files = tuple(Attachment(**file) for file in told.get("files", ()))
            unsupported = told.get("unsupported", "")
            return Said(**base, message=ref, text=text, files=files, unsupported=unsupported)
        case "edited":
            return Edited(**base, message=told["of"], text=text)
        case "deleted":
            return Deleted(**base, message=told["of"])
        case "action":
            return CardAction(**base, message=ref, token=told["token"], values=told.get("values", {}))
        case _:
            return Command(**base, name=told["name_of_command"], text=text)


def _content(out: Outgoing) -> dict[str, Any]:
    match out:
        case PostText():
            return {"verb": "post", "kind": "text", "content": out.text}
        case PostCard():
            return {"verb": "post", "kind": "card", "content": asdict(out.card)}
        case PostFile():
            return {"verb": "post", "kind": "file", "content": {"name": out.file.name, "size": out.file.size}}
        case EditText():
            return {"verb": "edit", "ref": out.ref, "content": out.text}
        case EditCard():
            return {"verb": "edit", "ref": out.ref, "content": asdict(out.card)}
        case Withdraw():
            return {"verb": "withdraw", "ref": out.ref}
        case React():
            return {"verb": "react", "message": out.message, "emoji": out.emoji}
        case Unreact():
            return {"verb": "unreact", "message": out.message, "emoji": out.emoji}


PLATFORM = Loopback(without=frozenset(os.environ.get("PAL_LOOPBACK", "").split(",")))
