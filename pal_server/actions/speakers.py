"""Who acts when somebody outside says or presses something: that person, or the user of pal they are."""

from dataclasses import replace

from pal_server.domain.actors import Actor, ActorKind, rank
from pal_server.domain.bots import Bot, Identity, Standing
from pal_server.domain.inbound import Incoming
from pal_server.domain.messages import Sender, parse_guest
from pal_server.errors import Conflict, Invalid
from pal_server.storage import rooms, users
from pal_server.storage.tx import Tx

WORDS_KEPT = 200  # characters of a person's name and of an id


def may_come_in(tx: Tx, person: Identity | None) -> bool:
    """Whether the person may use bots at all; a user of pal who is disabled may not by way of a chat either."""
    if person is None or person.standing is not Standing.ALLOWED:
        return False
    user = None if person.user_id is None else users.get(tx, person.user_id, workspace_id=person.workspace_id)
    return user is None or not user.disabled


def speaker(tx: Tx, *, actor: Actor, person: Identity, bot: Bot) -> Actor:
    """The bridge `actor`, speaking for this person: what they do is theirs, in audit, ownership and approvals. Two
    people of one bridge are two; one person who is a user is that user, in every chat and in pal, with that one's
    rights, and with none that whoever runs the bridge could not give.
    """
    user = None if person.user_id is None else users.get(tx, person.user_id, workspace_id=person.workspace_id)
    if user is None:
        name = f"{person.name} ({bot.platform})"
        return replace(
            actor, kind=ActorKind.BRIDGE, id=person.id, name=name, display_name=person.name, person=person.id
        )
    return replace(
        actor,
        kind=ActorKind.USER,
        id=user.id,
        name=user.username,
        display_name=user.display_name,
        role=min(user.role, actor.ceiling or user.role, key=rank),
        person=person.id,
    )


def sender(tx: Tx, *, speaker: Actor, person: Identity, bot: Bot, incoming: Incoming) -> Sender:
    """A user, or a guest with the name people know; a guest's name that is taken, or cannot be one, gets the platform
    beside it.
    """
    if speaker.kind is ActorKind.USER:
        shown = speaker.display_name or speaker.name
        return Sender(kind="user", name=speaker.name, display_name=shown, origin=bot.platform, key=speaker.key)
    shown = " ".join((incoming.person_name or person.name).split())[:WORDS_KEPT] or person.external_id
    plain = "".join(char for char in shown if char not in "@/\\<>\"'`" and char.isprintable()).strip()[:40]
    for name in (plain, f"{plain} ({bot.platform})", f"{bot.platform} {person.id[-6:]}"):
        try:
            guest = parse_guest(name)
        except Invalid:
            continue
        if not rooms.name_is_taken(tx, workspace_id=bot.workspace_id, name=guest):
            return Sender(kind="guest", name=guest, display_name=shown, origin=bot.platform, key=speaker.key)
    raise Conflict("every name for this person is taken", person=person.external_id)
