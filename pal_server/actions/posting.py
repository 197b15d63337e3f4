"""Turns the log into posts: what happens in a topic that is shown outside is shown there.

The log has every change once, in order and without holes, so what follows from it is a fold: read on from a position,
change posts, move the position, in one transaction. After any crash it goes on where it was; nothing is shown twice,
because a post's key is made from what it shows.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from pal_server.actions import notices
from pal_server.actions.buttons import why_over
from pal_server.actions.deliveries import place_of
from pal_server.domain import posts as rules
from pal_server.domain.bots import Bot
from pal_server.domain.deliveries import Delivery
from pal_server.domain.deliveries import Status as DeliveryStatus
from pal_server.domain.interactions import Interaction
from pal_server.domain.messages import Message
from pal_server.domain.posts import Post, PostKind, Purpose, key_of
from pal_server.domain.runs import Run
from pal_server.domain.turn_cards import STEPS, Turn, ask_card, ended_in_words, steps_of, turn_card
from pal_server.errors import Conflict, Unavailable
from pal_server.storage import agents as agent_rows
from pal_server.storage import bots as bot_rows
from pal_server.storage import computers as computer_rows
from pal_server.storage import deliveries as delivery_rows
from pal_server.storage import events, inbound, interactions, links, posts, rooms, runs
from pal_server.storage import messages as message_rows
from pal_server.storage.links import Link
from pal_server.storage.tx import Tx

AT_ONCE = 40  # events in one transaction: whoever is to be acknowledged waits that long at most
LOOKED_AT = 80  # newest run events a card's steps are made of
LAG = 5_000  # events of rooms that are shown nowhere, read again at most
ABOVE = 20  # messages above pal's own words that are looked at for where they belong
NOTICE = 600  # characters of what went wrong
log = logging.getLogger(__name__)
_OVER_WELL = (DeliveryStatus.ACKED, DeliveryStatus.CANCELLED)  # a turn that was over before its card needs none
_SHOWN_ELSEWHERE = frozenset({"interaction", "silent", "paused"})  # cards that the turn's or the question's card shows


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    is_needed: bool  # anything is shown anywhere outside
    is_behind: bool  # something may have to be shown
    has_turns: bool  # cards of turns that are not over
    next_at: int | None = None  # position of the next event that may have to be shown


def step(tx: Tx, *, workspace_id: str, url: str = "", limit: int = AT_ONCE) -> bool:
    """Go on from where the log was left; True when there is more. `url` is where people reach this server."""
    position = posts.position(tx, workspace_id=workspace_id)
    if position is None:
        return False
    newest = events.newest(tx, workspace_id=workspace_id)
    if newest <= position:
        return False
    news = posts.news(tx, workspace_id=workspace_id, position=position, newest=newest, limit=limit)
    more = len(news) == limit
    if not posts.advance(tx, workspace_id=workspace_id, position=news[-1][0] if more else newest, was=position):
        raise Conflict("another server shows what happens at this moment")
    shower = _Shower(tx, workspace_id=workspace_id, url=url)
    for _, kind, data in news:
        shower.show(kind, data)
    return more


def set_aside(tx: Tx, *, workspace_id: str, position: int) -> None:
    """Go on after the event at this position without showing it. `Conflict` when another event is the next one.

    Where it should have been seen a notice says that something is missing: each message once, and of what else happens
    in a topic one for all. What cannot be read even for that is left out without a notice.
    """
    was = posts.position(tx, workspace_id=workspace_id)
    newest = events.newest(tx, workspace_id=workspace_id)
    news = [] if was is None else posts.news(tx, workspace_id=workspace_id, position=was, newest=newest, limit=1)
    if was is None or not news or news[0][0] != position:
        raise Conflict("another event is the next one by now", position=position)
    if not posts.advance(tx, workspace_id=workspace_id, position=position, was=was):
        raise Conflict("another server shows what happens at this moment")
    _, kind, data = news[0]
    try:
        with tx.savepoint():
            _say_missing(tx, workspace_id=workspace_id, kind=kind, data=data)
    except Unavailable:
        raise
    except Exception:  # the rows that broke the event are those a notice is made of
        log.exception("no notice says what is missing", extra={"action": "posting.set_aside", "position": position})


def _say_missing(tx: Tx, *, workspace_id: str, kind: str, data: dict[str, Any]) -> None:
    message = data["id"] if kind.startswith("message.") else None
    for link in [] if data.get("topic") is None else links.of_topic(tx, topic_id=data["topic"]):
        bot = bot_rows.get(tx, link.bot_id, workspace_id=workspace_id)
        if bot is not None and bot.agent is not None:
            notices.say_missing(tx, bot=bot, link=link, message_id=message)


def turns_behind(tx: Tx, *, workspace_id: str) -> list[int]:
    """Deliveries whose runs have done more than their cards show. Steps are not in the log."""
    behind = posts.turns_behind(tx, workspace_id=workspace_id)
    return list(dict.fromkeys(post.delivery_id for post in behind if post.delivery_id is not None))


def refresh(tx: Tx, *, workspace_id: str, deliveries: Iterable[int], url: str = "") -> int:
    """Bring the cards of these up to date; how many changed."""
    shower = _Shower(tx, workspace_id=workspace_id, url=url)
    return sum(shower.turn(delivery) for delivery in deliveries)


def standing(tx: Tx, *, workspace_id: str) -> Standing:
    """What there is to do; a look that writes nothing."""
    position = posts.position(tx, workspace_id=workspace_id)
    if position is None:
        return Standing(is_needed=False, is_behind=False, has_turns=False)
    newest = events.newest(tx, workspace_id=workspace_id)
    news = posts.news(tx, workspace_id=workspace_id, position=position, newest=newest, limit=1)
    has_turns = posts.has_open_turns(tx, workspace_id=workspace_id)
    return Standing(
        is_needed=True,
        is_behind=bool(news) or newest - position > LAG,
        has_turns=has_turns,
        next_at=news[0][0] if news else None,
    )


class _Shower:
    """One pass: what it looks up is looked up once."""

    def __init__(self, tx: Tx, *, workspace_id: str, url: str) -> None:
        self._tx = tx
        self._workspace_id = workspace_id
        self._url = url
        self._bots: dict[str, Bot | None] = {}
        self._links: dict[int, list[Link]] = {}
        self._began: dict[int, tuple[str, str, str] | None] = {}

    def show(self, kind: str, data: dict[str, Any]) -> None:
        noun, _, verb = kind.partition(".")
        match noun:
            case "message":
                self._message(verb, data)
            case "delivery":
                self._delivery(data["id"])
            case "run":
                self._run(verb, data)
            case "interaction":
                self._asked(data["id"])
            case "computer":
                for post in posts.open_turns(self._tx, workspace_id=self._workspace_id):
                    if post.delivery_id is not None:
                        self.turn(post.delivery_id)
            case _:
                return

    def turn(self, delivery_id: int) -> int:
        """Bring the cards of a turn up to date, and end the reaction with it; how many posts changed."""
        changed = 0
        delivery = self._find_delivery(delivery_id)
        if delivery is None:
            return 0
        for post in posts.of_delivery(self._tx, delivery_id=delivery_id):
            if post.purpose is Purpose.TURN:
                changed += self._turn_post(post, delivery=delivery)
            elif post.purpose is Purpose.WORKING:
                changed += self._want(post, body=post.body, gone=delivery.is_final)
        return changed

    def _message(self, verb: str, data: dict[str, Any]) -> None:
        places = self._places(data["topic"])
        if not places:
            return
        message = message_rows.find(self._tx, workspace_id=self._workspace_id, id=data["id"])
        if message is None:
            return
        if verb == "created":
            self._first_shown(message, places)
            for made in data.get("deliveries", ()):
                self._delivery(made["id"])
        elif verb == "edited" and message.kind != "card":
            self._changed(message, places)
        elif verb == "deleted":
            for post in posts.of_message(self._tx, message_id=message.id):
                self._want(post, body=post.body, gone=True)

    def _first_shown(self, message: Message, places: list[Link]) -> None:
        said_in = {(ref.platform, ref.chat) for ref in links.refs_of_message(self._tx, message_id=message.id)}
        text = self._text(message)
        agent = message.sender.name if message.sender.kind == "agent" else None
        chain = self._root_of(message) if message.sender.kind == "system" else message.chain_id
        for link, bot in self._senders(places, agent=agent, chain=chain):
            if (link.platform, link.chat) in said_in:
                continue
            if text is not None and (text.strip() or not message.files):
                body = self._body(link, message=message) | {"text": self._by(message, bot) + text}
                self._add(
                    link,
                    bot,
                    key=("text", message.id),
                    kind=PostKind.TEXT,
                    purpose=Purpose.MESSAGE,
                    body=body,
                    message_id=message.id,
                )
            for file in message.files:
                body = self._body(link, message=message) | {"file": file["id"], "name": file["name"]}
                body |= {"mime": file["mime"], "size": file["size"]}
                self._add(
                    link,
                    bot,
                    key=("file", message.id, file["id"]),
                    kind=PostKind.FILE,
                    purpose=Purpose.MESSAGE,
                    body=body,
                    message_id=message.id,
                )

    def _changed(self, message: Message, places: list[Link]) -> None:
        text = self._text(message)
        for post in posts.of_message(self._tx, message_id=message.id):
            bot = self._bot(post.bot_id)
            if post.kind is not PostKind.TEXT or post.base_id is not None or text is None or bot is None:
                continue
            body = {name: value for name, value in post.body.items() if name != "whole"}
            self._want(post, body=body | {"text": self._by(message, bot) + text}, gone=False)

    def _delivery(self, delivery_id: int) -> None:
        delivery = self._find_delivery(delivery_id)
        if delivery is None:
            return
        if not any(post.purpose is Purpose.TURN for post in posts.of_delivery(self._tx, delivery_id=delivery_id)):
            self._begin_turn(delivery)
            return
        self.turn(delivery_id)

    def _begin_turn(self, delivery: Delivery) -> None:
        places = self._places(delivery.topic_id)
        if not places or delivery.status in _OVER_WELL:
            return
        heard = links.refs_of_message(self._tx, message_id=delivery.message_id)
        message = message_rows.find(self._tx, workspace_id=self._workspace_id, id=delivery.message_id)
        for link, bot in self._senders(places, agent=delivery.agent, chain=delivery.chain_id):
            ref = next((one.ref for one in heard if (one.platform, one.chat) == (link.platform, link.chat)), None)
            if ref is not None and not delivery.is_final:
                self._add(
                    link,
                    bot,
                    key=("working", delivery.id),
                    kind=PostKind.REACTION,
                    purpose=Purpose.WORKING,
                    body={"message": ref, "place": link.kind, "memo": link.memo},
                    delivery_id=delivery.id,
                )
            card, _ = self._card(delivery)
            self._add(
                link,
                bot,
                key=("turn", delivery.id),
                kind=PostKind.CARD,
                purpose=Purpose.TURN,
                body=self._body(link, message=message) | {"card": card},
                delivery_id=delivery.id,
                is_open=not card["final"],
            )

    def _run(self, verb: str, data: dict[str, Any]) -> None:
        if data.get("delivery") is not None:
            self._delivery(data["delivery"])
        if verb == "finished":
            self._notify(data["id"])

    def _notify(self, run_id: int) -> None:
        """The end of a run is told in the chat its bot's owner chose, unless it is shown there anyway."""
        run = runs.find(self._tx, workspace_id=self._workspace_id, id=run_id)
        if run is None:
            return
        for bot in bot_rows.all_of_agent(self._tx, run.agent, workspace_id=self._workspace_id):
            here = {(link.platform, link.chat) for link in self._places(run.topic_id)}
            if bot.notify_chat and (bot.platform, bot.notify_chat) not in here:
                room = rooms.find(self._tx, workspace_id=self._workspace_id, ref=run.room_id)
                where = "" if room is None else f" in {room.title}"
                text = f"{ended_in_words(run)}{where}"
                notices.tell(self._tx, bot=bot, chat=bot.notify_chat, text=text, once=("ended", run.id))

    def _asked(self, interaction_id: int) -> None:
        asked = interactions.find(self._tx, workspace_id=self._workspace_id, id=interaction_id)
        if asked is None or asked.message_id is None:  # answered by a rule before anybody saw it
            return
        over = why_over(asked)
        card = ask_card(asked, key=self._tx.audit_key, agent=self._agent_name(asked.agent), over=over)
        known = posts.of_interaction(self._tx, interaction_id=asked.id)
        for post in known:
            self._want(post, body=post.body | {"card": card}, gone=False)
        if known or card["final"]:
            return
        for link, bot in self._senders(self._places(asked.topic_id), agent=asked.agent, chain=self._chain_of(asked)):
            self._add(
                link,
                bot,
                key=("ask", asked.id),
                kind=PostKind.CARD,
                purpose=Purpose.ASK,
                body=self._body(link, message=None) | {"card": card},
                interaction_id=asked.id,
            )

    def _turn_post(self, post: Post, *, delivery: Delivery) -> int:
        card, seen_seq = self._card(delivery)
        wanted = rules.want(post, body=post.body | {"card": card}, now=self._tx.now, is_open=not card["final"])
        if wanted is post and seen_seq == post.seen_seq:
            return 0
        posts.put(self._tx, _seen(wanted, seen_seq), was=post)
        return self._wake(post) if wanted is not post else 0

    def _card(self, delivery: Delivery) -> tuple[dict[str, Any], int]:
        run = runs.last_of_delivery(self._tx, delivery_id=delivery.id)
        agent = agent_rows.get(self._tx, delivery.agent, workspace_id=self._workspace_id)
        computer_id = run.computer_id if run is not None and run.is_live else None if agent is None else agent.computer
        computer = None if computer_id is None else computer_rows.get(self._tx, computer_id)
        steps, plan, earlier = self._steps(run)
        waits = delivery.status is DeliveryStatus.PENDING and delivery.waits
        card = turn_card(
            Turn(
                key=self._tx.audit_key,
                agent=delivery.agent if agent is None else agent.display_name,
                computer=None if computer is None else computer.name,
                is_online=computer is not None and computer.status in ("online", "draining"),
                delivery=delivery,
                place=place_of(self._tx, delivery) if waits else 0,
                run=run,
                steps=tuple(steps),
                earlier=earlier,
                plan=tuple(plan),
                asked=next(iter(interactions.pending_of_run(self._tx, run_id=run.id)), None)
                if run is not None
                else None,
                url=f"{self._url}/r/{delivery.room_id}/{delivery.topic_id}" if self._url else "",
            )
        )
        return card, 0 if run is None else run.last_seq

    def _steps(self, run: Run | None) -> tuple[list[dict[str, str]], list[dict[str, str]], int]:
        if run is None:
            return [], [], 0
        steps, plan = steps_of(posts.newest_run_events(self._tx, run_id=run.id, limit=LOOKED_AT))
        return steps[-STEPS:], plan, max(0, len(steps) - STEPS)

    def _text(self, message: Message) -> str | None:
        """What of a message is said outside; None when a card shows it."""
        if message.kind != "card":
            return message.content
        kind = str((message.card or {}).get("type"))
        if kind in _SHOWN_ELSEWHERE:
            return None
        return message.content if len(message.content) <= NOTICE else message.content[: NOTICE - 1] + "…"

    def _by(self, message: Message, bot: Bot) -> str:
        """Whose words these are, unless the bot speaks for itself or for pal."""
        sender = message.sender
        if sender.kind == "system" or (sender.kind == "agent" and sender.name == bot.agent):
            return ""
        return f"**{sender.display_name or sender.name}**: "

    def _body(self, link: Link, *, message: Message | None) -> dict[str, Any]:
        reply_to = link.answer_to
        if message is not None:
            origin = message.parent_id if message.sender.kind in ("agent", "system") else message.id
            heard = [] if origin is None else links.refs_of_message(self._tx, message_id=origin)
            reply_to = next((r.ref for r in heard if (r.platform, r.chat) == (link.platform, link.chat)), reply_to)
        return {"reply_to": reply_to, "place": link.kind, "memo": link.memo, "mention": link.asker}

    def _senders(self, places: list[Link], *, agent: str | None, chain: int | None) -> list[tuple[Link, Bot]]:
        """For each chat the place, and the bot that speaks there: the agent's own when it is there, else the first one.

        Of several places of one chat that are one topic it is the one in which the chain began, else the oldest.
        """
        speakers: dict[tuple[str, str, str], tuple[Link, Bot]] = {}
        for link in places:
            bot = self._bot(link.bot_id)
            if bot is None or bot.agent is None:
                continue
            if link.place not in speakers or (agent is not None and bot.agent == agent):
                speakers[link.place] = (link, bot)
        chosen: dict[tuple[str, str], tuple[Link, Bot]] = {}
        for (platform, chat, thread), speaker in speakers.items():
            if (platform, chat) not in chosen or (platform, chat, thread) == self._began_at(chain):
                chosen[platform, chat] = speaker
        return list(chosen.values())

    def _began_at(self, chain: int | None) -> tuple[str, str, str] | None:
        """Where outside somebody said what set the chain off."""
        if chain is None:
            return None
        if chain not in self._began:
            heard = inbound.of_message(self._tx, workspace_id=self._workspace_id, message_id=chain)
            self._began[chain] = None if heard is None else (heard.platform, heard.chat, heard.thread)
        return self._began[chain]

    def _root_of(self, message: Message) -> int | None:
        """What pal's own words follow from: the nearest message above that was said outside, else their chain."""
        above = message.parent_id
        for _ in range(ABOVE):
            if above is None:
                break
            if self._began_at(above) is not None:
                return above
            parent = message_rows.find(self._tx, workspace_id=self._workspace_id, id=above)
            above = None if parent is None else parent.parent_id
        return message.chain_id

    def _chain_of(self, asked: Interaction) -> int | None:
        run = None if asked.run_id is None else runs.find(self._tx, workspace_id=self._workspace_id, id=asked.run_id)
        delivery = None if run is None or run.delivery_id is None else self._find_delivery(run.delivery_id)
        return asked.chain_id if delivery is None else delivery.chain_id

    def _add(
        self,
        link: Link,
        bot: Bot,
        *,
        key: tuple[object, ...],
        kind: PostKind,
        purpose: Purpose,
        body: dict[str, Any],
        message_id: int | None = None,
        delivery_id: int | None = None,
        interaction_id: int | None = None,
        is_open: bool = False,
    ) -> None:
        posts.add(
            self._tx,
            workspace_id=self._workspace_id,
            bot_id=bot.id,
            link_id=link.id,
            chat=link.chat,
            thread=link.thread,
            key=key_of(link.platform, link.chat, link.thread, *key),
            kind=kind,
            purpose=purpose,
            body=body,
            message_id=message_id,
            delivery_id=delivery_id,
            interaction_id=interaction_id,
            is_open=is_open,
        )
        self._tx.wake(f"bridge:{bot.platform}")

    def _want(self, post: Post, *, body: dict[str, Any], gone: bool) -> int:
        wanted = rules.want(post, body=body, gone=gone, now=self._tx.now)
        if wanted is post:
            return 0
        posts.put(self._tx, wanted, was=post)
        return self._wake(post)

    def _wake(self, post: Post) -> int:
        if (bot := self._bot(post.bot_id)) is not None:
            self._tx.wake(f"bridge:{bot.platform}")
        return 1

    def _places(self, topic_id: int) -> list[Link]:
        if topic_id not in self._links:
            self._links[topic_id] = links.of_topic(self._tx, topic_id=topic_id)
        return self._links[topic_id]

    def _bot(self, bot_id: str) -> Bot | None:
        if bot_id not in self._bots:
            self._bots[bot_id] = bot_rows.get(self._tx, bot_id, workspace_id=self._workspace_id)
        return self._bots[bot_id]

    def _find_delivery(self, delivery_id: int) -> Delivery | None:
        return delivery_rows.find(self._tx, workspace_id=self._workspace_id, id=delivery_id)

    def _agent_name(self, key: str | None) -> str:
        agent = None if key is None else agent_rows.get(self._tx, key, workspace_id=self._workspace_id)
        return key or "pal" if agent is None else agent.display_name


def _seen(post: Post, seq: int) -> Post:
    return post if post.seen_seq == seq else replace(post, seen_seq=seq)
