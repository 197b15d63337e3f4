"""Decisions of a project."""

from pal_server.actions import decisions
from pal_server.api.present import present, present_all
from pal_server.api.routing import Call
from pal_server.contract import projects as contract
from pal_server.domain.decisions import Decision


async def list_decisions(call: Call) -> contract.DecisionsAnswer:
    query = call.query(contract.DecisionsQuery)
    page = await call.read(
        decisions.list_page,
        actor=call.actor,
        project=call.text("project"),
        q=query.q,
        status=query.status,
        after=query.after,
        limit=query.limit,
    )
    return contract.DecisionsAnswer(decisions=present_all(page.items, contract.Decision), next=page.next)


async def list_everywhere(call: Call) -> contract.DecisionsAnswer:
    query = call.query(contract.AllDecisionsQuery)
    page = await call.read(
        decisions.list_everywhere,
        actor=call.actor,
        project=query.project,
        q=query.q,
        status=query.status,
        after=query.after,
        limit=query.limit,
    )
    return contract.DecisionsAnswer(decisions=present_all(page.items, contract.Decision), next=page.next)


async def propose(call: Call) -> contract.DecisionAnswer:
    request = call.body(contract.ProposeDecision)
    decision = await call.write(
        decisions.propose,
        actor=call.actor,
        project=call.text("project"),
        title=request.title,
        rationale=request.rationale,
        topic=request.topic,
        supersedes=request.supersedes,
        client_id=request.client_id,
    )
    return _answer(decision)


async def get(call: Call) -> contract.DecisionAnswer:
    decision = await call.read(
        decisions.get, actor=call.actor, project=call.text("project"), decision=call.text("decision")
    )
    return _answer(decision)


async def answer(call: Call) -> contract.DecisionAnswer:
    request = call.body(contract.AnswerDecision)
    decision = await call.write(
        decisions.answer,
        actor=call.actor,
        project=call.text("project"),
        decision=call.text("decision"),
        approve=request.decision == "approve",
        reason=request.reason,
    )
    return _answer(decision)


async def supersede(call: Call) -> contract.DecisionAnswer:
    decision = await call.write(
        decisions.supersede,
        actor=call.actor,
        project=call.text("project"),
        decision=call.text("decision"),
        by=call.body(contract.SupersedeDecision).by,
    )
    return _answer(decision)


def _answer(decision: Decision) -> contract.DecisionAnswer:
    return contract.DecisionAnswer(decision=present(decision, contract.Decision))
