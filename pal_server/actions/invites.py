"""Invites: made and ended by people, used by who is invited.

A guest reads and writes in the room of the invite and nothing else. Its credential ends with the invite, with who made
it, and with the room.
"""

from dataclasses import dataclass

from pal_server.actions import access, audit, client_ids, tokens
from pal_server.domain.actors import Actor, ActorKind, Role, system
from pal_server.domain.invites import GUESTS_LIMIT, Invite
from pal_server.domain.messages import parse_guest
from pal_server.domain.pages import NEWEST, Page, page_of, parse_limit, parse_place, render_place
from pal_server.domain.rooms import Room
from pal_server.domain.tokens import TokenKind, parse_expiry
from pal_server.errors import AlreadyExists, Conflict, Forbidden, NotFound
from pal_server.storage import invites, rooms, users
from pal_server.storage import tokens as token_rows
from pal_server.storage.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    guest: str
    name: str
    room: Room


def create(
    tx: Tx,
    *,
    actor: Actor,
    secret_hash: str,
    room: str,
    expires_at: int | None = None,
    client_id: str | None = None,
) -> Invite:
    """A link into a room the actor sees. Said again with the same `client_id` before anybody joined, it gets the new
    token in place of the one whose answer was lost.
    """
    access.need(actor, Role.MEMBER)
    if actor.kind is not ActorKind.USER:
        raise Forbidden("invites are made by people", actor=actor.kind)
    found = access.room(tx, actor, room)
    said = {"room": found.id, "expires_at": expires_at}
    if (made := client_ids.earlier(tx, actor=actor, client_id=client_id, verb="invites.create", said=said)) is not None:
        if not invites.set_hash(tx, made, secret_hash=secret_hash):
            raise Conflict("this invite is made and was used or revoked since: make another", invite=made)
        return _get(tx, actor, made)
    invite = Invite(
        id=tx.new_id("invite"),
        workspace_id=actor.workspace_id,
        room_id=found.id,
        created_by=actor.id,
        created_at=tx.now,
        expires_at=parse_expiry(expires_at, now=tx.now),
        revoked_at=None,
        uses=0,
    )
    invites.insert(tx, invite, secret_hash=secret_hash)
    client_ids.remember(tx, actor=actor, client_id=client_id, verb="invites.create", said=said, target=invite.id)
    audit.record(tx, actor=actor, action="invite.created", target=invite.id, detail={"room": found.name})
    return invite


def list_page(tx: Tx, *, actor: Actor, after: str | None, limit: int) -> Page[Invite]:
    """Newest first; one's own, for admins everybody's. Ended ones too."""
    access.need(actor, Role.VIEWER)
    count = parse_limit(limit)
    found = invites.list_page(
        tx,
        workspace_id=actor.workspace_id,
        created_by=None if actor.is_at_least(Role.ADMIN) else actor.id,
        place=parse_place(after, default=NEWEST),
        limit=count + 1,
    )
    return page_of(found, limit=count, cursor=lambda invite: render_place(invite.created_at, invite.id))


def revoke(tx: Tx, *, actor: Actor, id: str) -> Invite:
    """End an invite and all who came by it, at once. A second time changes nothing."""
    access.need(actor, Role.VIEWER)
    invite = _get(tx, actor, id)
    if not invites.revoke(tx, invite.id):
        return invite
    for guest, room_id in invites.guests_of(tx, invite_id=invite.id):
        _let_go(tx, workspace_id=invite.workspace_id, guest=guest, room_id=room_id)
    tx.wake(tokens.CHANGED)
    audit.record(tx, actor=actor, action="invite.revoked", target=id, detail={"uses": invite.uses})
    return _get(tx, actor, id)


def open_link(tx: Tx, *, secret_hash: str) -> tuple[Invite, Room]:
    """The invite of this token, while it is good, and its room. Whatever is wrong with one is the same `NotFound`."""
    invite = invites.by_hash(tx, secret_hash)
    if invite is None or not invite.is_live(now=tx.now):
        raise _no_invite()
    maker = users.get(tx, invite.created_by, workspace_id=invite.workspace_id)
    if maker is None or maker.disabled:
        raise _no_invite()
    giver = Actor(
        kind=ActorKind.USER, workspace_id=invite.workspace_id, id=maker.id, name=maker.username, role=maker.role
    )
    try:
        return invite, access.room(tx, giver, invite.room_id)
    except NotFound as exc:
        raise _no_invite() from exc


