"""Tasks: planned, started, moved by hand and read. How work moves them is `task_progress`.

People plan. A run adds to the backlog of its project, and says what came of its own topic's task; it never changes what
it is measured by.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pal_server.actions import access, audit, client_ids, deliveries, messages, task_progress, topics
from pal_server.actions import rooms as room_actions
from pal_server.domain.actors import Actor, ActorKind
from pal_server.domain.addressing import Reason
from pal_server.domain.keep import KEEP, Keep
from pal_server.domain.messages import Message, parse_content
from pal_server.domain.pages import Page, page_of, parse_limit, parse_place, render_place
from pal_server.domain.pages import Place as Cursor
from pal_server.domain.projects import Coded, Project, render_code
from pal_server.domain.receipts import Receipt
from pal_server.domain.rooms import AgentMember, Mode, Room, Topic
from pal_server.domain.tasks import (
    DEFAULT_TYPE,
    DEPENDENTS_LIMIT,
    PLANNED_LIMIT,
    RUN_MAY_SAY,
    UNBEGUN,
    Dependency,
    Status,
    Task,
    is_verified,
    move,
    need_startable,
    parse_body,
    parse_command,
    parse_dependencies,
    parse_lines,
    parse_order,
    parse_status,
    parse_type,
    written_result,
)
from pal_server.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound
from pal_server.storage import agents as agent_rows
from pal_server.storage import deliveries as delivery_rows
from pal_server.storage import projects, rooms, tasks
from pal_server.storage import users as user_rows
from pal_server.storage.tx import Tx

_FIRST = Cursor(at=0, id="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is said of a task; what is KEEP stays as it is."""

    body: str | Keep = KEEP
    acceptance: Sequence[str] | Keep = KEEP
    verification: str | Keep = KEEP
    verification_required: bool | Keep = KEEP
    paths: Sequence[str] | Keep = KEEP
    references: Sequence[str] | Keep = KEEP
    owner: str | Keep | None = KEEP
    agent: str | Keep | None = KEEP
    type: str | Keep = KEEP
    order: float | Keep = KEEP
    depends_on: Sequence[str] | Keep = KEEP
    result: str | Keep | None = KEEP

    def said(self) -> dict[str, Any]:
        """What is given, by name."""
        found: dict[str, Any] = {}
        for name in self.__slots__:
            value = getattr(self, name)
            if value is not KEEP:
                found[name] = list(value) if isinstance(value, tuple) else value
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    task: Task
    message: Message
    delivery: int
    receipt: Receipt


_RUN_MAY_PLAN = frozenset({"paths", "references"})  # of its own topic's task


def create(
    tx: Tx,
    *,
    actor: Actor,
    title: str,
    plan: Plan,
    project: str | None = None,
    room: str | None = None,
    status: str | None = None,
    client_id: str | None = None,
) -> Task:
    """A new task with its topic, in the project's default room or another one of the project; a run's is in its own
    room. It is in the backlog, or ready where a person says so.
    """
    _need_planner(actor)
    first = Status.BACKLOG if status is None else parse_status(status)
    if first not in UNBEGUN:
        raise Invalid("a new task is in the backlog or ready", field="status", value=status)
    if actor.kind is ActorKind.RUN:
        _need_backlog(plan, status=first)
    found = _project(tx, actor, project)
    said = {"title": title, "project": found.id, "room": room, "status": status, **plan.said()}
    verb = "tasks.create"
    if (made := client_ids.earlier(tx, actor=actor, client_id=client_id, verb=verb, said=said)) is not None:
        return access.task(tx, actor, made)
    home = _home(tx, actor, project=found, room=room)
    rooms.lock(tx, room_id=home.id)
    if actor.kind is ActorKind.RUN and (
        tasks.unbegun_of(tx, project_id=found.id, created_by=actor.key) >= PLANNED_LIMIT
    ):
        raise Conflict(f"this run has planned {PLANNED_LIMIT} tasks that nobody has begun", limit=PLANNED_LIMIT)
    topic = room_actions.create_topic(tx, actor=actor, room=home.id, title=title)
    task = _add(tx, actor=actor, project=found, topic=topic, plan=plan, status=first)
    client_ids.remember(tx, actor=actor, client_id=client_id, verb=verb, said=said, target=task.id)
    return task


