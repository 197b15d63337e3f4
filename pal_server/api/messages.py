"""Messages: sending, reading, and an agent's inbox."""

import msgspec

from pal_server.actions import drafts, messages
from pal_server.actions import trace as trace_of
from pal_server.api.decoding import room_of
from pal_server.api.fields import or_none
from pal_server.api.present import present, present_all, present_sent
from pal_server.api.routing import Call
from pal_server.contract import messages as contract
from pal_server.storage.messages import InboxItem


async def send(call: Call) -> contract.SentAnswer:
    request = call.body(contract.SendMessage)
    call.services.pace.take_for(call.actor)
    sent = await call.write(
        messages.send,
        actor=call.actor,
        content=request.content,
        room=room_of(request),
        topic=request.topic,
        parent=request.parent,
        sender=request.sender,
        mentions=request.mentions,
        files=request.files,
        steer=request.steer,
        client_id=request.client_id,
    )
    return present_sent(sent)


async def choose_draft(call: Call) -> contract.MessageAnswer:
    choice = call.body(contract.ChooseForDraft).choice
    message = await call.write(drafts.choose, actor=call.actor, id=call.number(), choice=choice)
    return contract.MessageAnswer(message=present(message, contract.Message))


async def list_messages(call: Call) -> contract.MessagesAnswer:
    query = call.query(contract.MessagesQuery)
    page = await call.read(
        messages.list_page,
        actor=call.actor,
        room=room_of(query),
        topic=query.topic,
        parent=query.parent,
        after=query.after,
        before=query.before,
        q=query.q,
        limit=query.limit,
    )
    return contract.MessagesAnswer(messages=present_all(page.items, contract.Message), next=page.next)


async def get(call: Call) -> contract.MessageAnswer:
    message = await call.read(messages.get, actor=call.actor, id=call.number())
    return contract.MessageAnswer(message=present(message, contract.Message))


async def edit(call: Call) -> contract.MessageAnswer:
    request = call.body(contract.EditMessage)
    message = await call.write(
        messages.edit,
        actor=call.actor,
        id=call.number(),
        content=request.content,
        mentions=or_none(request.mentions),
    )
    return contract.MessageAnswer(message=present(message, contract.Message))


async def delete(call: Call) -> contract.MessageAnswer:
    message = await call.write(messages.delete, actor=call.actor, id=call.number())
    return contract.MessageAnswer(message=present(message, contract.Message))


async def inbox(call: Call) -> contract.InboxAnswer:
    query = call.query(contract.InboxQuery)
    page = await call.read(messages.inbox, actor=call.actor, agent=query.agent, after=query.after, limit=query.limit)
    items = [_item(item) for item in page.items]
    return contract.InboxAnswer(messages=[item.message for item in items], items=items, next=page.next)


async def trace(call: Call) -> contract.TraceAnswer:
    found = await call.read(trace_of.of_message, actor=call.actor, id=call.number())
    broken = found.first_broken
    return contract.TraceAnswer(
        message=found.message,
        steps=[msgspec.convert(step, contract.TraceStep, from_attributes=True) for step in found.steps],
        broken=None if broken is None else broken.what,
        advice=None if broken is None else broken.advice,
    )


def _item(item: InboxItem) -> contract.InboxItem:
    return msgspec.convert(
        {
            "message": item.message.fact(),
            "reason": item.reason,
            "delivery": item.delivery_id,
            "status": item.delivery_status,
        },
        contract.InboxItem,
    )
