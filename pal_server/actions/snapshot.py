"""Everything a client begins with, on one snapshot of the database and with its position in the log."""

from dataclasses import dataclass

from pal_server.actions import access
from pal_server.domain.actors import Actor, Role
from pal_server.domain.agents import Agent
from pal_server.domain.computers import Computer
from pal_server.domain.deliveries import Delivery
from pal_server.domain.deliveries import Status as DeliveryStatus
from pal_server.domain.desk import Draft, Glance, Preferences, Saved, SavedPrompt
from pal_server.domain.interactions import Interaction
from pal_server.domain.interactions import Status as InteractionStatus
from pal_server.domain.pages import NEWEST, OLDEST
from pal_server.domain.projects import Project
from pal_server.domain.rooms import Room
from pal_server.domain.runs import Run
from pal_server.domain.terminals import Terminal
from pal_server.domain.users import User
from pal_server.storage import (
    agents,
    computers,
    deliveries,
    desk,
    events,
    interactions,
    projects,
    rooms,
    terminals,
    users,
)
from pal_server.storage.tx import Tx

TOPICS = 1000  # the newest ones; older ones are found by search and by room
MOST = 500  # of each other thing
ENDED_BADLY = 50  # of each kind; older ones nobody answers from an inbox
_NEWEST = 2**62
_OPEN = (DeliveryStatus.PENDING, DeliveryStatus.CLAIMED)
_BAD = (DeliveryStatus.INTERRUPTED, DeliveryStatus.DEAD, DeliveryStatus.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    position: int
    users: tuple[User, ...]
    present: tuple[str, ...]
    projects: tuple[Project, ...]
    rooms: tuple[Room, ...]
    topics: tuple[Glance, ...]
    agents: tuple[Agent, ...]
    computers: tuple[Computer, ...]
    runs: tuple[Run, ...]
    interactions: tuple[Interaction, ...]
    deliveries: tuple[Delivery, ...]
    terminals: tuple[Terminal, ...]
    drafts: tuple[Draft, ...]
    saved: tuple[Saved, ...]
    saved_prompts: tuple[SavedPrompt, ...]
    preferences: Preferences


def take(tx: Tx, *, actor: Actor) -> Snapshot:
    """For a person; who reads it and the events after its position knows what a later snapshot would say."""
    access.need(actor, Role.VIEWER)
    workspace = actor.workspace_id
    return Snapshot(
        position=events.newest(tx, workspace_id=workspace),
        users=tuple(users.list_page(tx, workspace_id=workspace, after="", limit=MOST)),
        present=tuple(desk.present(tx, workspace_id=workspace)),
        projects=tuple(projects.page(tx, workspace_id=workspace, after="", limit=MOST)),
        rooms=tuple(rooms.page(tx, actor=actor, after="", limit=MOST)),
        topics=tuple(desk.glances(tx, actor=actor, limit=TOPICS)),
        agents=tuple(agents.list_page(tx, workspace_id=workspace, after="", limit=MOST)),
        computers=tuple(computers.list_page(tx, workspace_id=workspace, place=OLDEST, limit=MOST)),
        runs=tuple(desk.live_runs(tx, actor=actor, limit=MOST)),
        interactions=tuple(
            interactions.page(
                tx,
                actor=actor,
                before=_NEWEST,
                limit=MOST,
                status=InteractionStatus.PENDING,
                topic_id=None,
                run_id=None,
                kind=None,
            )
        ),
        deliveries=(
            *(one for status in _OPEN for one in _deliveries(tx, actor, status, MOST)),
            *(one for status in _BAD for one in _deliveries(tx, actor, status, ENDED_BADLY)),
        ),
        terminals=tuple(
            terminals.page(tx, actor=actor, place=NEWEST, limit=MOST, room_id=None, topic_id=None, is_all=False)
        ),
        drafts=tuple(desk.drafts(tx, user_id=actor.id)),
        saved=desk.saved(tx, user_id=actor.id),
        saved_prompts=desk.saved_prompts(tx, user_id=actor.id),
        preferences=desk.preferences(tx, user_id=actor.id),
    )


def _deliveries(tx: Tx, actor: Actor, status: DeliveryStatus, limit: int) -> list[Delivery]:
    return deliveries.page(
        tx,
        actor=actor,
        before=_NEWEST,
        limit=limit,
        agent=None,
        status=status,
        room_id=None,
        topic_id=None,
        message_id=None,
    )
