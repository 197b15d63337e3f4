"""Rooms, their members and topics."""

import msgspec

from pal_server.actions import rooms, topics
from pal_server.api.fields import keep, or_none
from pal_server.api.present import present, present_all, present_run
from pal_server.api.routing import Call
from pal_server.contract import rooms as contract
from pal_server.contract.base import Page
from pal_server.contract.runs import RunsAnswer


async def list_rooms(call: Call) -> contract.RoomsAnswer:
    query = call.query(Page)
    page = await call.read(rooms.list_page, actor=call.actor, after=query.after, limit=query.limit)
    return contract.RoomsAnswer(rooms=present_all(page.items, contract.Room), next=page.next)


async def list_chats(call: Call) -> contract.RoomsAnswer:
    return await list_rooms(call)


async def create(call: Call) -> contract.RoomAnswer:
    request = call.body(contract.CreateRoom)
    room = await call.write(
        rooms.create,
        actor=call.actor,
        name=request.name,
        title=request.title,
        rules=request.rules,
        visibility=request.visibility,
        ttl=request.ttl,
        project=request.project,
        client_id=request.client_id,
    )
    return contract.RoomAnswer(room=present(room, contract.Room))


async def get(call: Call) -> contract.RoomAnswer:
    room = await call.read(rooms.get, actor=call.actor, room=call.text("room"))
    return contract.RoomAnswer(room=present(room, contract.Room))


async def change(call: Call) -> contract.RoomAnswer:
    request = call.body(contract.ChangeRoom)
    room = await call.write(
        rooms.change,
        actor=call.actor,
        room=call.text("room"),
        title=or_none(request.title),
        rules=or_none(request.rules),
        debounce_for=or_none(request.debounce_for),
        digest_every=or_none(request.digest_every),
        max_duration=or_none(request.max_duration),
        clear_max_duration=request.max_duration is None,
        busy=or_none(request.busy),
        deny_after=keep(request.deny_after),
        approvers=or_none(request.approvers),
        fresh=or_none(request.fresh),
        hop_limit=or_none(request.hop_limit),
        project=keep(request.project),
    )
    return contract.RoomAnswer(room=present(room, contract.Room))


async def list_members(call: Call) -> contract.MembersAnswer:
    query = call.query(Page)
    page = await call.read(
        rooms.members, actor=call.actor, room=call.text("room"), after=query.after, limit=query.limit
    )
    return contract.MembersAnswer(members=present_all(page.items, contract.Member), next=page.next)


async def list_mentionables(call: Call) -> contract.MentionablesAnswer:
    query = call.query(Page)
    page = await call.read(
        rooms.mentionables, actor=call.actor, room=call.text("room"), after=query.after, limit=query.limit
    )
    return contract.MentionablesAnswer(
        mentionables=[msgspec.convert(one, contract.Mentionable, from_attributes=True) for one in page.items],
        next=page.next,
    )


async def invite_agent(call: Call) -> contract.MemberAnswer:
    request = call.body(contract.InviteAgent)
    member = await call.write(
        rooms.invite_agent, actor=call.actor, room=call.text("room"), agent=request.agent, mode=request.mode
    )
    return contract.MemberAnswer(member=present(member, contract.Member))


async def invite_user(call: Call) -> contract.MemberAnswer:
    request = call.body(contract.InviteUser)
    member = await call.write(rooms.invite_user, actor=call.actor, room=call.text("room"), user=request.user)
    return contract.MemberAnswer(member=present(member, contract.Member))


async def restart_agent(call: Call) -> RunsAnswer:
    restarted = await call.write(
        rooms.restart_agent, actor=call.actor, room=call.text("room"), agent=call.text("agent")
    )
    return RunsAnswer(runs=[present_run(run) for run in restarted])


async def list_topics(call: Call) -> contract.TopicsAnswer:
    query = call.query(Page)
    page = await call.read(
        rooms.list_topics, actor=call.actor, room=call.text("room"), after=query.after, limit=query.limit
    )
    return contract.TopicsAnswer(topics=present_all(page.items, contract.Topic), next=page.next)


async def create_topic(call: Call) -> contract.TopicAnswer:
    request = call.body(contract.CreateTopic)
    topic = await call.write(
        rooms.create_topic,
        actor=call.actor,
        room=call.text("room"),
        title=request.title,
        client_id=request.client_id,
    )
    return contract.TopicAnswer(topic=present(topic, contract.Topic))


async def get_topic(call: Call) -> contract.TopicAnswer:
    topic = await call.read(topics.get, actor=call.actor, id=call.number())
    return contract.TopicAnswer(topic=present(topic, contract.Topic))


async def change_topic(call: Call) -> contract.TopicAnswer:
    request = call.body(contract.ChangeTopic)
    topic = await call.write(
        topics.change,
        actor=call.actor,
        id=call.number(),
        title=or_none(request.title),
        archived=or_none(request.archived),
    )
    return contract.TopicAnswer(topic=present(topic, contract.Topic))
