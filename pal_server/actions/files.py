"""Files: artifacts of runs and attachments of messages. The bytes are stored before, under their hash
(`storage/blobs.py`).
"""

from dataclasses import dataclass, replace

from pal_server.actions import access, audit, cards, client_ids
from pal_server.domain.actors import Actor, ActorKind, Role
from pal_server.domain.files import File, expiry_of, parse_mime, parse_sha256, parse_size, parse_title, safe_name
from pal_server.domain.messages import Message
from pal_server.domain.pages import NEWEST, Page, page_of, parse_limit, parse_place, render_place
from pal_server.domain.rooms import Room
from pal_server.errors import NotFound
from pal_server.storage import files, messages, rooms
from pal_server.storage.tx import Tx

CLEANED_AT_ONCE = 500  # files removed in one transaction
PREVIEW = 1_000  # characters of a text that its card shows


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """`unused` are hashes no file has any more; the caller removes their bytes, in a thread. `is_all` is false when
    more is left.
    """

    removed: int
    unused: tuple[str, ...]
    is_all: bool


def add(
    tx: Tx,
    *,
    actor: Actor,
    name: str,
    mime: str,
    size: int,
    sha256: str,
    title: str = "",
    ttl: int | None = None,
    room: str | None = None,
    card: str | None = None,
    client_id: str | None = None,
) -> File:
    """Name content that is stored already. `size` in bytes, `ttl` in seconds. A run's file belongs to its room unless
    another is named. With `card` a run's topic shows it, with these first words of it.

    The limit of size is checked where the bytes come in.
    """
    access.need_writer(actor)
    place = actor.room_id if room is None else access.room(tx, actor, room).id
    file = File(
        id=tx.new_id("file"),
        workspace_id=actor.workspace_id,
        name=safe_name(name),
        title=parse_title(title),
        mime=parse_mime(mime),
        size=parse_size(size, limit=size),
        sha256=parse_sha256(sha256),
        room=place,
        run=actor.run_id,
        created_by=actor.key,
        created_at=tx.now,
        expires_at=expiry_of(ttl, now=tx.now),
        revoked_at=None,
    )
    said = {"name": file.name, "sha256": sha256, "room": place}
    earlier = client_ids.earlier(tx, actor=actor, client_id=client_id, verb="files.add", said=said)
    if earlier is not None:
        return access.file(tx, actor, earlier)
    files.insert(tx, file)
    client_ids.remember(tx, actor=actor, client_id=client_id, verb="files.add", said=said, target=file.id)
    _tell(tx, "file.added", file)
    if card is not None and actor.kind is ActorKind.RUN and file.room == actor.room_id:
        _show(tx, actor=actor, file=file, preview=card)
    return file


def get(tx: Tx, *, actor: Actor, ref: str) -> File:
    """What is known of a file, an ended one too."""
    return access.file(tx, actor, ref)


def open_link(tx: Tx, *, actor: Actor, ref: str) -> File:
    """A file whose content may be sent now; `NotFound` also when it is revoked or expired."""
    file = access.file(tx, actor, ref)
    if not file.is_live(now=tx.now):
        raise NotFound(f"the file {file.name} is no longer offered", file=file.id)
    return file


def list_page(
    tx: Tx,
    *,
    actor: Actor,
    q: str | None,
    after: str | None,
    limit: int,
    room: str | None = None,
    run: int | None = None,
    mime: str | None = None,
    state: str | None = None,
) -> Page[File]:
    """Newest first, of what the actor may know; a page may hold fewer than `limit` and still have a next one."""
    count = parse_limit(limit)
    found = files.list_page(
        tx,
        workspace_id=actor.workspace_id,
        wanted=files.Wanted(
            q=q or "",
            room_id="" if room is None else access.room(tx, actor, room).id,
            run_id=run or 0,
            mime=mime or "",
            state=state or "",
        ),
        place=parse_place(after, default=NEWEST),
        limit=count + 1,
    )
    page = page_of(found, limit=count, cursor=lambda file: render_place(file.created_at, file.id))
    return Page(
        items=tuple(file for file in page.items if access.may_know_file(tx, actor=actor, file=file)), next=page.next
    )