def promote(tx: Tx, *, actor: Actor, topic: int, plan: Plan, client_id: str | None = None) -> Task:
    """Make a task of a topic, with all that was said and done in it. What ran before is none of the task's work."""
    access.need_person(actor)
    found = access.topic(tx, actor, topic)
    said = {"topic": topic, **plan.said()}
    verb = "tasks.promote"
    if (made := client_ids.earlier(tx, actor=actor, client_id=client_id, verb=verb, said=said)) is not None:
        return access.task(tx, actor, made)
    rooms.lock(tx, room_id=found.room_id)
    if (known := tasks.id_of_topic(tx, topic_id=topic)) is not None:
        task = access.task(tx, actor, known)
        raise AlreadyExists(f"this topic is {task.code} already", task=task.code)
    room = access.room(tx, actor, found.room_id)
    if found.is_default:
        raise Conflict("the default topic of a room is no task: begin a topic for it", topic=topic)
    if found.archived_at is not None:
        raise Conflict("the topic is archived", topic=topic)
    if room.project_id is None:
        raise Conflict(f"the room {room.name} is about no project, and tasks are a project's", room=room.name)
    project = access.open_project(tx, actor, room.project_id)
    task = _add(tx, actor=actor, project=project, topic=found, plan=plan, status=Status.BACKLOG)
    client_ids.remember(tx, actor=actor, client_id=client_id, verb=verb, said=said, target=task.id)
    task_progress.look(tx, workspace_id=actor.workspace_id, topic_id=topic)
    return access.task(tx, actor, task.id)


def change(
    tx: Tx,
    *,
    actor: Actor,
    task: str,
    plan: Plan,
    project: str | None = None,
    title: str | None = None,
    status: str | None = None,
    waiting_note: str = "",
    archived: bool | None = None,
) -> Task:
    """Change what is given. A move by hand is kept until the next run starts. While it is archived nothing changes."""
    found = access.task(tx, actor, task, project=project)
    said = {**plan.said(), **({} if title is None else {"title": title})}
    _need_changer(actor, found, said=frozenset(said), status=status, archived=archived)
    if waiting_note and status != Status.WAITING:
        raise Invalid("waiting_note goes with the status waiting", field="waiting_note")
    rooms.lock(tx, room_id=found.room_id)
    if archived is False:
        topics.change(tx, actor=actor, id=found.topic_id, archived=False)
    was = _locked(tx, found)
    if was.archived_at is not None and (said or status is not None):
        raise Conflict(f"{was.code} is archived", task=was.code)
    if title is not None:
        topics.change(tx, actor=actor, id=found.topic_id, title=title)
        was = _locked(tx, found)
    changed = _planned(tx, was, plan)
    if status is not None:
        work = tasks.work(tx, topic_id=was.topic_id)
        is_own_word = actor.kind is ActorKind.RUN and status == Status.DONE
        if is_own_word and not is_verified(changed, since=work.run_at):
            raise Forbidden("a run's work is done when its verification passed; else a person says so", task=was.code)
        changed = move(changed, to=status, note=waiting_note, newest_run=work.run_id, verified_since=work.run_at)
    task_progress.store(tx, changed, was=was)
    if archived:
        topics.change(tx, actor=actor, id=found.topic_id, archived=True)
    return _locked(tx, found)


