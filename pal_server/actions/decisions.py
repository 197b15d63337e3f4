"""Decisions of a project: people and agents propose, people settle.

A proposal is a card in a topic of the project, answered as every approval is: from the web, the command line or a chat,
by as many people as the strictest room of the project asks for. It is the project's: whoever knows that reads it,
wherever its card stands.
"""

from pal_server.actions import access, audit, client_ids, decision_ends, interactions
from pal_server.domain.actors import Actor, ActorKind, Role
from pal_server.domain.decisions import Decision, Status, parse_rationale, parse_status, parse_title
from pal_server.domain.interactions import Kind, fingerprint
from pal_server.domain.pages import Page, page_of, parse_after, parse_limit
from pal_server.domain.projects import Coded, Project, need_open, parse_code
from pal_server.domain.rooms import Room, Topic
from pal_server.errors import Conflict, Forbidden, Invalid, NotFound
from pal_server.storage import decisions, projects, rooms
from pal_server.storage import interactions as interaction_rows
from pal_server.storage.tx import Tx

NEWEST = 2**62
PROPOSED_LIMIT = 50  # by runs in one project; an agent may propose in a loop, which keeps no person from proposing


def propose(
    tx: Tx,
    *,
    actor: Actor,
    project: str,
    title: str,
    rationale: str = "",
    topic: int | None = None,
    supersedes: str | None = None,
    client_id: str | None = None,
) -> Decision:
    """Ask people to decide something for the project. A run does so in its own topic; of a person the card stands in
    the topic that is named, else in the default topic of the project's default room.
    """
    found = access.project(tx, actor, project)
    if actor.kind is not ActorKind.RUN:
        access.need(actor, Role.MEMBER)
    said = {"project": found.id, "title": title, "rationale": rationale, "topic": topic, "supersedes": supersedes}
    verb = "decisions.propose"
    if (made := client_ids.earlier(tx, actor=actor, client_id=client_id, verb=verb, said=said)) is not None:
        return decisions.get(tx, int(made))
    need_open(found)
    title, rationale = parse_title(title), parse_rationale(rationale)
    here = _place(tx, actor=actor, project=found, topic=topic)
    earlier = None if supersedes is None else _approved(tx, project=found, code=supersedes)
    rooms.lock(tx, room_id=here.room_id)
    if actor.kind is ActorKind.RUN and decisions.count_proposed_by_runs(tx, project_id=found.id) >= PROPOSED_LIMIT:
        raise Conflict(
            f"{PROPOSED_LIMIT} decisions of runs wait in {found.key}: settle some first", limit=PROPOSED_LIMIT
        )
    decision_id = decisions.add(
        tx,
        project=found,
        number=projects.next_number(tx, id=found.id, kind=Coded.DECISION),
        title=title,
        rationale=rationale,
        by=actor,
        supersedes=None if earlier is None else earlier.number,
        topic=here,
    )
    _show(tx, actor=actor, decision=decisions.get(tx, decision_id), earlier=earlier, topic=here)
    client_ids.remember(tx, actor=actor, client_id=client_id, verb=verb, said=said, target=decision_id)
    proposed = decisions.get(tx, decision_id)
    tx.emit("decision.proposed", workspace_id=found.workspace_id, data=proposed.fact())
    return proposed


def answer(tx: Tx, *, actor: Actor, project: str, decision: str, approve: bool, reason: str | None = None) -> Decision:
    """Approve it or reject it, as from its card. One whose room has ended has no card to collect approvals: it is
    answered directly, approved only where one person is enough.
    """
    found = get(tx, actor=actor, project=project, decision=decision)
    if found.interaction_id is not None:
        interactions.answer(
            tx,
            actor=actor,
            id=found.interaction_id,
            decision="approve" if approve else "deny",
            reason=reason,
        )
        return decisions.get(tx, found.id)
    access.need(actor, Role.MEMBER)
    access.project_to_change(tx, actor, found.project_id)
    if approve and (needs := projects.approvers(tx, id=found.project_id)) > 1:
        raise Conflict(
            f"the room of its card has ended, and {needs} have to approve: propose it again",
            decision=found.code,
            approvers=needs,
        )
    detail = {"code": found.code, "project": found.project_id, "approved": approve}
    audit.record(tx, actor=actor, action="decision.answered", target=f"decision:{found.id}", detail=detail)
    return decision_ends.settle(tx, decision=found, approve=approve, by=actor.name, reason=reason)


