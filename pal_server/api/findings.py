"""What computers found out of agent programs."""

from typing import Any

import msgspec

from pal_server.actions import autocompletion, findings
from pal_server.actions import equipment as equipment_of
from pal_server.api.routing import Call
from pal_server.contract import findings as contract
from pal_server.contract.base import Done
from pal_server.domain.computers import ComputerStatus
from pal_server.domain.findings import Finding


async def probe_account(call: Call) -> contract.ProbeAnswer:
    return _asked(await call.write(findings.probe_account, actor=call.actor, ref=call.text()))


async def probe_agent(call: Call) -> contract.ProbeAnswer:
    request = call.body(contract.CommandsQuery)
    return _asked(await call.write(findings.probe_agent, actor=call.actor, key=call.text("key"), folder=request.folder))


async def report(call: Call) -> Done:
    request = call.body(contract.ReportFindings)
    parts: dict[str, object] = {
        "login": request.login,
        "models": request.models,
        "commands": request.commands,
        "skills": request.skills,
        "servers": request.servers,
    }
    await call.services.store.write(
        findings.report,
        actor=call.actor,
        computer=call.text(),
        epoch=call.epoch,
        runtime=request.runtime,
        account=request.account,
        agent=request.agent,
        folder=request.folder,
        found={name: msgspec.to_builtins(part) for name, part in parts.items() if part is not None},
        errors={str(name): text for name, text in request.errors.items()},
    )
    return Done()


async def account_models(call: Call) -> contract.ModelsAnswer:
    return _models(await call.read(findings.models_of_account, actor=call.actor, ref=call.text()))


async def agent_models(call: Call) -> contract.ModelsAnswer:
    return _models(await call.read(findings.models_of_agent, actor=call.actor, key=call.text("key")))


async def agent_commands(call: Call) -> contract.CommandsAnswer:
    query = call.query(contract.CommandsQuery)
    found = await call.read(autocompletion.of_agent, actor=call.actor, key=call.text("key"), folder=query.folder)
    return msgspec.convert(found.fact(), contract.CommandsAnswer)


async def equipment(call: Call) -> contract.EquipmentAnswer:
    query = call.query(contract.CommandsQuery)
    found = await call.read(equipment_of.of_agent, actor=call.actor, key=call.text("key"), folder=query.folder)
    return msgspec.convert(found.fact(), contract.EquipmentAnswer)


async def topic_commands(call: Call) -> contract.TopicCommandsAnswer:
    found = await call.read(autocompletion.of_topic, actor=call.actor, topic=call.number())
    return contract.TopicCommandsAnswer(agents=[msgspec.convert(one.fact(), contract.CommandsAnswer) for one in found])


async def quotas(call: Call) -> contract.QuotasAnswer:
    found = await call.read(findings.quotas, actor=call.actor)
    return contract.QuotasAnswer(
        quotas=[
            contract.Quota(
                computer=one.subject.computer,
                runtime=one.subject.runtime,
                account=one.subject.account or None,
                windows=msgspec.convert(one.data or [], list[contract.QuotaWindow]),
                **_quality(one),
            )
            for one in found
        ]
    )


def _models(found: Finding | None) -> contract.ModelsAnswer:
    data = [] if found is None or found.data is None else found.data
    return contract.ModelsAnswer(models=msgspec.convert(data, list[contract.Model]), **_quality(found))


def _quality(found: Finding | None) -> dict[str, Any]:
    if found is None:
        return {}
    return {"found_at": found.found_at, "tried_at": found.tried_at, "is_stale": found.is_stale, "error": found.error}


def _asked(look: findings.Look) -> contract.ProbeAnswer:
    is_online = look.computer.status in (ComputerStatus.ONLINE, ComputerStatus.DRAINING)
    return contract.ProbeAnswer(computer=look.computer.id, is_online=is_online, position=look.position)
