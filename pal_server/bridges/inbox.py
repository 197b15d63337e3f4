"""What a bot hears is stored by the server before the platform is told that it was heard."""

import asyncio
import logging
from collections.abc import Callable

import msgspec

from pal_server.client.aio import ApiProblem, Client, Unreachable
from pal_server.contract import bridges as wire
from pal_server.contract.files import ArtifactAnswer

from .calls import persist
from .cards import Card
from .inbound import Attachment, CardAction, Command, Deleted, Edited, Event, Heard, Said, ToastKind
from .platform import Connection, NotStored, NotTaken

HEAR_WITHIN = 2.3  # seconds; platforms want their acknowledgement within three
NAME_WITHIN = 0.5  # seconds of these for a name that has to be asked for
FETCH_WITHIN = 120.0  # seconds for one file
TRIES = 3  # to fetch one file
LEASE_PAUSE = 1.0  # seconds until the bridge has the lease that counts now
HAND_IN_FOR = 3600.0  # seconds to try to hand in a message whose files are here
RAW_LIMIT = 20_000  # characters
TEXT_LIMIT = 250_000  # characters
FILE_LIMIT = 50_000_000  # bytes; what the server takes
AT_ONCE = 4  # messages whose files are fetched at a time
FINAL = frozenset(("conflict", "not_found", "too_large"))  # codes of a server that will not have an event as things are

log = logging.getLogger(__name__)


