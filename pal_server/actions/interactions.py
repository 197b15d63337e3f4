"""Interactions: what waits for a person, answered once from anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pal_server.actions import access, approval_rules, audit, cards, decision_ends, deliveries, messages, task_progress
from pal_server.domain import interactions as rules
from pal_server.domain.actors import Actor, ActorKind, system
from pal_server.domain.approval_rules import ApprovalRule, action_hash, parse_scope, shared_scope
from pal_server.domain.chains import end, let_go_on
from pal_server.domain.deliveries import need_lease
from pal_server.domain.interactions import LOOK_BACK, Interaction, Kind, Status, fingerprint
from pal_server.domain.messages import without_mention
from pal_server.domain.pages import Page, page_of, parse_after, parse_limit
from pal_server.domain.questions import Given, Question, check_questions
from pal_server.domain.rooms import Room
from pal_server.domain.runs import LIVE, Run
from pal_server.domain.runs import Status as RunStatus
from pal_server.errors import Conflict, Forbidden, Invalid, LeaseLost
from pal_server.storage import chains, commands, decisions, interactions, rooms, runs
from pal_server.storage import deliveries as delivery_rows
from pal_server.storage import messages as message_rows
from pal_server.storage.tx import Tx

TITLE_LIMIT = 300  # characters
BODY_LIMIT = 50_000  # characters; a person has to see all of it
OPTIONS_LIMIT = 50
FOLDER_LIMIT = 4_096  # characters
DENY_LIMIT = 200  # per step of the loop
ASKED = "ask:"  # keys of questions an agent asks by command; it fetches the answer itself


def open_for_run(
    tx: Tx,
    *,
    actor: Actor,
    run: int,
    lease_id: str,
    fence: int,
    key: str,
    kind: str,
    title: str,
    body: str = "",
    options: tuple[str, ...] = (),
    folder: str = "",
    questions: tuple[Question, ...] = (),
) -> Interaction:
    """A program asks through its daemon. The same again is the same interaction; its key for something else is a
    `Conflict`, because an answer is for exactly what was shown.
    """
    rooms.lock(tx, room_id=access.own_run(tx, actor, run).room_id)
    found = access.own_run(tx, actor, run)
    _need_lease(tx, found, lease_id=lease_id, fence=fence)
    asked = _Asked(key=key, kind=kind, title=title, body=body, options=options, folder=folder, questions=questions)
    if (known := _known(tx, run=found, asked=asked)) is not None:
        return known
    opened = _recall(tx, _open(tx, run=found, asked=asked))
    if (rule := approval_rules.deciding(tx, asked=opened)) is not None:
        return _answer_by_rule(tx, run=found, asked=opened, rule=rule)
    shown = _show(tx, run=found, asked=opened)
    runs.set_status(tx, id=run, status=RunStatus.WAITING)
    _emit_run(tx, actor, run)
    return shown


def ask(
    tx: Tx,
    *,
    actor: Actor,
    title: str,
    body: str = "",
    options: tuple[str, ...] = (),
    kind: str = "question",
    questions: tuple[Question, ...] = (),
    client_id: str | None = None,
) -> Interaction:
    """An agent asks by itself, with its run's token, and fetches the answer."""
    if actor.kind is not ActorKind.RUN or actor.run_id is None:
        raise Forbidden("questions are asked from inside a run")
    rooms.lock(tx, room_id=access.run(tx, actor, actor.run_id).room_id)
    run = access.run(tx, actor, actor.run_id)
    if run.status not in LIVE:
        raise Conflict("the run has ended", run=run.id)
    key = ASKED + (client_id or tx.new_id("ask"))
    asked = _Asked(key=key, kind=kind, title=title, body=body, options=options, questions=questions)
    if (known := _known(tx, run=run, asked=asked)) is not None:
        return known
    opened = _show(tx, run=run, asked=_open(tx, run=run, asked=asked))
    runs.set_status(tx, id=run.id, status=RunStatus.WAITING)
    _emit_run(tx, actor, run.id)
    return opened


