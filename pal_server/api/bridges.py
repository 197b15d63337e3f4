"""What bridges say: that they live, what they heard, what they sent."""

import asyncio
from time import perf_counter

import msgspec

from pal_server.actions import bots, inbound, posts
from pal_server.actions.bots import Held, Report
from pal_server.api.present import present
from pal_server.api.routing import Call
from pal_server.api.services import STOPPING
from pal_server.contract import bridges as contract
from pal_server.contract.base import Done
from pal_server.domain.inbound import Answered, Incoming
from pal_server.sealing import unseal
from pal_server.storage.inbound import InboundEvent

WAIT_MAX = 30_000  # milliseconds a claim may wait
GATHER = 0.01  # seconds in which more may come due: many posts are one answer


async def beat(call: Call) -> contract.BeatAnswer:
    request = call.body(contract.BridgeBeat)
    reports = [
        Report(
            id=one.id,
            lease_id=one.lease_id,
            revision=one.revision,
            listening=one.listening,
            error=one.error,
            heard_at=one.heard_at,
            deaf_since=one.deaf_since,
        )
        for one in request.bots
    ]
    known = {one.id: (one.lease_id, one.revision) for one in request.bots}
    done = await call.write(
        bots.beat, actor=call.actor, platform=request.platform, holder=request.holder, reports=reports
    )
    return contract.BeatAnswer(bots=[_held(call, one, known=known) for one in done.held], now=call.services.clock())


async def let_go(call: Call) -> Done:
    request = call.body(contract.LetGo)
    await call.write(bots.let_go, actor=call.actor, platform=request.platform, holder=request.holder)
    return Done()


async def hear(call: Call) -> contract.HeardAnswer:
    request = call.body(contract.HearEvent)
    given = {name: value for name, value in msgspec.structs.asdict(request).items() if name not in ("bot", "lease_id")}
    files = tuple(msgspec.structs.asdict(file) for file in request.files)
    incoming = Incoming(**{**given, "files": files, "others": tuple(request.others)})
    answered = await call.write(
        inbound.hear, actor=call.actor, bot=request.bot, lease_id=request.lease_id, incoming=incoming
    )
    call.services.metrics.count("pal_inbound_total", "What platforms told, by outcome.", outcome=answered.outcome)
    return _heard(answered)


async def hand_in_files(call: Call) -> contract.HeardAnswer:
    request = call.body(contract.HandInFiles)
    answered = await call.write(
        inbound.with_files,
        actor=call.actor,
        bot=request.bot,
        lease_id=request.lease_id,
        id=call.number(),
        files=request.files,
        missing=request.missing,
    )
    return _heard(answered)


async def claim(call: Call) -> contract.ClaimedPostsAnswer:
    """With `wait`, answers as soon as something may be sent or the bots have changed."""
    request = call.body(contract.ClaimPosts)
    hub = call.services.hub
    held = [(one.bot, one.lease_id) for one in request.held]
    left = min(max(request.wait, 0), WAIT_MAX) / 1000
    keys = (f"bridge:{request.platform}", STOPPING)
    while True:
        seen = hub.count(*keys)
        claims = await call.read(posts.outlook, actor=call.actor, platform=request.platform, held=held)
        if not call.is_heard:  # what a dead bridge is given would be in doubt, and the next one could only mark it
            break
        if claims.next_at is not None and claims.next_at <= claims.now:
            claims = await call.write(
                posts.claim, actor=call.actor, platform=request.platform, held=held, limit=request.limit
            )
        is_news = bool(claims.claimed) or claims.revision != request.revision
        if is_news or left <= 0 or call.services.lifetime.is_stopping:
            break
        due = left if claims.next_at is None else max(0.01, (claims.next_at - claims.now) / 1000)
        begun = perf_counter()
        await hub.wait(*keys, seen=seen, timeout=min(left, due))
        await asyncio.sleep(GATHER)
        left -= perf_counter() - begun
    return contract.ClaimedPostsAnswer(
        posts=[_claimed(one) for one in claims.claimed],
        revision=claims.revision,
        next_at=claims.next_at,
        now=claims.now,
    )


async def renew(call: Call) -> contract.PostAnswer:
    request = call.body(contract.UnderPostLease)
    post = await call.write(
        posts.renew, actor=call.actor, id=call.number(), lease_id=request.lease_id, fence=request.fence
    )
    return contract.PostAnswer(post=present(post, contract.Post))


async def settle(call: Call) -> contract.PostAnswer:
    request = call.body(contract.SettlePost)
    post = await call.write(
        posts.settle,
        actor=call.actor,
        id=call.number(),
        lease_id=request.lease_id,
        fence=request.fence,
        result=request.result,
        ref=request.ref,
        version=request.version,
        after=request.after,
        reason=request.reason,
        repeated=request.repeated,
        shown_hash=request.shown_hash,
    )
    call.services.metrics.count("pal_posts_total", "Tries to show something outside.", result=request.result)
    return contract.PostAnswer(post=present(post, contract.Post))


async def split(call: Call) -> contract.PostAnswer:
    request = call.body(contract.SplitPost)
    post = await call.write(
        posts.split,
        actor=call.actor,
        id=call.number(),
        lease_id=request.lease_id,
        fence=request.fence,
        version=request.version,
        parts=request.parts,
        as_file=request.as_file,
    )
    return contract.PostAnswer(post=present(post, contract.Post))


def _held(call: Call, held: Held, *, known: dict[str, tuple[str, int]]) -> contract.HeldBot:
    bot = held.bot
    assert bot.lease_id is not None, "it was leased in this beat"
    has_it = known.get(bot.id) == (bot.lease_id, bot.revision)
    opened = None if has_it else unseal(call.services.key, bot.sealed, bound=f"{bot.platform}:{bot.app_id}")
    return contract.HeldBot(
        id=bot.id,
        app_id=bot.app_id,
        lease_id=bot.lease_id,
        revision=bot.revision,
        credentials=opened,
        base_url=bot.base_url,
        options=bot.options,
        bot_id=bot.bot_id,
        deaf_since=bot.deaf_since,
        waiting=[_waiting(one) for one in held.waiting],
        places=[
            msgspec.convert(
                {"chat": one.chat, "thread": one.thread, "kind": one.kind, "title": one.title, "memo": one.memo},
                contract.OutsidePlace,
            )
            for one in held.places
        ],
    )


def _waiting(event: InboundEvent) -> contract.WaitingEvent:
    held = event.held or {"incoming": {"files": []}, "room": ""}
    return contract.WaitingEvent(id=event.id, ref=event.ref, files=list(held["incoming"]["files"]), room=held["room"])


def _heard(answered: Answered) -> contract.HeardAnswer:
    return present(answered, contract.HeardAnswer)


def _claimed(claimed: posts.Claimed) -> contract.ClaimedPost:
    post, link = claimed.post, claimed.link
    return msgspec.convert(
        {
            "id": post.id,
            "bot": post.bot_id,
            "key": post.key,
            "kind": post.kind,
            "purpose": post.purpose,
            "chat": post.chat,
            "thread": post.thread,
            "part": post.part,
            "parts": post.parts,
            "body": post.body,
            "version": post.wanted,
            "gone": post.gone,
            "ref": post.ref,
            "doubt": post.doubt,
            "since": post.since,
            "repeated": post.repeated,
            "tries": post.tries,
            "lease_id": post.lease_id,
            "fence": post.fence,
            "place": link.kind if link is not None else post.body.get("place", "group"),
            "title": "" if link is None else link.title,
            "memo": link.memo if link is not None else post.body.get("memo", ""),
        },
        contract.ClaimedPost,
    )
