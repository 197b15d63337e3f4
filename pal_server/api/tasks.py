"""Tasks and their verifications."""

from pal_server.actions import items, tasks, verifications
from pal_server.actions.tasks import Plan
from pal_server.api.fields import keep, or_none
from pal_server.api.present import present, present_all
from pal_server.api.routing import Call
from pal_server.contract import tasks as contract
from pal_server.contract.items import FoundItem, ItemAnswer, ItemsAnswer, ItemsQuery
from pal_server.contract.messages import Message, Receipt
from pal_server.contract.projects import Decision
from pal_server.domain.decisions import Decision as DecisionOf
from pal_server.domain.keep import KEEP
from pal_server.domain.tasks import Task


async def list_tasks(call: Call) -> contract.TasksAnswer:
    query = call.query(contract.TasksQuery)
    page = await call.read(
        tasks.list_page,
        actor=call.actor,
        project=query.project,
        topic=query.topic,
        status=query.status,
        agent=query.agent,
        owner=query.owner,
        type=query.type,
        q=query.q,
        archived=query.archived,
        after=query.after,
        limit=query.limit,
    )
    return contract.TasksAnswer(tasks=present_all(page.items, contract.Task), next=page.next)


async def create(call: Call) -> contract.TaskAnswer:
    request = call.body(contract.CreateTask)
    task = await call.write(
        tasks.create,
        actor=call.actor,
        title=request.title,
        plan=_plan(request),
        project=request.project,
        room=request.room,
        status=request.status,
        client_id=request.client_id,
    )
    return contract.TaskAnswer(task=present(task, contract.Task))


async def promote(call: Call) -> contract.TaskAnswer:
    request = call.body(contract.PromoteTopic)
    task = await call.write(
        tasks.promote, actor=call.actor, topic=call.number(), plan=_plan(request), client_id=request.client_id
    )
    return contract.TaskAnswer(task=present(task, contract.Task))


async def get(call: Call) -> contract.TaskAnswer:
    query = call.query(contract.TaskQuery)
    task = await call.read(tasks.get, actor=call.actor, task=call.text("task"), project=query.project)
    return contract.TaskAnswer(task=present(task, contract.Task))


async def change(call: Call) -> contract.TaskAnswer:
    request = call.body(contract.ChangeTask)
    task = await call.write(
        tasks.change,
        actor=call.actor,
        task=call.text("task"),
        plan=_plan(request),
        project=request.project,
        title=or_none(request.title),
        status=or_none(request.status),
        waiting_note=request.waiting_note,
        archived=or_none(request.archived),
    )
    return contract.TaskAnswer(task=present(task, contract.Task))


async def delete(call: Call) -> contract.TaskAnswer:
    task = await call.write(tasks.delete, actor=call.actor, task=call.text("task"))
    return contract.TaskAnswer(task=present(task, contract.Task))


async def start(call: Call) -> contract.StartedTask:
    request = call.body(contract.StartTask)
    started = await call.write(
        tasks.start,
        actor=call.actor,
        task=call.text("task"),
        project=request.project,
        agent=request.agent,
        text=request.text,
        force=request.force,
        client_id=request.client_id,
    )
    return contract.StartedTask(
        task=present(started.task, contract.Task),
        message=present(started.message, Message),
        delivery=started.delivery,
        receipt=present(started.receipt, Receipt),
    )


async def verify(call: Call) -> contract.VerifiedAnswer:
    request = call.body(contract.RecordVerification)
    task, verification = await call.write(
        verifications.record,
        actor=call.actor,
        task=call.text("task"),
        command=request.command,
        exit_code=request.exit_code,
        output=request.output,
        project=request.project,
        client_id=request.client_id,
    )
    return contract.VerifiedAnswer(
        task=present(task, contract.Task), verification=present(verification, contract.Verification)
    )


async def list_verifications(call: Call) -> contract.VerificationsAnswer:
    query = call.query(contract.VerificationsQuery)
    page = await call.read(
        verifications.list_page,
        actor=call.actor,
        task=call.text("task"),
        project=query.project,
        after=query.after,
        limit=query.limit,
    )
    return contract.VerificationsAnswer(verifications=present_all(page.items, contract.Verification), next=page.next)


async def get_item(call: Call) -> ItemAnswer:
    found = await call.read(items.get, actor=call.actor, project=call.text("project"), code=call.text("code"))
    if isinstance(found, Task):
        return ItemAnswer(task=present(found, contract.Task))
    return ItemAnswer(decision=present(found, Decision))


async def find_items(call: Call) -> ItemsAnswer:
    codes = [code.strip() for code in call.query(ItemsQuery).codes.split(",") if code.strip()]
    found = await call.read(items.find, actor=call.actor, codes=codes)
    return ItemsAnswer(items=[_found(said, item) for said, item in found])


def _found(said: str, item: Task | DecisionOf) -> FoundItem:
    return FoundItem(
        said=said,
        code=item.code,
        project=item.project_id,
        title=item.title,
        status=item.status,
        room=item.room_id,
        topic=item.topic_id,
        message=None if isinstance(item, Task) else item.message_id,
    )


def _plan(request: contract.Planned) -> Plan:
    return Plan(
        body=keep(request.body),
        acceptance=keep(request.acceptance),
        verification=keep(request.verification),
        verification_required=keep(request.verification_required),
        paths=keep(request.paths),
        references=keep(request.references),
        owner=keep(request.owner),
        agent=keep(request.agent),
        type=keep(request.type),
        order=keep(request.order),
        depends_on=keep(request.depends_on),
        result=keep(request.result) if isinstance(request, contract.ChangeTask) else KEEP,
    )