def join(tx: Tx, *, secret_hash: str, name: str, guest_hash: str, client_id: str | None = None) -> Joined:
    """Come in under a name nobody here has. `guest_hash` is that of the guest's own credential.

    The name of a guest who is present is taken; of one who is not, whoever joins now takes it over, and the earlier
    credential ends. Said again with the same `client_id`, the guest gets the new credential in place of the one whose
    answer was lost, as long as that was not used.
    """
    invite, room = open_link(tx, secret_hash=secret_hash)
    shown = parse_guest(name)
    asking = Actor(kind=ActorKind.GUEST, workspace_id=invite.workspace_id, id=invite.id, name=shown)
    said = {"name": shown}
    made = client_ids.earlier(tx, actor=asking, client_id=client_id, verb="invites.join", said=said)
    if made is not None:
        return _join_again(tx, invite=invite, room=room, name=shown, token=made, guest_hash=guest_hash)
    rooms.lock(tx, room_id=room.id)
    if rooms.name_is_taken(tx, workspace_id=invite.workspace_id, name=shown):
        raise AlreadyExists(f"{shown} is the name of a user or an agent: choose another", field="name", name=shown)
    earlier = invites.guest_named(tx, room_id=room.id, name=shown)
    if earlier is not None:
        if earlier.is_present(now=tx.now):
            raise AlreadyExists(f"a guest called {shown} is here: choose another name", field="name", name=shown)
        _let_go(tx, workspace_id=invite.workspace_id, guest=earlier.id, room_id=room.id)
    if invites.count_guests(tx, room_id=room.id) >= GUESTS_LIMIT:
        raise Conflict(f"the room has {GUESTS_LIMIT} guests, which is as many as it takes", limit=GUESTS_LIMIT)
    guest = tx.new_id("guest")
    invites.join(tx, id=guest, invite=invite, name=shown)
    rooms.set_member(tx, room_id=room.id, kind="guest", principal=guest, mode=None)
    token = tokens.issue(
        tx,
        kind=TokenKind.INVITE,
        subject=guest,
        name=shown,
        workspace_id=invite.workspace_id,
        created_by=f"invite:{invite.id}",
        secret_hash=guest_hash,
    )
    client_ids.remember(tx, actor=asking, client_id=client_id, verb="invites.join", said=said, target=token.id)
    member = rooms.member(tx, room_id=room.id, kind="guest", principal=guest)
    assert member is not None, "it was written in this transaction"
    tx.emit("member.joined", workspace_id=invite.workspace_id, room_id=room.id, data={"room": room.id, **member.fact()})
    audit.record(
        tx, actor=system(invite.workspace_id), action="guest.joined", target=guest, detail={"invite": invite.id}
    )
    return Joined(guest=guest, name=shown, room=room)


def leave(tx: Tx, *, actor: Actor) -> None:
    """A guest goes: its credential ends, its name is free."""
    if actor.kind is not ActorKind.GUEST or actor.room_id is None:
        raise Forbidden("only guests leave like this", actor=actor.kind)
    _let_go(tx, workspace_id=actor.workspace_id, guest=actor.id, room_id=actor.room_id)
    tx.wake(tokens.CHANGED)


def _join_again(tx: Tx, *, invite: Invite, room: Room, name: str, token: str, guest_hash: str) -> Joined:
    found = token_rows.get(tx, token, workspace_id=invite.workspace_id)
    is_new = found is not None and found.last_used_at is None
    if found is None or not is_new or not token_rows.set_hash(tx, token, secret_hash=guest_hash):
        raise Conflict(f"{name} has joined and was here since: join under another name", name=name)
    tx.wake(tokens.CHANGED)
    return Joined(guest=found.subject, name=name, room=room)


def _let_go(tx: Tx, *, workspace_id: str, guest: str, room_id: str) -> None:
    member = rooms.member(tx, room_id=room_id, kind="guest", principal=guest)
    tokens.revoke_of(tx, workspace_id=workspace_id, kind=TokenKind.INVITE, subject=guest)
    if not invites.leave(tx, guest) or member is None:
        return
    rooms.remove_member(tx, room_id=room_id, kind="guest", principal=guest)
    tx.emit("member.left", workspace_id=workspace_id, room_id=room_id, data={"room": room_id, **member.fact()})


def _get(tx: Tx, actor: Actor, id: str) -> Invite:
    invite = invites.get(tx, id, workspace_id=actor.workspace_id)
    if invite is None or not (invite.created_by == actor.id or actor.is_at_least(Role.ADMIN)):
        raise NotFound(f"there is no invite {id}", invite=id)
    return invite


def _no_invite() -> NotFound:
    return NotFound("this invite is not valid, or not any more")
