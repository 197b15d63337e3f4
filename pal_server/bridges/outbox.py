"""Sends what the server wants shown: claimed under a lease, sent once, settled; on doubt the platform is asked first.

One task per claimed post, a few per bot at a time, so a platform that hangs for one bot delays no other. What a
platform limits waits in its bucket; a card that changes faster than it may be shown is given back, and its newest state
is claimed when there is room.
"""

import asyncio
import hashlib
import logging
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic, time
from typing import Protocol

import msgspec

from pal_server.client.aio import ApiProblem, Client, Unreachable
from pal_server.client.retry import Pauses, is_worth_repeating
from pal_server.contract import bridges as wire

from . import text as texts
from .buckets import Buckets
from .calls import ahead_of_us, insist
from .cards import plain
from .outbound import (
    CannotTell,
    Doubtful,
    EditCard,
    EditText,
    FileOut,
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
from .outgoing import as_repeat, file_out, outgoing
from .platform import BadCredentials, Charge, Connection, Dropped, Platform

CLAIM_WAIT = 20_000  # milliseconds a claim waits for something to do
CLAIM_LIMIT = 40
PER_BOT = 8  # posts of one bot under way at a time
SEND_WITHIN = 20.0  # seconds; a platform gives up after 15 by itself
FIND_WITHIN = 15.0  # seconds
STARTING = 30.0  # seconds after a change of the bots in which claims wait only briefly
PATIENCE = 3.0  # seconds a post may wait for its buckets before it is given back
AGAIN = 1.0  # seconds between two sends with the same key
SETTLE_FOR = 40.0  # seconds to try to tell the server what became of a post; its lease is over then
ASKS = 6  # tries to ask the platform about a post before it is sent again, marked; and repeats of it that may be lost
AWAY = 10.0  # seconds between two looks whether a platform that answers nothing is back
PING_WITHIN = 5.0  # seconds; with asking and sending it stays within the lease of a post
TRIED = 10_000  # posts whose last try is remembered
CREDENTIALS_PAUSE = 60_000  # milliseconds

log = logging.getLogger(__name__)


class Bot(Protocol):
    """A bot as the outbox needs it."""

    id: str
    lease_id: str
    connection: Connection

    def alive(self) -> None: ...
    def refused(self, reason: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    """What to tell the server of a post."""

    result: wire.PostResult
    ref: str | None = None
    after: float = 0.0  # seconds
    reason: str = ""
    repeated: bool = False
    version: int | None = None  # what the platform has; the one that was claimed, unless another one is known
    shown: str | None = None  # the text that is shown now


_BEING_OPENED = _Verdict(result="later", after=AGAIN, reason="its bot is being opened anew")
_NOT_SENT = _Verdict(result="later", after=AGAIN, reason="its bridge has ended")


class Outbox:
    """`bots` are those held now; `changed` is called when the server says that they are others now."""

    def __init__(
        self,
        *,
        client: Client,
        platform: Platform,
        bots: Mapping[str, Bot],
        buckets: Buckets,
        emoji: str,
        changed: Callable[[], None],
    ) -> None:
        self._client = client
        self._platform = platform
        self._bots = bots
        self._buckets = buckets
        self._emoji = emoji
        self._changed = changed
        self._revision = 0
        self._hurry_until = 0.0  # until then a bot may have been started that the claim under way does not name
        self._tried: dict[int, int] = {}  # which version of a post was sent, where the answer may be lost
        self._lost: dict[int, int] = {}  # how many repeats of a post were lost as well
        self._ahead = 0  # milliseconds
        self._under_way: Counter[str] = Counter()
        self._tasks: dict[asyncio.Task[None], wire.ClaimedPost] = {}
        self._begun: set[tuple[int, int]] = set()  # id and fence of posts the platform was, or is being, told of
        self._done = asyncio.Event()
        self._folder = Path(tempfile.mkdtemp(prefix="pal-bridge-"))

    async def run(self) -> None:
        """Claim and send for ever."""
        pauses = Pauses(longest=5.0)
        try:
            while True:
                try:
                    await self._step()
                    pauses.reset()
                except (ApiProblem, Unreachable) as error:
                    if isinstance(error, ApiProblem) and error.status in (401, 403):
                        raise
                    await asyncio.sleep(pauses.next())
        finally:
            await self._close()

    async def _step(self) -> None:
        free = {bot.id: bot for bot in self._bots.values() if self._under_way[bot.id] < PER_BOT}
        if not free:
            self._done.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._done.wait()
            return
        held = [wire.HeldLease(bot=bot.id, lease_id=bot.lease_id) for bot in free.values()]
        busy = len(free) < len(self._bots)
        asked = wire.ClaimPosts(
            platform=self._platform.name,
            held=held,
            limit=min(CLAIM_LIMIT, PER_BOT * len(free)),
            revision=self._revision,
            wait=1_000 if busy or monotonic() < self._hurry_until else CLAIM_WAIT,
        )
        answer = await self._client.call("POST", "/api/bridges/posts/claim", body=asked, answer=wire.ClaimedPostsAnswer)
        self._ahead = ahead_of_us(answer.now)
        if answer.revision != self._revision:
            self._revision = answer.revision
            self._hurry_until = monotonic() + STARTING
            self._changed()
        for post in answer.posts:
            self._start(post)

    def _start(self, post: wire.ClaimedPost) -> None:
        self._under_way[post.bot] += 1
        task = asyncio.create_task(self._carry_out(post), name=f"post {post.id}")
        self._tasks[task] = post

        def ended(done: asyncio.Task[None]) -> None:
            del self._tasks[done]
            self._begun.discard((post.id, post.fence))
            self._under_way[post.bot] -= 1
            self._done.set()

        task.add_done_callback(ended)

    async def _carry_out(self, post: wire.ClaimedPost) -> None:
        """A bot that is being opened anew sends nothing: its post is given back, and is in no doubt."""
        bot = self._bots.get(post.bot)
        try:
            verdict = _BEING_OPENED if bot is None else await self._verdict(bot, post)
            await self._settle(post, verdict)
        except ApiProblem as problem:  # another bridge has it now, or the server wants nothing of it any more
            log.info("a post is not ours any more: %s", problem, extra={"action": "outbox.lost", "post": post.id})
            if (post.id, post.fence) not in self._begun:  # as where it changed while it was split: nothing was sent
                soon = AGAIN if problem.code == "conflict" else 0.0  # what will not be split the next time either waits
                await self._lay_down(post, _Verdict(result="later", after=soon, reason=problem.message))
        except Unreachable as error:  # its lease runs out, and whoever claims it then asks the platform first
            log.warning("the server is away: %s", error, extra={"action": "outbox.away", "post": post.id})
        except Exception:  # the edge of one post: what breaks it breaks no other
            log.exception("a post could not be carried out", extra={"action": "outbox.post", "post": post.id})
            await self._give_back(post)

    async def _verdict(self, bot: Bot, post: wire.ClaimedPost) -> _Verdict:
        capabilities = self._platform.capabilities
        if post.kind == "reaction" and not capabilities.reactions:
            return _Verdict(result="sent", ref="")
        if post.kind == "file" and post.ref is not None and not post.gone:
            return _Verdict(result="sent")  # a file that is there stays as it is; once more would be twice
        file, words = None, None
        if post.kind == "file" and not post.gone:
            try:
                file = await self._file(post)
                words = f"The file {post.body['name']} is too large to be sent here."
            except ApiProblem as problem:  # it has ended; what was said after it waits for this post
                if is_worth_repeating(problem):
                    return _Verdict(result="later", reason=f"its file cannot be fetched now: {problem}")
                words = f"The file {post.body['name']} cannot be shown here: {problem.message}."
            if file is None:
                post = _as_text(post, words)
        elif post.kind == "text" and not post.gone:
            words = await self._first_part(post)
        out = outgoing(post, capabilities=capabilities, emoji=self._emoji, file=file, text=words)
        try:
            return _Verdict(result="sent") if out is None else await self._send(bot, post, out)
        finally:
            if file is not None:
                file.path.unlink(missing_ok=True)

    async def _send(self, bot: Bot, post: wire.ClaimedPost, out: Outgoing) -> _Verdict:
        repeated = False
        if post.doubt and _can_double(out):
            known = await self._find_out(bot, post, out)
            if isinstance(known, _Verdict):
                return known
            repeated = known
        if repeated and not await self._answers(bot):  # while it is away, each send would be one more repeat
            return _Verdict(result="later", after=AWAY, reason="the platform does not answer")
        if _can_double(out) and (repeated or post.repeated):  # once said, always said: an earlier repeat may be there
            out = as_repeat(out)
        if (wait := await self._room(bot, out)) > 0:
            if post.doubt and repeated:
                return _Verdict(result="doubt", after=wait, reason="waits for the platform's limit")
            return _Verdict(result="later", after=wait, reason="waits for the platform's limit")
        if self._bots.get(bot.id) is not bot:
            return _BEING_OPENED
        self._begun.add((post.id, post.fence))
        if _can_double(out):
            _remember(self._tried, post, post.version)
        outcome = await self._try(bot, out)
        return await self._judge(bot, post, out, outcome, repeated=repeated)

    async def _judge(
        self, bot: Bot, post: wire.ClaimedPost, out: Outgoing, outcome: Outcome, *, repeated: bool
    ) -> _Verdict:
        match outcome:
            case Sent():
                bot.alive()
                if not outcome.whole and _may_split(post):
                    await self._split(post, parts=[_words(out)], as_file=True)
                return _Verdict(result="sent", ref=outcome.ref, repeated=repeated, shown=_words(out) or None)
            case Limited():
                charges = self._charges(bot, out)
                self._buckets.block(charges, seconds=outcome.after, only=outcome.bucket)
                return _Verdict(result="later", after=outcome.after, reason="the platform says: too fast")
            case Unsent():
                return _Verdict(result="later", reason=outcome.reason)
            case Refused():
                return await self._other_way(bot, post, out, outcome, repeated=repeated)
            case Doubtful():
                return await self._after_doubt(bot, post, out, outcome, repeated=repeated)

    async def _after_doubt(
        self, bot: Bot, post: wire.ClaimedPost, out: Outgoing, doubt: Doubtful, *, repeated: bool
    ) -> _Verdict:
        """The answer was lost. What can be done twice without harm is; of the rest the platform is asked."""
        if repeated:  # not counted by its tries: hours without a network, or of one key, are tries as well
            lost = self._lost.get(post.id, 0) + 1
            if lost >= ASKS:  # the platform answers all but this, and each says that it may be a repeat
                return _Verdict(result="sent", ref=None, repeated=True, reason=doubt.reason)
            _remember(self._lost, post, lost)
        if not _can_double(out):
            return _Verdict(result="later", after=AGAIN, reason=doubt.reason)
        return _Verdict(result="doubt", reason=doubt.reason, repeated=repeated)

    async def _find_out(self, bot: Bot, post: wire.ClaimedPost, out: Outgoing) -> "_Verdict | bool":
        """What became of an earlier try: a verdict, or whether the next send may be a repeat."""
        capabilities = self._platform.capabilities
        since = max(0, (post.since or 0) - self._ahead)
        age = time() - since / 1000
        if capabilities.same_key and age < capabilities.same_key_for * 0.9:
            return False
        if not capabilities.find:
            return True
        try:
            async with asyncio.timeout(FIND_WITHIN):
                found = await bot.connection.find(out, since=since)
        except TimeoutError:
            found = CannotTell(reason="no answer to the question whether it was posted", again=True)
        match found:
            case Sent():
                bot.alive()
                # Of another bridge's try nobody knows what it showed, and what was found need not be the repeat.
                version = 0 if post.repeated else self._tried.get(post.id, 0)
                return _Verdict(result="sent", ref=found.ref, version=version)
            case NotThere():
                bot.alive()
                return False
            case CannotTell() if found.again and post.tries < ASKS:
                return _Verdict(result="doubt", reason=found.reason)
            case CannotTell():
                return True

    async def _answers(self, bot: Bot) -> bool:
        """Whether the platform answers this bot anything now, where things are sent to it."""
        try:
            async with asyncio.timeout(PING_WITHIN):
                await bot.connection.answers()
        except (Dropped, BadCredentials, TimeoutError, OSError):
            return False
        bot.alive()
        return True

    async def _other_way(
        self, bot: Bot, post: wire.ClaimedPost, out: Outgoing, refused: Refused, *, repeated: bool
    ) -> _Verdict:
        """What is refused as it is may go in another form."""
        match refused.why, out:
            case Why.SCOPE, React() | Unreact():
                return _Verdict(result="sent", ref="")  # a permission that is left out on purpose, as the guides say
            case (Why.CREDENTIALS, _) | (Why.SCOPE, PostText() | PostCard()):  # given back, everything is said
                bot.refused(refused.reason)
                return _Verdict(result="later", after=CREDENTIALS_PAUSE / 1000, reason=refused.reason)
            case (Why.GONE | Why.UNABLE, Withdraw() | Unreact() | React()):
                return _Verdict(result="sent", ref="")
            case Why.UNABLE, EditText():
                return _Verdict(result="sent")  # what cannot be changed stays; once more would be twice
            case (Why.GONE | Why.TOO_LATE | Why.UNABLE, EditCard() | EditText()):
                return _Verdict(result="anew", reason=refused.reason)
            case Why.GONE, PostText() | PostCard() | PostFile() if out.reply_to:
                return await self._instead(bot, post, replace(out, reply_to=""), repeated=repeated)
            case Why.CARD | Why.TOO_LONG, PostCard():
                said = PostText(key=out.key, place=out.place, text=plain(out.card), reply_to=out.reply_to)
                return await self._instead(bot, post, self._shortened(said), repeated=repeated)
            case Why.CARD | Why.TOO_LONG, EditCard():
                edit = EditText(key=out.key, place=out.place, ref=out.ref, text=plain(out.card))
                return await self._instead(bot, post, edit, repeated=repeated)
            case Why.TOO_LONG, PostText() if _may_split(post):
                half = self._platform.limits.text // 2
                parts, as_file = texts.split(out.text, limit=half, measure=self._platform.measure)
                if len(parts) > 1 or as_file:
                    await self._split(post, parts=parts, as_file=as_file)
                    return await self._instead(bot, post, replace(out, text=parts[0]), repeated=repeated)
            case _:
                pass
        return _Verdict(result="refused", reason=refused.reason)

    async def _instead(self, bot: Bot, post: wire.ClaimedPost, out: Outgoing, *, repeated: bool) -> _Verdict:
        """One more try in another form; a second refusal is the end."""
        outcome = await self._try(bot, out)
        if isinstance(outcome, Refused):
            return _Verdict(result="refused", reason=outcome.reason)
        return await self._judge(bot, post, out, outcome, repeated=repeated)

    async def _try(self, bot: Bot, out: Outgoing) -> Outcome:
        try:
            async with asyncio.timeout(SEND_WITHIN):
                return await bot.connection.send(out)
        except TimeoutError:
            return Doubtful(reason=f"no answer within {SEND_WITHIN:g} s")

    async def _room(self, bot: Bot, out: Outgoing) -> float:
        """Seconds until it may be sent; 0 when it may now, and counts. What is new waits a little here."""
        charges = self._charges(bot, out)
        patience = 0.0 if isinstance(out, EditCard | EditText) else PATIENCE
        while (wait := self._buckets.take(charges)) > 0:
            if wait > patience:
                return wait
            patience -= wait
            await asyncio.sleep(wait)
        return 0.0

    def _charges(self, bot: Bot, out: Outgoing) -> tuple[Charge, ...]:
        charges = bot.connection.charges(out)
        if isinstance(out, EditCard | EditText):
            every = max(0.05, self._platform.limits.edit_every)
            charges = (*charges, Charge(f"edit:{bot.id}:{out.ref}", 1 / every))
        return charges

    async def _first_part(self, post: wire.ClaimedPost) -> str:
        """What is sent now of a text: all of it, or its first part, when the rest is stored as parts of its own."""
        words = str(post.body["text"])
        if post.part != 1 or self._platform.measure(words) <= self._platform.limits.text:
            if post.part == 1 and post.parts > 1 and "whole" not in post.body:
                await self._split(post, parts=[words])  # it was longer once
            return words
        parts, as_file = texts.split(words, limit=self._platform.limits.text, measure=self._platform.measure)
        await self._split(post, parts=parts, as_file=as_file)
        return parts[0]

    async def _split(self, post: wire.ClaimedPost, *, parts: list[str], as_file: bool = False) -> None:
        asked = wire.SplitPost(
            lease_id=post.lease_id, fence=post.fence, version=post.version, parts=parts, as_file=as_file
        )
        path = f"/api/bridges/posts/{post.id}/split"
        await insist(self._client, path, body=asked, answer=wire.PostAnswer, within=SETTLE_FOR)

    def _shortened(self, out: PostText) -> PostText:
        limit, measure = self._platform.limits.text, self._platform.measure
        if measure(out.text) <= limit:
            return out
        return replace(out, text=texts.cut(out.text, limit=limit, measure=measure)[0])

    async def _file(self, post: wire.ClaimedPost) -> FileOut | None:
        """The file on disk; None when the platform takes none of its size."""
        if "content" in post.body:
            content = str(post.body["content"]).encode()
        else:
            content = await self._client.download(f"/f/{post.body['file']}")
        if len(content) > self._platform.limits.file_bytes or not self._platform.capabilities.files:
            return None
        path = self._folder / f"{post.id}-{post.fence}"
        path.write_bytes(content)
        return file_out(path, name=str(post.body["name"]), mime=str(post.body.get("mime") or "text/plain"))

    async def _settle(self, post: wire.ClaimedPost, verdict: _Verdict) -> None:
        shown = None if verdict.shown is None else hashlib.sha256(verdict.shown.encode()).hexdigest()
        told = wire.SettlePost(
            lease_id=post.lease_id,
            fence=post.fence,
            result=verdict.result,
            ref=verdict.ref,
            version=post.version if verdict.version is None else verdict.version,
            after=round(verdict.after * 1000),
            reason=verdict.reason,
            repeated=verdict.repeated,
            shown_hash=shown,
        )
        path = f"/api/bridges/posts/{post.id}/settle"
        await insist(self._client, path, body=told, answer=wire.PostAnswer, within=SETTLE_FOR)

    async def _lay_down(self, post: wire.ClaimedPost, verdict: _Verdict = _NOT_SENT) -> None:
        try:
            await self._settle(post, verdict)
        except (ApiProblem, Unreachable) as error:
            log.info("it could not be given back: %s", error, extra={"action": "outbox.lost", "post": post.id})

    async def _give_back(self, post: wire.ClaimedPost) -> None:
        """Whether it was sent is not known: the next one asks."""
        try:
            await self._settle(post, _Verdict(result="doubt", reason="the bridge met a defect of its own"))
        except (ApiProblem, Unreachable) as error:
            log.info("it could not be given back: %s", error, extra={"action": "outbox.lost", "post": post.id})

    async def _close(self) -> None:
        """What is being sent has a moment to end; what does not is in doubt, and the next bridge asks. What only waits
        is given back, in no doubt.
        """
        waiting = {task: post for task, post in self._tasks.items() if (post.id, post.fence) not in self._begun}
        for task in waiting:
            task.cancel()
        last = {asyncio.create_task(self._lay_down(post), name=f"post {post.id}") for post in waiting.values()}
        last |= set(self._tasks) - set(waiting)
        if last:
            _, late = await asyncio.wait(last, timeout=1.0)
            for task in late:
                task.cancel()
            await asyncio.gather(*waiting, *late, return_exceptions=True)
        for path in self._folder.glob("*"):
            path.unlink(missing_ok=True)
        self._folder.rmdir()


def _remember(known: dict[int, int], post: wire.ClaimedPost, value: int) -> None:
    """The latest last; those that are longest ago are forgotten."""
    known.pop(post.id, None)
    known[post.id] = value
    if len(known) > TRIED:
        del known[next(iter(known))]


def _can_double(out: Outgoing) -> bool:
    """Whether sending it twice would show it twice."""
    return isinstance(out, PostText | PostCard | PostFile)


def _may_split(post: wire.ClaimedPost) -> bool:
    """Whether the server stores the rest of it: of what was said, not of a later part, nor of words about a file."""
    return post.kind == "text" and post.part == 1 and "name" not in post.body


def _words(out: Outgoing) -> str:
    return out.text if isinstance(out, PostText | EditText) else ""


def _as_text(post: wire.ClaimedPost, words: str) -> wire.ClaimedPost:
    return msgspec.structs.replace(post, kind="text", body={**post.body, "text": words})