def delete(tx: Tx, *, actor: Actor, task: str) -> Task:
    """Take it away for good, as it last was: its plan, its verifications and its place before and after others. Its
    conversation stays, archived; its code is never given again. `Conflict` while something is at work in its topic.
    """
    access.need_person(actor)
    found = access.task(tx, actor, task)
    rooms.lock(tx, room_id=found.room_id)
    tasks.lock_order(tx, project_id=found.project_id)
    if found.archived_at is None:
        topics.change(tx, actor=actor, id=found.topic_id, archived=True)
    gone = _locked(tx, found)
    held_up = tasks.dependents(tx, task_id=gone.id)
    tasks.remove(tx, gone)
    where = {"id": gone.id, "code": gone.code, "project": gone.project, "topic": gone.topic_id, "room": gone.room_id}
    tx.emit("task.deleted", workspace_id=gone.workspace_id, room_id=gone.room_id, data=where)
    task_progress.let_go(tx, held_up, workspace_id=gone.workspace_id)
    detail = {"code": gone.code, "project": gone.project, "title": gone.title, "topic": gone.topic_id}
    audit.record(tx, actor=actor, action="task.deleted", target=f"task:{gone.id}", detail=detail)
    return gone


def start(
    tx: Tx,
    *,
    actor: Actor,
    task: str,
    project: str | None = None,
    agent: str | None = None,
    text: str = "",
    force: bool = False,
    client_id: str | None = None,
) -> Started:
    """Give it to its agent, or to another one of its room. Refused while it comes after something that is not done,
    unless forced, and while that agent is at work in the topic.
    """
    access.need_person(actor)
    found = access.task(tx, actor, task, project=project)
    said = {"task": found.id, "agent": agent, "text": text, "force": force}
    verb = "tasks.start"
    if (made := client_ids.earlier(tx, actor=actor, client_id=client_id, verb=verb, said=said)) is not None:
        return _started_before(tx, actor, found, delivery=int(made))
    rooms.lock(tx, room_id=found.room_id)
    was = _locked(tx, found)
    if was.archived_at is not None:
        raise Conflict(f"{was.code} is archived", task=was.code)
    access.open_project(tx, actor, was.project_id)
    need_startable(was, force=force)
    key = agent or was.agent
    if key is None:
        raise Invalid(f"{was.code} has no agent: name the one that shall do it", field="agent")
    room = access.room(tx, actor, was.room_id)
    member = _member(tx, room=room, key=key)
    if delivery_rows.lane_is_open(tx, topic_id=was.topic_id, agent=key):
        raise Conflict(f"{key} is at work on {was.code} already", task=was.code, agent=key)
    content = parse_content(text or f"Work on {was.code}: {was.title}", has_files=False)
    message = messages.say_unheard(tx, actor=actor, room=room, topic_id=was.topic_id, content=content)
    task_progress.store(tx, replace(was, is_moved=False, agent=was.agent or key), was=was)
    delivery = deliveries.hand_over(tx, room=room, message=message, agent=member, reason=Reason.TASK)
    client_ids.remember(tx, actor=actor, client_id=client_id, verb=verb, said=said, target=delivery)
    return _started(tx, actor, found, message=message, delivery=delivery, member=member)


def get(tx: Tx, *, actor: Actor, task: str, project: str | None = None) -> Task:
    return access.task(tx, actor, task, project=project)


def list_page(
    tx: Tx,
    *,
    actor: Actor,
    project: str | None = None,
    topic: int | None = None,
    status: str | None = None,
    agent: str | None = None,
    owner: str | None = None,
    type: str | None = None,
    q: str = "",
    archived: bool = False,
    after: str | None = None,
    limit: int = 50,
) -> Page[Task]:
    """By number. Archived ones are listed apart."""
    limit = parse_limit(limit)
    place = parse_place(after, default=_FIRST)
    found = tasks.page(
        tx,
        actor=actor,
        after=(place.at, place.id),
        limit=limit + 1,
        project_id=None if project is None else access.project(tx, actor, project).id,
        topic_id=topic,
        status=None if status is None else parse_status(status),
        agent=agent,
        owner=owner,
        type=type,
        q=q,
        archived=archived,
    )
    return page_of(found, limit=limit, cursor=lambda task: render_place(task.number, task.id))


def need_hand(actor: Actor, task: Task) -> None:
    """Who may say something of a task: people, and a run of its topic."""
    if actor.kind is not ActorKind.RUN:
        access.need_person(actor)
    elif actor.topic_id != task.topic_id:
        raise Forbidden("a run changes the task of its own topic only", task=task.code)


