"""One person's desk: the snapshot a client begins with, and what the person keeps."""

import msgspec

from pal_server.actions import desk, snapshot
from pal_server.api.fields import or_none
from pal_server.api.present import present, present_all, present_me
from pal_server.api.routing import Call
from pal_server.contract import desk as contract
from pal_server.contract.agents import Agent, Computer
from pal_server.contract.base import Done
from pal_server.contract.deliveries import Delivery
from pal_server.contract.people import User
from pal_server.contract.projects import Project
from pal_server.contract.rooms import Room
from pal_server.contract.runs import Interaction, Run
from pal_server.contract.terminals import Terminal


async def take_snapshot(call: Call) -> contract.SnapshotAnswer:
    seen = await call.read(snapshot.take, actor=call.actor)
    return contract.SnapshotAnswer(
        snapshot=contract.Snapshot(
            position=seen.position,
            now=call.services.clock(),
            me=present_me(call.actor),
            users=present_all(seen.users, User),
            present=list(seen.present),
            projects=present_all(seen.projects, Project),
            rooms=present_all(seen.rooms, Room),
            topics=present_all(seen.topics, contract.Glance),
            agents=present_all(seen.agents, Agent),
            computers=present_all(seen.computers, Computer),
            runs=present_all(seen.runs, Run),
            interactions=present_all(seen.interactions, Interaction),
            deliveries=present_all(seen.deliveries, Delivery),
            terminals=present_all(seen.terminals, Terminal),
            drafts=present_all(seen.drafts, contract.Draft),
            saved=present_all(seen.saved, contract.Saved),
            saved_prompts=present_all(seen.saved_prompts, contract.SavedPrompt),
            preferences=present(seen.preferences, contract.Preferences),
        )
    )


async def mark_read(call: Call) -> contract.ReadAnswer:
    topic = call.number()
    message = await call.write(
        desk.mark_read, actor=call.actor, topic=topic, message=call.body(contract.MarkRead).message
    )
    return contract.ReadAnswer(read=contract.ReadMark(topic=topic, message=message))


async def write_draft(call: Call) -> contract.DraftAnswer:
    content = call.body(contract.WriteDraft).content
    draft = await call.write(desk.write_draft, actor=call.actor, topic=call.number(), content=content)
    return contract.DraftAnswer(draft=present(draft, contract.Draft))


async def save(call: Call) -> contract.SavedAnswer:
    request = call.body(contract.SaveForLater)
    saved = await call.write(
        desk.save, actor=call.actor, topic=request.topic, content=request.content, client_id=request.client_id
    )
    return contract.SavedAnswer(saved=present(saved, contract.Saved))


async def change_saved(call: Call) -> contract.SavedAnswer:
    request = call.body(contract.ChangeSaved)
    saved = await call.write(
        desk.change_saved,
        actor=call.actor,
        id=call.number(),
        content=or_none(request.content),
        place=or_none(request.place),
    )
    return contract.SavedAnswer(saved=present(saved, contract.Saved))


async def drop_saved(call: Call) -> contract.SavedAnswer:
    saved = await call.write(desk.drop_saved, actor=call.actor, id=call.number())
    return contract.SavedAnswer(saved=present(saved, contract.Saved))


async def save_prompt(call: Call) -> contract.SavedPromptAnswer:
    content = call.body(contract.SavePrompt).content
    one = await call.write(desk.save_prompt, actor=call.actor, name=call.text("name"), content=content)
    return contract.SavedPromptAnswer(saved_prompt=present(one, contract.SavedPrompt))


async def drop_prompt(call: Call) -> contract.SavedPromptAnswer:
    one = await call.write(desk.drop_prompt, actor=call.actor, name=call.text("name"))
    return contract.SavedPromptAnswer(saved_prompt=present(one, contract.SavedPrompt))


async def change_preferences(call: Call) -> contract.PreferencesAnswer:
    request = call.body(contract.ChangePreferences)
    wanted = {name: value for name, value in msgspec.structs.asdict(request).items() if value is not msgspec.UNSET}
    preferences = await call.write(desk.change_preferences, actor=call.actor, wanted=wanted)
    return contract.PreferencesAnswer(preferences=present(preferences, contract.Preferences))


async def be_present(call: Call) -> Done:
    await call.write(desk.be_present, actor=call.actor)
    return Done()
