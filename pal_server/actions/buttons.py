"""Somebody pressed a button of a card outside: done as that person, or refused in words, never half."""

from collections.abc import Sequence

from pal_server.actions import deliveries, interactions, runs
from pal_server.domain import buttons as rules
from pal_server.domain.actors import Actor
from pal_server.domain.bots import Bot, Identity, Level
from pal_server.domain.buttons import Press, Verb
from pal_server.domain.inbound import Answered, Incoming
from pal_server.domain.interactions import Interaction, Kind
from pal_server.domain.interactions import Status as InteractionStatus
from pal_server.domain.questions import Given
from pal_server.domain.runs import Wanted
from pal_server.domain.turn_cards import attempt_shown
from pal_server.errors import NotFound, PalError
from pal_server.storage import links
from pal_server.storage.tx import Tx

LEVELS = {Verb.CHOOSE: Level.TALK, Verb.ANSWER: Level.TALK}  # all others are for those who operate


def press(tx: Tx, *, actor: Actor, bot: Bot, person: Identity, incoming: Incoming) -> Answered:
    """Carry out what the button says. A button that is not ours, is older than what it asks about, or is pressed by
    somebody who may not, does nothing and says so.
    """
    wanted = rules.read(incoming.token)
    if wanted is None:
        return _refused("This button is none of mine.")
    if not person.may(LEVELS.get(wanted.verb, Level.OPERATE)):
        return _refused("You may not do that here. Whoever runs this bot can allow it.")
    try:
        with tx.savepoint():
            return _carry_out(tx, actor=actor, bot=bot, press=wanted, incoming=incoming)
    except PalError as error:
        return _refused(_sentence(error.message))


def _carry_out(tx: Tx, *, actor: Actor, bot: Bot, press: Press, incoming: Incoming) -> Answered:
    match press.verb:
        case Verb.STOP:
            run = runs.get(tx, actor=actor, id=press.target)
            _need_ours(tx, bot=bot, press=press, incoming=incoming, topic=run.topic_id)
            runs.order(tx, actor=actor, run=run, wanted=Wanted.STOP, reason=f"pressed on {bot.platform}")
            return _done("It is asked to stop.")
        case Verb.RETRY | Verb.FRESH | Verb.DROP:
            return _about_delivery(tx, actor=actor, bot=bot, press=press, incoming=incoming)
        case Verb.APPROVE | Verb.DENY | Verb.CHOOSE | Verb.ANSWER:
            return _about_interaction(tx, actor=actor, bot=bot, press=press, incoming=incoming)


def _about_delivery(tx: Tx, *, actor: Actor, bot: Bot, press: Press, incoming: Incoming) -> Answered:
    delivery = deliveries.get(tx, actor=actor, id=press.target)
    bound = attempt_shown(delivery)
    _need_ours(tx, bot=bot, press=press, incoming=incoming, topic=delivery.topic_id, bound=bound)
    if press.verb is Verb.DROP:
        deliveries.cancel(tx, actor=actor, id=delivery.id)
        return _done("It is dropped.")
    deliveries.retry(tx, actor=actor, id=delivery.id, fresh=press.verb is Verb.FRESH)
    return _done("It goes on." if press.verb is Verb.RETRY else "It begins anew.")


def _about_interaction(tx: Tx, *, actor: Actor, bot: Bot, press: Press, incoming: Incoming) -> Answered:
    asked = interactions.get(tx, actor=actor, id=press.target)
    _need_ours(tx, bot=bot, press=press, incoming=incoming, topic=asked.topic_id, bound=asked.hash)
    if asked.status is not InteractionStatus.PENDING:
        return _refused(_sentence(why_over(asked)))
    decision, text, answers = None, None, None
    match press.verb:
        case Verb.APPROVE | Verb.DENY:
            decision = "approve" if press.verb is Verb.APPROVE else "deny"
            text = _written(incoming) if asked.kind is Kind.PLAN else None
        case Verb.CHOOSE:
            if press.choice >= len(asked.options):
                return _refused("There is no such choice any more.")
            text = asked.options[press.choice]
        case _ if asked.questions:
            answers = _given(asked, incoming=incoming)
        case _:
            text = _written(incoming)
            if text is None:
                return _refused("Choose or write something first.")
    return _answer(
        tx,
        actor=actor,
        asked=asked,
        text=text,
        decision=decision,
        reason=_written(incoming, name="reason"),
        answers=answers,
    )