def _need_planner(actor: Actor) -> None:
    if actor.kind is not ActorKind.RUN:
        access.need_person(actor)


def _need_backlog(plan: Plan, *, status: Status) -> None:
    """What a run may plan."""
    if status is not Status.BACKLOG or plan.agent not in (KEEP, None):
        raise Forbidden("a run adds to the backlog only: people decide what is done next, and by whom")
    if plan.verification not in (KEEP, "") or plan.verification_required not in (KEEP, False):
        raise Forbidden("a run plans no command for others to run: its verification is people's to say")


def _need_changer(actor: Actor, task: Task, *, said: frozenset[str], status: str | None, archived: bool | None) -> None:
    need_hand(actor, task)
    if actor.kind is not ActorKind.RUN:
        return
    if (beyond := said - _RUN_MAY_PLAN) or archived is not None:
        raise Forbidden("what a task asks for is people's to say", task=task.code, fields=sorted(beyond))
    if status is not None and parse_status(status) not in RUN_MAY_SAY:
        raise Forbidden(f"a run says of a task {', '.join(sorted(RUN_MAY_SAY))}", task=task.code, status=status)


def _project(tx: Tx, actor: Actor, ref: str | None) -> Project:
    if ref is None and actor.kind is ActorKind.RUN and actor.room_id is not None:
        ref = access.room(tx, actor, actor.room_id).project_id
    if ref is None:
        raise Invalid("project is missing: whose task is it?", field="project")
    return access.open_project(tx, actor, ref)


def _home(tx: Tx, actor: Actor, *, project: Project, room: str | None) -> Room:
    """The room of a new task."""
    if room is None and actor.kind is ActorKind.RUN and actor.room_id is not None:
        own = access.room(tx, actor, actor.room_id)
        room = own.id if own.project_id == project.id else None
    found = access.room(tx, actor, room or project.default_room)
    if found.project_id != project.id:
        raise Invalid(f"{found.name} is no room of {project.key}", field="room", room=found.name, project=project.key)
    if found.archived_at is not None:
        raise Conflict("the room is archived", room=found.name)
    return found


def _add(tx: Tx, *, actor: Actor, project: Project, topic: Topic, plan: Plan, status: Status) -> Task:
    number = projects.next_number(tx, id=project.id, kind=Coded.TASK)
    task = Task(
        id=tx.new_id("task"),
        workspace_id=actor.workspace_id,
        project_id=project.id,
        project=project.key,
        number=number,
        topic_id=topic.id,
        room_id=topic.room_id,
        title=topic.title,
        type=DEFAULT_TYPE,
        order=float(number),
        status=status,
        seen_run=tasks.work(tx, topic_id=topic.id).run_id,
        created_by=actor.key,
        created_at=tx.now,
        updated_at=tx.now,
    )
    tasks.add(tx, task)
    planned = _planned(tx, task, plan)
    tasks.put(tx, planned)
    tx.emit("task.created", workspace_id=task.workspace_id, room_id=task.room_id, data=planned.fact())
    return planned


def _planned(tx: Tx, task: Task, plan: Plan) -> Task:
    """The task with what is given, its dependencies written."""
    changed = task
    if not isinstance(plan.body, Keep):
        changed = replace(changed, body=parse_body(plan.body))
    if not isinstance(plan.acceptance, Keep):
        changed = replace(changed, acceptance=parse_lines(plan.acceptance, field="acceptance"))
    if not isinstance(plan.paths, Keep):
        changed = replace(changed, paths=parse_lines(plan.paths, field="paths"))
    if not isinstance(plan.references, Keep):
        changed = replace(changed, references=parse_lines(plan.references, field="references"))
    if not isinstance(plan.verification, Keep):
        command = parse_command(plan.verification)
        passed = changed.verified_at if command == changed.verification else None
        changed = replace(changed, verification=command, verified_at=passed)
    if not isinstance(plan.verification_required, Keep):
        changed = replace(changed, verification_required=plan.verification_required)
    if not isinstance(plan.owner, Keep):
        changed = replace(changed, owner=_owner(tx, task, plan.owner))
    if not isinstance(plan.agent, Keep):
        changed = replace(changed, agent=_agent(tx, task, plan.agent))
    if not isinstance(plan.type, Keep):
        changed = replace(changed, type=parse_type(plan.type))
    if not isinstance(plan.order, Keep):
        changed = replace(changed, order=parse_order(plan.order))
    if not isinstance(plan.result, Keep):
        changed = replace(changed, result=written_result(plan.result))
    if not isinstance(plan.depends_on, Keep):
        changed = replace(changed, depends_on=_depend(tx, task, plan.depends_on))
    if changed.verification_required and not changed.verification:
        raise Invalid("verification is missing: what has to pass?", field="verification")
    return changed