def answer(
    tx: Tx,
    *,
    actor: Actor,
    id: int,
    text: str | None = None,
    decision: str | None = None,
    reason: str | None = None,
    shown_hash: str | None = None,
    scope: str = "once",
    answers: Sequence[Given] | None = None,
    message: int | None = None,
) -> Interaction:
    """A person answers. The first answer wins; an agent never answers itself. With a wider `scope` the decision holds
    for all requests of exactly this content. Where two have to approve, it stays pending until the second one has.
    With a `message` what was said there is the answer, or the reason of a decision, and makes no turn of its own.
    """
    asked = access.interaction(tx, actor, id)
    if actor.kind not in (ActorKind.USER, ActorKind.BRIDGE):
        raise Forbidden("a person answers this, not an agent")
    if actor.kind is ActorKind.BRIDGE and actor.person is None:
        raise Forbidden("a bridge answers for nobody by itself: hand in what a person said or pressed")
    access.need_person(actor)
    rooms.lock(tx, room_id=asked.room_id)  # its run ends before the answer or after it
    asked = access.interaction(tx, actor, id)
    if message is not None:
        words = _take_words(tx, actor=actor, asked=asked, message=message)
        text, reason = (words, reason) if asked.kind is Kind.QUESTION else (text, words)
    given = rules.answer(asked, text=text, decision=decision, reason=reason, shown_hash=shown_hash, given=answers)
    reach = parse_scope(scope, asked=asked, is_own=asked.key.startswith(ASKED))
    approval_rules.need_for(tx, actor=actor, asked=asked, scope=reach)
    run = None if asked.run_id is None else runs.find(tx, workspace_id=asked.workspace_id, id=asked.run_id)
    if asked.run_id is not None and (run is None or not run.is_live):
        raise Conflict("the run that asked has ended", interaction=id, run=asked.run_id)
    if given.get("decision") == "approve":
        counted, agreed = rules.approve(asked, given=given, by=actor.name, key=actor.key, scope=reach, now=tx.now)
        if agreed is None:
            return _wait_for_others(tx, actor=actor, counted=counted)
        asked, given = counted, agreed
        reach = shared_scope([approval.scope for approval in counted.approvals])
    fetched = run is None or asked.key.startswith(ASKED)
    answered = replace(
        asked,
        status=Status.APPLIED if fetched else Status.ANSWERED,
        answer=given,
        answered_by=_names(asked) if given.get("decision") == "approve" and asked.needs > 1 else actor.name,
        answered_at=tx.now,
    )
    interactions.put(tx, answered, was=asked.status)
    _changed(tx, "interaction.answered", answered)
    made = approval_rules.make(
        tx,
        asked=asked,
        scope=reach,
        decision=given.get("decision", ""),
        reason=given.get("reason"),
        made_by=answered.answered_by or actor.name,
        people=max(1, len(asked.approvals)),
    )
    if answered.decision_id is not None:
        _decision_answered(tx, answered)
    elif run is None:
        _chain_answered(tx, answered)
    elif fetched:
        _go_on(tx, actor, run)
    else:
        _send_answer(tx, run=run, asked=answered)
    told: dict[str, object] = {"kind": asked.kind, "hash": asked.hash, "answer": given}
    if made is not None:
        told |= {"scope": made.scope, "rule": made.id}
    audit.record(tx, actor=actor, action="interaction.answered", target=f"interaction:{id}", detail=told)
    return answered


def any_overdue(tx: Tx) -> bool:
    """Whether `deny_overdue` has anything to do."""
    return interactions.any_overdue(tx)