def say_answer(tx: Tx, *, actor: Actor, bot: Bot, incoming: Incoming, verb: str, words: str) -> Answered:
    """`/answer 12 blue`, `/approve 12`, `/deny 12 not today`: the same as a press, for where there are no buttons."""
    number, _, rest = words.strip().partition(" ")
    if not (number.isascii() and number.isdigit()) or len(number) > 18:
        return _refused(f"Say /{verb} and the number of what is asked, as it stands on its card.")
    try:
        with tx.savepoint():
            asked = interactions.get(tx, actor=actor, id=int(number))
            _need_shown(tx, bot=bot, incoming=incoming, topic=asked.topic_id)
            if asked.status is not InteractionStatus.PENDING:
                return _refused(_sentence(why_over(asked)))
            if verb == "answer":
                return _answer(tx, actor=actor, asked=asked, text=rest.strip())
            return _answer(tx, actor=actor, asked=asked, decision=verb, reason=rest.strip() or None)
    except PalError as error:
        return _refused(_sentence(error.message))


def _answer(
    tx: Tx,
    *,
    actor: Actor,
    asked: Interaction,
    text: str | None = None,
    decision: str | None = None,
    reason: str | None = None,
    answers: Sequence[Given] | None = None,
) -> Answered:
    now = interactions.answer(
        tx,
        actor=actor,
        id=asked.id,
        text=text,
        decision=decision,
        reason=reason,
        shown_hash=asked.hash,
        answers=answers,
    )
    if now.status is InteractionStatus.PENDING:
        return _done("Counted. Somebody else has to approve it too.")
    return _done({"approve": "Approved.", "deny": "Denied."}.get(decision or "", "Your answer is sent."))


def _given(asked: Interaction, *, incoming: Incoming) -> list[Given]:
    found = []
    for number in range(1, len(asked.questions) + 1):
        chosen = incoming.values.get(f"q{number}") or []
        labels = [chosen] if isinstance(chosen, str) else [str(one) for one in chosen]
        text = incoming.values.get(f"q{number}_text")
        known = {option.label for option in asked.questions[number - 1].options}
        words = text if isinstance(text, str) else ""
        if not known and labels:  # a field without options has its words under its own name
            labels, words = [], words or labels[0]
        found.append(Given(chosen=tuple(labels), text=words))
    return found


def _need_ours(tx: Tx, *, bot: Bot, press: Press, incoming: Incoming, topic: int, bound: str = "") -> None:
    """The token was made here, for this; and the chat it was pressed in shows that topic."""
    if not rules.is_ours(tx.audit_key, incoming.token, press=press, bound=bound):
        raise NotFound("This button is none of mine, or what it asked has changed.")
    _need_shown(tx, bot=bot, incoming=incoming, topic=topic)


def _need_shown(tx: Tx, *, bot: Bot, incoming: Incoming, topic: int) -> None:
    shown = {(link.platform, link.chat) for link in links.of_topic(tx, topic_id=topic)}
    if (bot.platform, incoming.chat) not in shown:
        raise NotFound("That belongs to another chat.")


def why_over(asked: Interaction) -> str:
    """Why nothing can be answered any more, in words."""
    by = f" by {asked.answered_by}" if asked.answered_by else ""
    match asked.status:
        case InteractionStatus.ANSWERED | InteractionStatus.APPLIED:
            return f"It is answered already{by}."
        case InteractionStatus.EXPIRED:
            return "It is over: the run that asked has ended."
        case _:
            return "It is over: the agent does not ask any more."


def _written(incoming: Incoming, *, name: str = "answer") -> str | None:
    """What stands in the form: free text before a choice, several choices on a line."""
    for key in (f"{name}_text", name):
        value = incoming.values.get(key)
        if isinstance(value, list):
            value = ", ".join(str(one) for one in value)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return None


def _done(text: str) -> Answered:
    return Answered(id=0, outcome="done", text=text, tone="success")


def _refused(text: str) -> Answered:
    return Answered(id=0, outcome="refused", text=text, tone="error")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