def _owner(tx: Tx, task: Task, username: str | None) -> str | None:
    if not username:
        return None
    user = user_rows.get(tx, username, workspace_id=task.workspace_id)
    if user is None or user.disabled:
        raise NotFound("there is no such user", user=username)
    return user.username


def _agent(tx: Tx, task: Task, key: str | None) -> str | None:
    if not key:
        return None
    if agent_rows.get(tx, key, workspace_id=task.workspace_id) is None:
        raise NotFound("there is no such agent", agent=key)
    return key


def _depend(tx: Tx, task: Task, codes: Sequence[str]) -> tuple[Dependency, ...]:
    """Let it come after these tasks of its own project, and after no others."""
    numbers = parse_dependencies(codes)
    tasks.lock_order(tx, project_id=task.project_id)
    found: dict[int, Task] = {}
    for number in numbers:
        id = tasks.id_by_number(tx, project_id=task.project_id, number=number)
        other = None if id is None else tasks.find(tx, workspace_id=task.workspace_id, id=id)
        if other is None:
            code = render_code(Coded.TASK, number)
            raise Invalid(f"{task.project} has no task {code}", field="depends_on", value=code)
        found[number] = other
        after = tasks.dependents(tx, task_id=other.id)
        if len(after) >= DEPENDENTS_LIMIT and task.id not in after:
            raise Conflict(
                f"{DEPENDENTS_LIMIT} tasks come after {other.code} already", task=other.code, limit=DEPENDENTS_LIMIT
            )
    if task.number not in found:
        tasks.set_dependencies(tx, task_id=task.id, depends_on=[found[number].id for number in numbers])
    if task.number in found or tasks.comes_before_itself(tx, task_id=task.id):
        raise Invalid(f"{task.code} would come before itself", field="depends_on", task=task.code)
    return tuple(Dependency(number=number, status=found[number].status) for number in numbers)


def _locked(tx: Tx, task: Task) -> Task:
    found = tasks.find_locked(tx, workspace_id=task.workspace_id, id=task.id)
    if found is None:
        raise NotFound(f"{task.code} was deleted a moment ago", task=task.code)
    return found


def _member(tx: Tx, *, room: Room, key: str) -> AgentMember:
    for agent in rooms.agents_in(tx, room_id=room.id):
        if agent.key == key and agent.mode is not Mode.OFF:
            if not agent.enabled:
                raise Conflict(f"{key} is disabled", agent=key)
            return agent
    raise NotFound(f"there is no agent {key} in the room {room.name}: invite it first", agent=key, room=room.name)


def _started(
    tx: Tx, actor: Actor, task: Task, *, message: Message, delivery: int, member: AgentMember | None
) -> Started:
    made = access.delivery(tx, actor, delivery)
    member = member or _member(tx, room=access.room(tx, actor, task.room_id), key=made.agent)
    receipt = deliveries.receipt_for(tx, delivery=made, agent=member)
    return Started(task=_locked(tx, task), message=message, delivery=delivery, receipt=receipt)


def _started_before(tx: Tx, actor: Actor, task: Task, *, delivery: int) -> Started:
    message = access.message(tx, actor, access.delivery(tx, actor, delivery).message_id)
    return _started(tx, actor, task, message=message, delivery=delivery, member=None)
