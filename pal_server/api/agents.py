"""Agents and accounts."""

import msgspec
from aiohttp.web_response import StreamResponse

from pal_server.actions import accounts, agents, choices, profiles
from pal_server.actions.accounts import Standing
from pal_server.api.answers import answer_response
from pal_server.api.fields import keep
from pal_server.api.present import present, present_all
from pal_server.api.routing import Call
from pal_server.contract import agents as contract
from pal_server.contract.base import Page
from pal_server.domain.actors import Actor, ActorKind
from pal_server.domain.agents import Agent, Settings
from pal_server.domain.keep import KEEP
from pal_server.errors import Invalid


async def list_agents(call: Call) -> contract.AgentsAnswer:
    query = call.query(Page)
    page = await call.read(agents.list_page, actor=call.actor, after=query.after, limit=query.limit)
    return contract.AgentsAnswer(agents=present_all(page.items, contract.Agent), next=page.next)


async def create(call: Call) -> StreamResponse:
    return await onboard(call)


async def onboard(call: Call) -> StreamResponse:
    """Creates the agent (201), or updates what is named of it (200)."""
    request = call.body(contract.CreateAgent)
    key = _either(request.agent_key, request.key, names=("agent_key", "key"))
    if key is None:
        raise Invalid("agent_key is missing in the body.", field="agent_key")
    put = await call.write(
        agents.put,
        actor=call.actor,
        key=key,
        display_name=_either(request.display_name, request.name, names=("display_name", "name")),
        runtime=request.runtime,
        description=request.description,
        computer=request.computer_id,
        command=request.command,
        cwd=request.cwd,
        model=request.model,
        effort=request.effort,
        mode=request.mode,
        instructions=request.instructions,
        skills=request.skills,
        servers=request.servers,
        settings=None if request.settings is None else Settings(**msgspec.structs.asdict(request.settings)),
        isolation=request.isolation,
        account=request.account,
        concurrency=request.concurrency,
        max_duration=request.max_duration,
    )
    answer = contract.AgentAnswer(agent=present(put.agent, contract.Agent))
    return answer_response(answer, status=201 if put.is_new else 200, request_id=call.request_id)


async def get(call: Call) -> contract.AgentAnswer:
    agent = await call.read(agents.get, actor=call.actor, key=call.text("key"))
    return await _with_outdated(call, agent)


async def change(call: Call) -> contract.AgentAnswer:
    request = call.body(contract.ChangeAgent)
    agent = await call.write(
        agents.change,
        actor=call.actor,
        key=call.text("key"),
        display_name=keep(request.display_name),
        runtime=keep(request.runtime),
        description=keep(request.description),
        command=keep(request.command),
        cwd=keep(request.cwd),
        model=keep(request.model),
        effort=keep(request.effort),
        mode=keep(request.mode),
        instructions=keep(request.instructions),
        skills=keep(request.skills),
        servers=keep(request.servers),
        settings=KEEP
        if isinstance(request.settings, msgspec.UnsetType)
        else Settings(**msgspec.structs.asdict(request.settings)),
        isolation=keep(request.isolation),
        account=keep(request.account),
        concurrency=keep(request.concurrency),
        max_duration=keep(request.max_duration),
        enabled=keep(request.enabled),
    )
    return await _with_outdated(call, agent)


async def duplicate(call: Call) -> contract.AgentAnswer:
    request = call.body(contract.DuplicateAgent)
    agent = await call.write(
        agents.duplicate,
        actor=call.actor,
        key=call.text("key"),
        new_key=request.key,
        display_name=request.display_name,
        client_id=request.client_id,
    )
    return contract.AgentAnswer(agent=present(agent, contract.Agent))


async def apply_profile(call: Call) -> contract.AppliedAnswer:
    request = call.body(contract.ApplyProfile)
    key = call.text("key")
    topics = await call.write(profiles.apply, actor=call.actor, key=key, topic=request.topic)
    return contract.AppliedAnswer(agent=key, topics=topics)


async def _with_outdated(call: Call, agent: Agent) -> contract.AgentAnswer:
    topics = await call.read(profiles.outdated, actor=call.actor, key=agent.key)
    return contract.AgentAnswer(agent=present(agent, contract.Agent), outdated=topics)


async def show_choice(call: Call) -> contract.ChoiceAnswer:
    choice = await call.read(choices.get, actor=call.actor, topic=call.number(), agent=call.text("agent"))
    return contract.ChoiceAnswer(choice=present(choice, contract.Choice))


async def choose(call: Call) -> contract.ChoiceAnswer:
    request = call.body(contract.ChooseForTopic)
    choice = await call.write(
        choices.change,
        actor=call.actor,
        topic=call.number(),
        agent=call.text("agent"),
        model=keep(request.model),
        effort=keep(request.effort),
        mode=keep(request.mode),
    )
    return contract.ChoiceAnswer(choice=present(choice, contract.Choice))


async def delete(call: Call) -> contract.AgentAnswer:
    agent = await call.write(agents.delete, actor=call.actor, key=call.text("key"))
    return contract.AgentAnswer(agent=present(agent, contract.Agent))


async def assign(call: Call) -> contract.AssignmentAnswer:
    request = call.body(contract.AssignAgent)
    agent = await call.write(agents.assign, actor=call.actor, key=call.text("key"), computer=request.computer_id)
    return contract.AssignmentAnswer(agent=present(agent, contract.Agent))


async def list_accounts(call: Call) -> contract.AccountsAnswer:
    query = call.query(Page)
    page = await call.read(accounts.list_page, actor=call.actor, after=query.after, limit=query.limit)
    return contract.AccountsAnswer(accounts=[_account(call.actor, account) for account in page.items], next=page.next)


async def add_account(call: Call) -> contract.AccountAnswer:
    request = call.body(contract.AddAccount)
    account = await call.write(
        accounts.add,
        actor=call.actor,
        computer=request.computer,
        runtime=request.runtime,
        label=request.label,
        bin=request.bin,
        home=request.home,
        env=request.env,
        args=request.args,
        client_id=request.client_id,
    )
    return contract.AccountAnswer(account=present(account, contract.Account))


async def get_account(call: Call) -> contract.AccountAnswer:
    standing = await call.read(accounts.get, actor=call.actor, ref=call.text())
    return contract.AccountAnswer(account=_account(call.actor, standing))


async def change_account(call: Call) -> contract.AccountAnswer:
    request = call.body(contract.ChangeAccount)
    account = await call.write(accounts.set_disabled, actor=call.actor, ref=call.text(), disabled=request.disabled)
    return contract.AccountAnswer(account=present(account, contract.Account))


async def remove_account(call: Call) -> contract.AccountAnswer:
    account = await call.write(accounts.remove, actor=call.actor, ref=call.text())
    return contract.AccountAnswer(account=present(account, contract.Account))


def _account(actor: Actor, standing: Standing) -> contract.Account:
    shown, account = present(standing, contract.Account), standing.account
    is_own = actor.kind is ActorKind.COMPUTER and actor.id == account.computer
    return msgspec.structs.replace(shown, values=dict(account.env)) if is_own else shown


def _either(one: str | None, other: str | None, *, names: tuple[str, str]) -> str | None:
    if one is not None and other is not None and one != other:
        raise Invalid(f"{names[0]} and {names[1]} mean the same; the two differ here.", field=names[1])
    return one if one is not None else other