def revoke(tx: Tx, *, actor: Actor, ref: str) -> File:
    """End the offer. By its maker or an admin; a second time changes nothing."""
    file = access.file(tx, actor, ref)
    if file.created_by != actor.key:
        access.need(actor, Role.ADMIN)
    if not files.revoke(tx, file.id):
        return file
    after = access.file(tx, actor, file.id)
    _tell(tx, "file.revoked", after)
    audit.record(tx, actor=actor, action="file.revoked", target=file.id, detail={"name": file.name})
    return after


def any_ended(tx: Tx, *, workspace_id: str) -> bool:
    """Whether `cleanup` has anything to do."""
    return bool(files.ended(tx, workspace_id=workspace_id, limit=1))


def cleanup(tx: Tx, *, actor: Actor) -> Cleaned:
    """Remove files that are revoked or expired. Repeat until `is_all`."""
    access.need(actor, Role.ADMIN)
    gone = files.ended(tx, workspace_id=actor.workspace_id, limit=CLEANED_AT_ONCE)
    for file in gone:
        files.delete(tx, file.id)
        tx.emit("file.removed", workspace_id=actor.workspace_id, room_id=file.room, data={"id": file.id})
    unused = tuple(sha256 for sha256 in sorted({file.sha256 for file in gone}) if not files.is_used(tx, sha256))
    if gone:
        audit.record(tx, actor=actor, action="file.cleaned_up", target="files", detail={"removed": len(gone)})
    return Cleaned(removed=len(gone), unused=unused, is_all=len(gone) < CLEANED_AT_ONCE)


def unused(tx: Tx, *, hashes: list[str]) -> list[str]:
    """Which of these contents no file has; for a chore that compares the disk with the rows."""
    return [sha256 for sha256 in hashes if not files.is_used(tx, sha256)]


def of_deleted_message(tx: Tx, *, message: Message) -> None:
    """The attachments of a message end with it, unless another one carries them or a run made them."""
    for attached in message.files:
        file = files.get(tx, str(attached["id"]))
        if file is None or file.run is not None or file.room != message.room_id:
            continue
        if messages.carries(tx, file_id=file.id, room_id=message.room_id) or not files.revoke(tx, file.id):
            continue
        ended = files.get(tx, file.id)
        assert ended is not None, "it was revoked, not removed"
        _tell(tx, "file.revoked", ended)


def belong_to(tx: Tx, *, actor: Actor, file: File, room: Room) -> File:
    """A file of no room that its maker attaches somewhere is that room's from then on: who reads the message, an agent
    too, may read it.
    """
    if file.room is not None or file.created_by != actor.key:
        return file
    files.move(tx, file.id, room_id=room.id)
    return replace(file, room=room.id)


def _show(tx: Tx, *, actor: Actor, file: File, preview: str) -> None:
    assert actor.room_id is not None, "a run is in a room"
    assert actor.topic_id is not None, "a run is in a topic"
    room = access.room(tx, actor, actor.room_id)
    rooms.lock(tx, room_id=room.id)
    shown = {key: value for key, value in file.fact().items() if key in ("id", "name", "title", "mime", "size", "url")}
    cards.post(
        tx,
        workspace_id=actor.workspace_id,
        room=room,
        topic_id=actor.topic_id,
        content=f"{actor.name} made {file.title or file.name}: {file.url}",
        files=({"id": file.id, "name": file.name, "mime": file.mime, "size": file.size},),
        card={
            "type": "artifact",
            "agent": actor.agent,
            "run": actor.run_id,
            "file": shown,
            "preview": preview[:PREVIEW],
        },
    )


def _tell(tx: Tx, kind: str, file: File) -> None:
    tx.emit(kind, workspace_id=file.workspace_id, room_id=file.room, data=file.fact())