def supersede(tx: Tx, *, actor: Actor, project: str, decision: str, by: str | None = None) -> Decision:
    """It holds no longer: another approved one does in its place, or none."""
    access.need(actor, Role.MEMBER)
    about = access.project_to_change(tx, actor, project)
    found = _find(tx, project=about, code=decision)
    later = None if by is None else _approved(tx, project=about, code=by)
    if later is not None and later.id == found.id:
        raise Invalid("a decision does not supersede itself", field="by", value=found.code)
    ended = decision_ends.end(tx, decision=found, by=None if later is None else later.number)
    audit.record(
        tx,
        actor=actor,
        action="decision.superseded",
        target=f"decision:{ended.id}",
        detail={"code": ended.code, "project": ended.project_id},
    )
    return ended


def get(tx: Tx, *, actor: Actor, project: str, decision: str) -> Decision:
    """One, by its code (`D-3`) or number."""
    return _find(tx, project=access.project(tx, actor, project), code=decision)


def list_page(
    tx: Tx,
    *,
    actor: Actor,
    project: str,
    q: str | None = None,
    status: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[Decision]:
    """Newest first; `q` is found in titles and reasons, in any case."""
    limit = parse_limit(limit)
    before = parse_after(after)
    found = decisions.page(
        tx,
        project_id=access.project(tx, actor, project).id,
        q=q,
        status=None if status is None else parse_status(status),
        before=NEWEST if before is None else before,
        limit=limit + 1,
    )
    return page_of(found, limit=limit, cursor=lambda decision: str(decision.number))


def list_everywhere(
    tx: Tx,
    *,
    actor: Actor,
    project: str | None = None,
    q: str | None = None,
    status: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[Decision]:
    """The same of all projects the actor knows, or of one; newest first, by id."""
    limit = parse_limit(limit)
    before = parse_after(after)
    found = decisions.page_everywhere(
        tx,
        actor=actor,
        knows_all=access.knows_all_projects(actor),
        project_id=None if project is None else access.project(tx, actor, project).id,
        q=q,
        status=None if status is None else parse_status(status),
        before=NEWEST if before is None else before,
        limit=limit + 1,
    )
    return page_of(found, limit=limit, cursor=lambda decision: str(decision.id))


def _find(tx: Tx, *, project: Project, code: str) -> Decision:
    number = parse_code(code, kind=Coded.DECISION)
    found = None if number is None else decisions.by_number(tx, project_id=project.id, number=number)
    if found is None:
        raise NotFound(f"there is no decision {code} in {project.key}", decision=code, project=project.key)
    return found


def _approved(tx: Tx, *, project: Project, code: str) -> Decision:
    found = _find(tx, project=project, code=code)
    if found.status is not Status.APPROVED:
        raise Conflict(f"{found.code} is {found.status}, not approved", decision=found.code, status=found.status)
    return found


def _place(tx: Tx, *, actor: Actor, project: Project, topic: int | None) -> Topic:
    """The topic its card stands in."""
    if actor.kind is ActorKind.RUN:
        if topic not in (None, actor.topic_id):
            raise Forbidden("a run proposes in its own topic", topic=topic)
        topic = actor.topic_id
    if topic is None:
        topic = access.room(tx, actor, project.default_room).default_topic
    here = access.topic(tx, actor, topic)
    if _room(tx, project=project, topic=here).project_id != project.id:
        raise Invalid(f"topic {topic} is in no room of {project.key}", field="topic", topic=topic)
    if here.archived_at is not None:
        raise Conflict("the topic is archived", topic=topic)
    return here


def _room(tx: Tx, *, project: Project, topic: Topic) -> Room:
    room = rooms.find(tx, workspace_id=project.workspace_id, ref=topic.room_id)
    assert room is not None, "a topic has a room"
    return room


def _show(tx: Tx, *, actor: Actor, decision: Decision, earlier: Decision | None, topic: Topic) -> None:
    """The card in the topic, from which people answer: who approves has read what no longer holds then."""
    room = rooms.find(tx, workspace_id=decision.workspace_id, ref=topic.room_id)
    assert room is not None, "a topic has a room"
    key, title = f"decision:{decision.id}", f"{decision.code}: {decision.title}"
    replaced = "" if earlier is None else f"Takes the place of {earlier.code}: {earlier.title}"
    body = "\n\n".join(part for part in (replaced, decision.rationale) if part)
    interaction_id = interaction_rows.add(
        tx,
        workspace_id=decision.workspace_id,
        room_id=room.id,
        topic_id=topic.id,
        run_id=None,
        chain_id=None,
        decision_id=decision.id,
        key=key,
        agent=actor.agent,
        kind=Kind.APPROVAL,
        title=title,
        body=body,
        options=(),
        hash=fingerprint(run_id=None, key=key, kind=Kind.APPROVAL, title=title, body=body, options=()),
        needs=projects.approvers(tx, id=decision.project_id),
    )
    content = f"{decision.proposed_by} proposes a decision, {title}"
    card = interactions.show_of_decision(tx, id=interaction_id, room=room, content=content)
    decisions.show(tx, id=decision.id, message_id=card, interaction_id=interaction_id)