def deny_overdue(tx: Tx) -> int:
    """Deny what nobody has answered in time; how many that were."""
    overdue = interactions.overdue(tx, limit=DENY_LIMIT)
    for room_id in sorted({asked.room_id for asked in overdue}):
        rooms.lock(tx, room_id=room_id)
    for seen in overdue:
        asked = interactions.find(tx, workspace_id=seen.workspace_id, id=seen.id)
        if asked is not None and asked.status is Status.PENDING and asked.run_id is not None:
            _deny(tx, asked=asked)
    return len(overdue)


def applied(tx: Tx, *, actor: Actor, id: int, lease_id: str, fence: int, was_applied: bool = True) -> Interaction:
    """The daemon says that the program has the answer (or, with False, that it no longer wants one)."""
    found = access.interaction(tx, actor, id)
    if found.run_id is None:
        raise Conflict("this interaction belongs to no run", interaction=id)
    run = access.own_run(tx, actor, found.run_id)
    _need_lease(tx, run, lease_id=lease_id, fence=fence)
    if was_applied:
        if found.status is Status.APPLIED:
            return found
        if found.status is not Status.ANSWERED:
            raise Conflict(f"there is no answer to apply: it is {found.status}", interaction=id)
        now = replace(found, status=Status.APPLIED)
    else:
        if found.status is not Status.PENDING:
            return found
        now = replace(found, status=Status.CANCELLED)
    interactions.put(tx, now, was=found.status)
    _changed(tx, "interaction.applied" if was_applied else "interaction.cancelled", now)
    _go_on(tx, actor, run)
    return now


def expire_of_run(tx: Tx, *, run: Run) -> None:
    """The run has ended: nothing can be answered any more. An answer that the program is not known to have does not
    stand either; who gave it stays, and what it was is in the log and in the audit.
    """
    for unsettled in interactions.unsettled_of_run(tx, run_id=run.id):
        expired = replace(unsettled, status=Status.EXPIRED, answer=None)
        interactions.put(tx, expired, was=unsettled.status)
        _changed(tx, "interaction.expired", expired)


def get(tx: Tx, *, actor: Actor, id: int) -> Interaction:
    return access.interaction(tx, actor, id)


