"""Approvals, questions and plans that wait for a person."""

from collections.abc import Sequence

import msgspec

from pal_server.actions import approval_rules, interactions
from pal_server.api.present import present, present_all
from pal_server.api.routing import Call
from pal_server.contract import runs as contract
from pal_server.domain.interactions import Interaction
from pal_server.domain.questions import Given, Question, load_questions


async def list_interactions(call: Call) -> contract.InteractionsAnswer:
    query = call.query(contract.InteractionsQuery)
    page = await call.read(
        interactions.list_page,
        actor=call.actor,
        status=query.status,
        topic=query.topic,
        run=query.run,
        kind=query.kind,
        after=query.after,
        limit=query.limit,
    )
    return contract.InteractionsAnswer(interactions=present_all(page.items, contract.Interaction), next=page.next)


async def open_for_run(call: Call) -> contract.InteractionAnswer:
    request = call.body(contract.OpenInteraction)
    return _answer(
        await call.write(
            interactions.open_for_run,
            actor=call.actor,
            run=call.number(),
            lease_id=request.lease_id,
            fence=request.fence,
            key=request.key,
            kind=request.kind,
            title=request.title,
            body=request.body,
            options=tuple(request.options),
            folder=request.folder,
            questions=_questions(request.questions),
        )
    )


async def ask(call: Call) -> contract.InteractionAnswer:
    request = call.body(contract.AskQuestion)
    return _answer(
        await call.write(
            interactions.ask,
            actor=call.actor,
            title=request.title,
            body=request.body,
            options=tuple(request.options),
            kind=request.kind,
            questions=_questions(request.questions),
            client_id=request.client_id,
        )
    )


async def get(call: Call) -> contract.InteractionAnswer:
    return _answer(await call.read(interactions.get, actor=call.actor, id=call.number()))


async def answer(call: Call) -> contract.InteractionAnswer:
    request = call.body(contract.AnswerInteraction)
    return _answer(
        await call.write(
            interactions.answer,
            actor=call.actor,
            id=call.number(),
            text=request.answer,
            decision=request.decision,
            reason=request.reason,
            shown_hash=request.hash,
            scope=request.scope,
            answers=_answers(request.answers),
            message=request.message,
        )
    )


async def applied(call: Call) -> contract.InteractionAnswer:
    request = call.body(contract.InteractionApplied)
    return _answer(
        await call.write(
            interactions.applied,
            actor=call.actor,
            id=call.number(),
            lease_id=request.lease_id,
            fence=request.fence,
            was_applied=request.applied,
        )
    )


async def list_rules(call: Call) -> contract.ApprovalRulesAnswer:
    query = call.query(contract.ApprovalRulesQuery)
    page = await call.read(
        approval_rules.list_page, actor=call.actor, agent=query.agent, after=query.after, limit=query.limit
    )
    return contract.ApprovalRulesAnswer(rules=present_all(page.items, contract.ApprovalRule), next=page.next)


async def revoke_rule(call: Call) -> contract.ApprovalRuleAnswer:
    rule = await call.write(approval_rules.revoke, actor=call.actor, id=call.number())
    return contract.ApprovalRuleAnswer(rule=present(rule, contract.ApprovalRule))


def _questions(asked: Sequence[contract.Question]) -> tuple[Question, ...]:
    return load_questions([msgspec.to_builtins(question) for question in asked])


def _answers(given: Sequence[contract.Given] | None) -> list[Given] | None:
    return None if given is None else [Given(chosen=tuple(one.chosen), text=one.text) for one in given]


def _answer(interaction: Interaction) -> contract.InteractionAnswer:
    return contract.InteractionAnswer(interaction=present(interaction, contract.Interaction))