class Inbox:
    """Of one bot. `lease` gives the newest lease; `lost` is called when the server says it is another's."""

    def __init__(
        self,
        *,
        client: Client,
        bot: str,
        connection: Connection,
        lease: Callable[[], str],
        lost: Callable[[], None],
    ) -> None:
        self._client = client
        self._bot = bot
        self._connection = connection
        self._lease = lease
        self._lost = lost
        self._fetching: dict[int, asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(AT_ONCE)

    async def hear(self, event: Event) -> Heard:
        """See `Ears.hear`. What the server calls wrong is told to the person: told again it would be wrong again."""
        try:
            async with asyncio.timeout(HEAR_WITHIN):
                told = await self._told(event)
                answer = await self._client.call("POST", "/api/bridges/inbound", body=told, answer=wire.HeardAnswer)
        except TimeoutError:
            raise NotStored("the server did not answer in time") from None
        except Unreachable as error:
            raise NotStored(str(error)) from error
        except ApiProblem as problem:
            if problem.status == 400:
                log.error("an event was refused: %s", problem, extra={"action": "inbox.refused", "bot": self._bot})
                return Heard(text="That could not be taken.", kind=ToastKind.ERROR)
            if problem.code == "lease_lost":
                self._lost()
            if problem.code in FINAL:
                raise NotTaken(problem.message) from problem
            raise NotStored(str(problem)) from problem
        if answer.outcome == "waiting":
            self.fetch(wire.WaitingEvent(id=answer.id, ref=told.ref, files=answer.files, room=answer.room))
        card = None if answer.card is None else msgspec.convert(answer.card, Card)
        return Heard(text=answer.text, kind=ToastKind(answer.tone), card=card)

    def fetch(self, waiting: wire.WaitingEvent) -> None:
        """Fetch the files of a message, then let it be said. In the background; each message once at a time."""
        if waiting.id not in self._fetching:
            task = asyncio.create_task(self._fetch(waiting), name=f"files of event {waiting.id}")
            self._fetching[waiting.id] = task
            task.add_done_callback(lambda _: self._fetching.pop(waiting.id, None))

    async def close(self) -> None:
        """Stop fetching; what is not handed in waits for the next bridge."""
        tasks = list(self._fetching.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _told(self, event: Event) -> wire.HearEvent:
        person, place = event.person, event.place
        name = person.name
        if not name:
            try:
                async with asyncio.timeout(NAME_WITHIN):
                    name = await self._connection.name_of(person)
            except (TimeoutError, OSError):
                name = ""
        told = wire.HearEvent(
            bot=self._bot,
            lease_id=self._lease(),
            event=event.event,
            kind=_KINDS[type(event)],
            chat=place.chat,
            thread=place.thread,
            place=place.kind.value,
            title=clean(place.title),
            memo=place.memo,
            person=person.id,
            person_name=clean(name),
            others=list(person.others),
            at=event.at,
            raw=clean(event.raw[:RAW_LIMIT]),
        )
        match event:
            case Said():
                files = [_offer(file) for file in event.files]
                return msgspec.structs.replace(
                    told,
                    ref=event.message,
                    text=clean(event.text),
                    addressed=event.addressed,
                    reply_to=event.reply_to,
                    files=files,
                    unsupported=event.unsupported,
                )
            case Edited():
                text = clean(event.text)
                return msgspec.structs.replace(told, ref=event.message, text=text, addressed=event.addressed)
            case Deleted():
                return msgspec.structs.replace(told, ref=event.message)
            case CardAction():
                values = {
                    key: [clean(one) for one in v] if isinstance(v, tuple) else clean(v)
                    for key, v in event.values.items()
                }
                return msgspec.structs.replace(told, ref=event.message, token=event.token, values=values)
            case Command():
                return msgspec.structs.replace(told, name=event.name, text=clean(event.text))

    async def _fetch(self, waiting: wire.WaitingEvent) -> None:
        files: list[str] = []
        missing: list[str] = []
        async with self._room:
            for told in waiting.files:
                attachment = Attachment(key=told["key"], name=told["name"], mime=told["mime"], size=told.get("size"))
                content = await self._content(waiting.ref, attachment)
                try:
                    if content:
                        files.append(await self._upload(waiting, attachment, content=content))
                        continue
                except (ApiProblem, Unreachable) as error:
                    log.warning("a file was not taken: %s", error, extra={"action": "inbox.file", "bot": self._bot})
                missing.append(attachment.name)
        try:
            await self._hand_in(waiting, files=files, missing=missing)
        except (ApiProblem, Unreachable) as error:  # whoever gets the bot's next lease does it
            log.warning("files could not be handed in: %s", error, extra={"action": "inbox.files", "bot": self._bot})

    async def _hand_in(self, waiting: wire.WaitingEvent, *, files: list[str], missing: list[str]) -> None:
        """Each time under the newest lease: while the server is away ours runs out, and a beat gives the bot to us
        anew. Where it gives it to another, this bot is stopped, and this ends with it.
        """

        async def call() -> wire.HeardAnswer:
            told = wire.HandInFiles(bot=self._bot, lease_id=self._lease(), files=files, missing=missing)
            path = f"/api/bridges/inbound/{waiting.id}/files"
            return await self._client.call("POST", path, body=told, answer=wire.HeardAnswer)

        loop = asyncio.get_running_loop()
        until = loop.time() + HAND_IN_FOR
        while True:
            try:
                await persist(call, within=until - loop.time())
                return
            except ApiProblem as problem:
                if problem.code != "lease_lost" or loop.time() > until:
                    raise
                self._lost()
            await asyncio.sleep(LEASE_PAUSE)

    async def _content(self, ref: str, attachment: Attachment) -> bytes | None:
        """The file's bytes, or None when it cannot be had."""
        for attempt in range(TRIES):
            content = bytearray()
            try:
                async with asyncio.timeout(FETCH_WITHIN):
                    async for piece in self._connection.fetch(ref, attachment):
                        content += piece
                        if len(content) > FILE_LIMIT:
                            return None
            except (OSError, TimeoutError) as error:
                log.info("a file could not be fetched: %s", error, extra={"action": "inbox.fetch", "bot": self._bot})
                await asyncio.sleep(0.5 * (attempt + 1))
                continue
            except Exception:  # the edge of one file: its message is said without it, and not never
                log.exception("fetching a file broke", extra={"action": "inbox.fetch", "bot": self._bot})
                return None
            return bytes(content)
        return None

    async def _upload(self, waiting: wire.WaitingEvent, attachment: Attachment, *, content: bytes) -> str:
        """A second copy after a lost answer harms nobody: the message carries one."""
        query = {"name": attachment.name[:200] or "file", "mime": attachment.mime, "room": waiting.room}

        async def call() -> ArtifactAnswer:
            return await self._client.call("POST", "/api/artifacts", body=content, query=query, answer=ArtifactAnswer)

        return (await persist(call, within=HAND_IN_FOR)).artifact.id


_KINDS: dict[type[Event], wire.EventKind] = {
    Said: "said",
    Edited: "edited",
    Deleted: "deleted",
    CardAction: "action",
    Command: "command",
}


def clean(text: str) -> str:
    """What JSON, databases and one request can hold: a NUL, half a character or megabytes in somebody's words would
    cost all of them. The server cuts sooner, and says so in the message.
    """
    return text[:TEXT_LIMIT].encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _offer(file: Attachment) -> wire.FileOffer:
    return wire.FileOffer(key=file.key, name=clean(file.name), mime=file.mime, size=file.size)
