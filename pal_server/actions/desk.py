"""What a person keeps of their own: how far they have read, drafts, messages for later, preferences, presence.

Everything here belongs to one person: its events go to that person's own streams, so all their browsers agree.
"""

from dataclasses import replace
from typing import Any

from pal_server.actions import access, client_ids
from pal_server.domain.actors import Actor, ActorKind
from pal_server.domain.desk import (
    PRESENT_FOR,
    PROMPTS_LIMIT,
    SAVED_LIMIT,
    Draft,
    Preferences,
    Saved,
    SavedPrompt,
    check_preferences,
    moved,
    parse_draft,
    parse_prompt_name,
)
from pal_server.domain.messages import parse_content
from pal_server.errors import Conflict, Forbidden, NotFound
from pal_server.storage import desk
from pal_server.storage.tx import Tx

WENT_LIMIT = 200  # people per step of the loop


def mark_read(tx: Tx, *, actor: Actor, topic: int, message: int) -> int:
    """Read up to this message; an earlier one than before marks what follows as unread. The mark as it is now."""
    _need_self(actor)
    found = access.topic(tx, actor, topic)
    if desk.read_mark(tx, user_id=actor.id, topic_id=found.id) == message:
        return message
    desk.mark_read(tx, user_id=actor.id, topic_id=found.id, message_id=message)
    unread = desk.unread(tx, actor=actor, topic_id=found.id, after=message)
    _tell(tx, "topic.read", actor, {"topic": found.id, "message": message, "unread": unread})
    return message


def write_draft(tx: Tx, *, actor: Actor, topic: int, content: str) -> Draft:
    """Keep what was begun to be written in a topic; empty forgets it."""
    _need_self(actor)
    found = access.topic(tx, actor, topic)
    draft = Draft(topic_id=found.id, content=parse_draft(content), updated_at=tx.now)
    desk.put_draft(tx, user_id=actor.id, topic_id=found.id, content=draft.content)
    _tell(tx, "draft.written", actor, draft.fact())
    return draft


def save(tx: Tx, *, actor: Actor, topic: int, content: str, client_id: str | None = None) -> Saved:
    """Keep a message to be sent later, behind the others."""
    _need_self(actor)
    found = access.topic(tx, actor, topic)
    said = {"topic": found.id, "content": content}
    earlier = client_ids.earlier(tx, actor=actor, client_id=client_id, verb="desk.save", said=said)
    if earlier is not None:
        return _find(tx, actor, int(earlier))
    others = desk.saved(tx, user_id=actor.id)
    if len(others) >= SAVED_LIMIT:
        raise Conflict(f"{SAVED_LIMIT} messages are kept already: send or delete some", limit=SAVED_LIMIT)
    place = others[-1].place + 1 if others else 0
    made = desk.add_saved(
        tx, user_id=actor.id, topic_id=found.id, content=parse_content(parse_draft(content)), place=place
    )
    client_ids.remember(tx, actor=actor, client_id=client_id, verb="desk.save", said=said, target=made.id)
    _tell(tx, "saved.added", actor, made.fact())
    return made


def change_saved(tx: Tx, *, actor: Actor, id: int, content: str | None = None, place: int | None = None) -> Saved:
    """Other words, or another place among the others."""
    _need_self(actor)
    one = _find(tx, actor, id)
    if content is not None:
        one = replace(one, content=parse_content(parse_draft(content)))
        desk.set_saved(tx, one)
        _tell(tx, "saved.changed", actor, one.fact())
    if place is not None:
        mine = desk.saved(tx, user_id=actor.id)
        by_id = {each.id: each for each in mine}
        for number, each in enumerate(moved(mine, id=id, place=place)):
            if by_id[each].place != number:
                changed = replace(by_id[each], place=number)
                desk.set_saved(tx, changed)
                _tell(tx, "saved.changed", actor, changed.fact())
    return _find(tx, actor, id)


def drop_saved(tx: Tx, *, actor: Actor, id: int) -> Saved:
    """It was sent, or is not wanted any more."""
    _need_self(actor)
    one = _find(tx, actor, id)
    desk.drop_saved(tx, id=id, user_id=actor.id)
    _tell(tx, "saved.removed", actor, one.fact())
    return one


def save_prompt(tx: Tx, *, actor: Actor, name: str, content: str) -> SavedPrompt:
    """Keep what is said again and again, under a name; the same name again gets the new words."""
    _need_self(actor)
    one = SavedPrompt(name=parse_prompt_name(name), content=parse_content(parse_draft(content)), updated_at=tx.now)
    mine = {each.name for each in desk.saved_prompts(tx, user_id=actor.id)}
    if one.name not in mine and len(mine) >= PROMPTS_LIMIT:
        raise Conflict(f"{PROMPTS_LIMIT} prompts are saved already: delete some", limit=PROMPTS_LIMIT)
    desk.put_saved_prompt(tx, one, user_id=actor.id)
    _tell(tx, "saved_prompt.put", actor, one.fact())
    return one


def drop_prompt(tx: Tx, *, actor: Actor, name: str) -> SavedPrompt:
    """It is not wanted any more."""
    _need_self(actor)
    for one in desk.saved_prompts(tx, user_id=actor.id):
        if one.name == name:
            desk.drop_saved_prompt(tx, user_id=actor.id, name=name)
            _tell(tx, "saved_prompt.removed", actor, one.fact())
            return one
    raise NotFound(f"there is no saved prompt {name}", prompt=name)


def change_preferences(tx: Tx, *, actor: Actor, wanted: dict[str, Any]) -> Preferences:
    """Change what is named."""
    _need_self(actor)
    before = desk.preferences(tx, user_id=actor.id)
    after = check_preferences(replace(before, **wanted))
    if after != before:
        desk.put_preferences(tx, after, user_id=actor.id)
        _tell(tx, "preferences.changed", actor, after.fact())
    return after


def be_present(tx: Tx, *, actor: Actor) -> None:
    """A browser of this person is open. Announced when it was not known."""
    _need_self(actor)
    came = desk.seen(tx, user_id=actor.id)
    if came is not None:
        _announce(tx, "presence.began", user_id=actor.id, name=came)


def any_gone(tx: Tx) -> bool:
    """Whether `end_presence` has anything to do."""
    return desk.any_gone(tx, before=tx.now - PRESENT_FOR)


def end_presence(tx: Tx) -> int:
    """Announce those whose browsers have been silent for too long; how many, at most `WENT_LIMIT`."""
    went = desk.went(tx, before=tx.now - PRESENT_FOR, limit=WENT_LIMIT)
    for user_id, name in went:
        _announce(tx, "presence.ended", user_id=user_id, name=name)
    return len(went)


def _need_self(actor: Actor) -> None:
    """These things belong to people."""
    if actor.kind is not ActorKind.USER:
        raise Forbidden(f"this is for people, not for a {actor.kind}", actor=actor.kind)


def _find(tx: Tx, actor: Actor, id: int) -> Saved:
    for one in desk.saved(tx, user_id=actor.id):
        if one.id == id:
            return one
    raise NotFound(f"there is no saved message {id}", saved=id)


def _tell(tx: Tx, kind: str, actor: Actor, data: dict[str, Any]) -> None:
    """To the streams of this person alone."""
    tx.emit(kind, workspace_id=actor.workspace_id, audience=actor.key, data=data)


def _announce(tx: Tx, kind: str, *, user_id: str, name: str) -> None:
    for workspace_id in desk.workspaces_of(tx, user_id=user_id):
        tx.emit(kind, workspace_id=workspace_id, data={"user": name})