def list_page(
    tx: Tx,
    *,
    actor: Actor,
    status: str | None = None,
    topic: int | None = None,
    run: int | None = None,
    kind: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[Interaction]:
    """Newest first."""
    limit = parse_limit(limit)
    before = parse_after(after)
    found = interactions.page(
        tx,
        actor=actor,
        before=2**62 if before is None else before,
        limit=limit + 1,
        status=status,
        topic_id=topic,
        run_id=run,
        kind=kind,
    )
    return page_of(found, limit=limit, cursor=lambda interaction: str(interaction.id))


def _take_words(tx: Tx, *, actor: Actor, asked: Interaction, message: int) -> str:
    """What was said in a message of the same topic while this waited; its waiting delivery is dropped."""
    said = access.message(tx, actor, message)
    if said.topic_id != asked.topic_id or said.kind != "text" or said.sender.kind == "agent" or said.deleted_at:
        raise Invalid("message is no words of a person in this topic", field="message", message=message)
    for waiting in delivery_rows.of_message(tx, message_id=message):
        if waiting.agent == asked.agent:
            deliveries.without_message(tx, workspace_id=asked.workspace_id, id=waiting.id)
    return without_mention(said.content, agent=asked.agent) if asked.agent else said.content


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What is to be shown, as it was given."""

    key: str
    kind: str
    title: str
    body: str
    options: tuple[str, ...]
    folder: str = ""
    questions: tuple[Question, ...] = ()

    def line(self) -> str:
        return " ".join(self.title.split())

    def hash(self, run: Run) -> str:
        return fingerprint(
            run_id=run.id,
            key=self.key,
            kind=Kind(self.kind),
            title=self.line(),
            body=self.body,
            options=self.options,
            folder=self.folder,
            questions=self.questions,
        )


def _known(tx: Tx, *, run: Run, asked: _Asked) -> Interaction | None:
    """What this run asked under this key before."""
    known = interactions.by_key(tx, run_id=run.id, key=asked.key)
    if known is not None and asked.hash(run) != known.hash:
        raise Conflict("this key was used for another question: make a new one", interaction=known.id, key=asked.key)
    return known


def _open(tx: Tx, *, run: Run, asked: _Asked) -> Interaction:
    title = asked.line()
    if not 1 <= len(title) <= TITLE_LIMIT:
        raise Invalid(f"title has 1 to {TITLE_LIMIT} characters", field="title", limit=TITLE_LIMIT)
    if len(asked.body) > BODY_LIMIT:
        raise Invalid(f"body has more than {BODY_LIMIT} characters", field="body", limit=BODY_LIMIT)
    if len(asked.options) > OPTIONS_LIMIT or any(not 1 <= len(option) <= TITLE_LIMIT for option in asked.options):
        raise Invalid(f"options are at most {OPTIONS_LIMIT} texts of 1 to {TITLE_LIMIT} characters", field="options")
    if not 1 <= len(asked.key) <= TITLE_LIMIT:
        raise Invalid(f"key has 1 to {TITLE_LIMIT} characters", field="key")
    if len(asked.folder) > FOLDER_LIMIT:
        raise Invalid(f"folder has more than {FOLDER_LIMIT} characters", field="folder", limit=FOLDER_LIMIT)
    shown = Kind(asked.kind)
    if asked.questions and shown is not Kind.QUESTION:
        raise Invalid("questions are for the kind question", field="questions")
    check_questions(asked.questions)
    room = rooms.find(tx, workspace_id=run.workspace_id, ref=run.room_id)
    assert room is not None, "a run has a room"
    interaction_id = interactions.add(
        tx,
        workspace_id=run.workspace_id,
        room_id=run.room_id,
        topic_id=run.topic_id,
        run_id=run.id,
        chain_id=None,
        key=asked.key,
        agent=run.agent,
        kind=shown,
        title=title,
        body=asked.body,
        options=asked.options,
        hash=asked.hash(run),
        deny_at=None if room.deny_after is None or shown is Kind.QUESTION else tx.now + room.deny_after,
        folder=asked.folder,
        needs=1 if shown is Kind.QUESTION else room.approvers,
        questions=asked.questions,
        version=interactions.count_plans(tx, run_id=run.id) + 1 if shown is Kind.PLAN else None,
    )
    return _reread(tx, workspace_id=run.workspace_id, id=interaction_id)


def _recall(tx: Tx, opened: Interaction) -> Interaction:
    """Keep what is asked by its content, and suggest a rule when people have often approved exactly this."""
    if opened.kind is not Kind.APPROVAL:
        return opened
    same = action_hash(opened)
    earlier = interactions.same_in_room(tx, room_id=opened.room_id, action_hash=same, before=opened.id, limit=LOOK_BACK)
    suggestion = rules.suggest(opened, earlier=earlier)
    interactions.recall(tx, id=opened.id, action_hash=same, suggestion=suggestion)
    return replace(opened, suggestion=suggestion)


def _wait_for_others(tx: Tx, *, actor: Actor, counted: Interaction) -> Interaction:
    """One has approved, and it needs more: nothing goes to the program yet."""
    interactions.put(tx, counted, was=counted.status)
    _changed(tx, "interaction.approved", counted)
    detail = {"kind": counted.kind, "hash": counted.hash, "needs": counted.needs}
    audit.record(tx, actor=actor, action="interaction.approved", target=f"interaction:{counted.id}", detail=detail)
    return counted


def _names(asked: Interaction) -> str:
    """Who approved it, when several had to."""
    return " and ".join(approval.by for approval in asked.approvals)


def _reread(tx: Tx, *, workspace_id: str, id: int) -> Interaction:
    found = interactions.find(tx, workspace_id=workspace_id, id=id)
    assert found is not None, "it was written in this transaction"
    return found


def _show(tx: Tx, *, run: Run, asked: Interaction) -> Interaction:
    """The card in the topic, from which people answer."""
    room = rooms.find(tx, workspace_id=run.workspace_id, ref=run.room_id)
    assert room is not None, "a run has a room"
    wants = "asks" if asked.kind is Kind.QUESTION else "wants approval"
    return _post(tx, asked=asked, room=room, content=f"{run.agent} {wants}: {asked.title}", parent_id=run.message_id)


def show_of_decision(tx: Tx, *, id: int, room: Room, content: str) -> int:
    """The card of a decision that is proposed; the number of its message."""
    asked = _reread(tx, workspace_id=room.workspace_id, id=id)
    shown = _post(tx, asked=asked, room=room, content=content, parent_id=None)
    assert shown.message_id is not None, "it was posted in this transaction"
    return shown.message_id


def _post(tx: Tx, *, asked: Interaction, room: Room, content: str, parent_id: int | None) -> Interaction:
    card = cards.post(
        tx,
        workspace_id=asked.workspace_id,
        room=room,
        topic_id=asked.topic_id,
        content=content,
        card=_card(asked),
        parent_id=parent_id,
    )
    with_card = replace(asked, message_id=card.id)
    interactions.put(tx, with_card, was=asked.status)
    tx.emit("interaction.opened", workspace_id=asked.workspace_id, room_id=asked.room_id, data=with_card.fact())
    task_progress.look(tx, workspace_id=asked.workspace_id, topic_id=asked.topic_id)
    return with_card


def _answer_by_rule(tx: Tx, *, run: Run, asked: Interaction, rule: ApprovalRule) -> Interaction:
    """A person has decided it before, for all requests of exactly this content; the audit says so."""
    tx.emit("interaction.opened", workspace_id=run.workspace_id, room_id=run.room_id, data=asked.fact())
    reason = {} if rule.reason is None else {"reason": rule.reason}
    answered = _answer_for_people(
        tx, run=run, asked=asked, answer={"decision": rule.decision, **reason}, by=f"rule {rule.id} of {rule.made_by}"
    )
    audit.record(
        tx,
        actor=system(run.workspace_id),
        action="interaction.answered_by_rule",
        target=f"interaction:{asked.id}",
        detail={"rule": rule.id, "made_by": rule.made_by, "hash": asked.hash, "answer": answered.answer},
    )
    return answered


def _deny(tx: Tx, *, asked: Interaction) -> None:
    run = None if asked.run_id is None else runs.find(tx, workspace_id=asked.workspace_id, id=asked.run_id)
    if run is None or not run.is_live:
        return
    reason = "nobody answered in time"
    denied = _answer_for_people(
        tx, run=run, asked=asked, answer={"decision": "deny", "reason": reason}, by="the deadline"
    )
    audit.record(
        tx,
        actor=system(run.workspace_id),
        action="interaction.denied_by_deadline",
        target=f"interaction:{asked.id}",
        detail={"hash": asked.hash, "answer": denied.answer},
    )


def _answer_for_people(tx: Tx, *, run: Run, asked: Interaction, answer: dict[str, Any], by: str) -> Interaction:
    fetched = asked.key.startswith(ASKED)
    status = Status.APPLIED if fetched else Status.ANSWERED
    answered = replace(asked, status=status, answer=answer, answered_by=by, answered_at=tx.now)
    interactions.put(tx, answered, was=asked.status)
    _changed(tx, "interaction.answered", answered)
    if fetched:
        _go_on(tx, system(run.workspace_id), run)
    else:
        _send_answer(tx, run=run, asked=answered)
    return answered


def _card(asked: Interaction) -> dict[str, Any]:
    """What the card says of it now; the rest is read from the interaction."""
    shown: dict[str, Any] = {
        "type": "interaction",
        "interaction": asked.id,
        "kind": asked.kind,
        "agent": asked.agent,
        "status": asked.status,
    }
    if asked.needs > 1:
        shown |= {"needs": asked.needs, "approvals": [approval.by for approval in asked.approvals]}
    if asked.suggestion is not None:
        shown |= {"suggestion": asked.suggestion}
    if asked.decision_id is not None:
        shown |= {"decision": asked.decision_id}
    if asked.version is not None:
        shown |= {"version": asked.version}
    return shown if asked.answered_by is None else {**shown, "answered_by": asked.answered_by}


def _changed(tx: Tx, kind: str, interaction: Interaction) -> None:
    tx.emit(kind, workspace_id=interaction.workspace_id, room_id=interaction.room_id, data=interaction.fact())
    if interaction.status is not Status.EXPIRED:  # that is part of a run's end, which is looked at as a whole
        task_progress.look(tx, workspace_id=interaction.workspace_id, topic_id=interaction.topic_id)
    if interaction.message_id is None:
        return
    card = message_rows.find(tx, workspace_id=interaction.workspace_id, id=interaction.message_id)
    if card is not None:
        cards.change(tx, message=card, card=_card(interaction))


def _decision_answered(tx: Tx, interaction: Interaction) -> None:
    assert interaction.decision_id is not None, "only what asks for a decision settles one"
    assert interaction.answer is not None, "it was answered in this transaction"
    decision_ends.settle(
        tx,
        decision=decisions.get(tx, interaction.decision_id),
        approve=interaction.answer.get("decision") == "approve",
        by=interaction.answered_by or "",
        reason=interaction.answer.get("reason"),
    )


def _chain_answered(tx: Tx, interaction: Interaction) -> None:
    assert interaction.chain_id is not None, "what belongs to no run belongs to a chain"
    assert interaction.answer is not None, "it was answered in this transaction"
    room = rooms.find(tx, workspace_id=interaction.workspace_id, ref=interaction.room_id)
    assert room is not None, "an interaction has a room"
    chain = chains.open_chain(
        tx, id=interaction.chain_id, workspace_id=interaction.workspace_id, hop_limit=room.hop_limit
    )
    if interaction.answer.get("decision") == "approve":
        chains.put(tx, let_go_on(chain, hops=room.hop_limit))
        messages.let_chain_go_on(tx, interaction)
    else:
        chains.put(tx, end(chain))


def _send_answer(tx: Tx, *, run: Run, asked: Interaction) -> None:
    assert asked.answer is not None, "it was answered in this transaction"
    if run.computer_id is None:
        return
    commands.add(
        tx,
        workspace_id=run.workspace_id,
        computer_id=run.computer_id,
        kind="answer",
        run_id=run.id,
        data={"interaction": asked.id, "key": asked.key, "kind": asked.kind, **asked.answer},
    )
    tx.wake(f"commands:{run.computer_id}")


def _go_on(tx: Tx, actor: Actor, run: Run) -> None:
    """Back to running once nothing is asked any more."""
    if run.status is RunStatus.WAITING and interactions.open_of_run(tx, run_id=run.id) == 0:
        runs.set_status(tx, id=run.id, status=RunStatus.RUNNING)
        _emit_run(tx, actor, run.id)


def _emit_run(tx: Tx, actor: Actor, id: int) -> None:
    run = runs.find(tx, workspace_id=actor.workspace_id, id=id)
    assert run is not None, "it was read in this transaction"
    tx.emit("run.changed", workspace_id=run.workspace_id, room_id=run.room_id, data=run.fact())


def _need_lease(tx: Tx, run: Run, *, lease_id: str, fence: int) -> None:
    if run.delivery_id is None or not run.is_live:
        raise LeaseLost("the run has ended", run=run.id)
    delivery = delivery_rows.find_locked(tx, workspace_id=run.workspace_id, id=run.delivery_id)
    assert delivery is not None, "a run's delivery is never removed"
    need_lease(delivery, lease_id=lease_id, fence=fence, now=tx.now)
