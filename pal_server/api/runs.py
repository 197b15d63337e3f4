"""Runs, their events and ends; sessions."""

import msgspec

from pal_server import tokens as secret_words
from pal_server.actions import interruptions, runs, tails, transcripts
from pal_server.api.present import present, present_all, present_run, present_run_event
from pal_server.api.routing import Call
from pal_server.contract import messages
from pal_server.contract import runs as contract
from pal_server.contract.base import Page
from pal_server.domain.runs import Ending, Wanted, parse_end
from pal_server.errors import Invalid


async def list_runs(call: Call) -> contract.RunsAnswer:
    query = call.query(contract.RunsQuery)
    page = await call.read(
        runs.list_page,
        actor=call.actor,
        agent=query.agent,
        computer=query.computer,
        room=query.room,
        topic=query.topic,
        status=query.status,
        since=query.since,
        until=query.until,
        after=query.after,
        limit=query.limit,
    )
    return contract.RunsAnswer(runs=present_all(page.items, contract.Run), next=page.next)


async def open_run(call: Call) -> contract.OpenedAnswer:
    """With a lease: an attempt begins. Without: an external client hands in what it has done already."""
    request = call.body(contract.OpenRun)
    if request.delivery_id is None:
        return await _submit(call, request)
    if request.lease_id is None or request.fence is None:
        missing = "lease_id" if request.lease_id is None else "fence"
        raise Invalid(f"{missing} is missing in the body.", field=missing)
    secret, secret_hash = secret_words.new_secret(secret_words.RUN)
    run = await call.write(
        runs.open_run,
        actor=call.actor,
        delivery_id=request.delivery_id,
        lease_id=request.lease_id,
        fence=request.fence,
        secret_hash=secret_hash,
        dry_run=request.dry_run,
        epoch=call.epoch,
    )
    return contract.OpenedAnswer(run=present_run(run), token=secret)


async def get(call: Call) -> contract.RunAnswer:
    run, summary = await call.read(runs.summary, actor=call.actor, id=call.number())
    return contract.RunAnswer(run=present_run(run), summary=present(summary, contract.RunSummary))


async def rebuild(call: Call) -> contract.RunAnswer:
    run = await call.write(transcripts.order_rebuild, actor=call.actor, id=call.number())
    return contract.RunAnswer(run=present_run(run))


async def take_rebuilt(call: Call) -> contract.RebuiltAnswer:
    request = call.body(contract.RebuiltPart)
    run, has_changed = await call.write(
        runs.take_rebuilt,
        actor=call.actor,
        id=call.number(),
        command=request.command,
        events=[msgspec.structs.asdict(event) for event in request.events],
        is_first=request.first,
        is_last=request.last,
        is_partial=request.partial,
    )
    return contract.RebuiltAnswer(run=present_run(run), changed=has_changed)


async def tail(call: Call) -> contract.TailAnswer:
    query = call.query(contract.TailQuery)
    found = await call.read(tails.read, actor=call.actor, topic=call.number(), limit=query.limit, events=query.events)
    return contract.TailAnswer(
        messages=present_all(found.messages, messages.Message),
        before=found.before,
        last_said=None if found.last_said is None else present(found.last_said, messages.Message),
        runs=[
            contract.SummedRun(run=present_run(run), summary=present(summary, contract.RunSummary))
            for run, summary in found.runs
        ],
        events=[present_run_event(event) for event in found.events],
        events_before=found.events_before,
    )


async def prompt(call: Call) -> contract.PromptAnswer:
    return contract.PromptAnswer(prompt=await call.read(runs.prompt, actor=call.actor, id=call.number()))


async def set_pid(call: Call) -> contract.RunAnswer:
    request = call.body(contract.ReportPid)
    run = await call.write(
        runs.set_pid,
        actor=call.actor,
        id=call.number(),
        lease_id=request.lease_id,
        fence=request.fence,
        pid=request.pid,
    )
    return contract.RunAnswer(run=present_run(run))


async def set_state(call: Call) -> contract.RunAnswer:
    request = call.body(contract.RunState)
    run = await call.write(
        runs.set_state,
        actor=call.actor,
        id=call.number(),
        lease_id=request.lease_id,
        fence=request.fence,
        status=request.status,
        resume_at=request.resume_at,
    )
    return contract.RunAnswer(run=present_run(run))


async def add_events(call: Call) -> contract.AddedAnswer:
    request = call.body(contract.AddRunEvents)
    added = await call.write(
        runs.add_events,
        actor=call.actor,
        id=call.number(),
        lease_id=request.lease_id,
        fence=request.fence,
        events=[msgspec.structs.asdict(event) for event in request.events],
        after_source=request.after_source,
    )
    call.services.metrics.count("pal_run_events_total", "Run events taken in.", by=added.accepted)
    return contract.AddedAnswer(accepted=added.accepted, last_seq=added.last_seq, last_source=added.last_source)


async def list_events(call: Call) -> contract.RunEventsAnswer:
    query = call.query(contract.RunEventsQuery)
    page = await call.read(
        runs.events, actor=call.actor, id=call.number(), after=query.after, before=query.before, limit=query.limit
    )
    return contract.RunEventsAnswer(events=[present_run_event(event) for event in page.items], next=page.next)


async def finish(call: Call) -> contract.RunAnswer:
    request = call.body(contract.FinishRun)
    ending = Ending(
        status=parse_end(request.status, exit_code=request.exit_code, signal=request.signal),
        exit_code=request.exit_code,
        signal=request.signal,
        error_kind=request.error_kind,
        error=request.error,
        stderr=request.stderr,
        text=request.text,
        usage=None if request.usage is None else msgspec.to_builtins(request.usage),
        ended_at=request.ended_at,
        effects=request.effects,
        resume_at=request.resume_at,
    )
    run = await call.write(
        runs.finish,
        actor=call.actor,
        id=call.number(),
        lease_id=request.lease_id,
        fence=request.fence,
        ending=ending,
    )
    call.services.metrics.count("pal_runs_ended_total", "Runs that ended.", status=run.status)
    return contract.RunAnswer(run=present_run(run))


async def kill(call: Call) -> contract.RunAnswer:
    return await _order(call, Wanted.KILL)


async def stop(call: Call) -> contract.RunAnswer:
    return await _order(call, Wanted.STOP)


async def restart(call: Call) -> contract.RunAnswer:
    return await _order(call, Wanted.RESTART)


async def choose(call: Call) -> contract.RunAnswer:
    choice = call.body(contract.ChooseForRun).choice
    run = await call.write(interruptions.choose, actor=call.actor, id=call.number(), choice=choice)
    return contract.RunAnswer(run=present_run(run))


async def steer(call: Call) -> contract.SteeredAnswer:
    request = call.body(contract.SteerRun)
    steered = await call.write(runs.steer, actor=call.actor, id=call.number(), text=request.text)
    return contract.SteeredAnswer(
        run=present_run(steered.run),
        message=present(steered.message, messages.Message),
        receipt=present(steered.receipt, messages.Receipt),
    )


async def report_result(call: Call) -> contract.RunAnswer:
    request = call.body(contract.ReportResult)
    run = await call.write(
        runs.report_result,
        actor=call.actor,
        id=call.number(),
        status=request.status,
        summary=request.summary,
        blockers=request.blockers,
        next_steps=request.next_steps,
    )
    return contract.RunAnswer(run=present_run(run))


async def list_sessions(call: Call) -> contract.SessionsAnswer:
    query = call.query(contract.SessionsQuery)
    page = await call.read(
        runs.list_sessions,
        actor=call.actor,
        topic=query.topic,
        agent=query.agent,
        after=query.after,
        limit=query.limit,
    )
    return contract.SessionsAnswer(sessions=present_all(page.items, contract.Session), next=page.next)


async def create_session(call: Call) -> contract.SessionAnswer:
    request = call.body(contract.CreateSession)
    session = await call.write(
        runs.create_session,
        actor=call.actor,
        topic=request.topic,
        agent=request.agent,
        fresh=request.fresh,
        client_id=request.client_id,
    )
    return contract.SessionAnswer(session=present(session, contract.Session))


async def runs_of_session(call: Call) -> contract.RunsAnswer:
    query = call.query(Page)
    page = await call.read(runs.list_page, actor=call.actor, session=call.text(), after=query.after, limit=query.limit)
    return contract.RunsAnswer(runs=present_all(page.items, contract.Run), next=page.next)


async def bind_session(call: Call) -> contract.SessionAnswer:
    request = call.body(contract.BindNativeSession)
    session = await call.write(
        runs.bind_native_session,
        actor=call.actor,
        id=call.text(),
        lease_id=request.lease_id,
        fence=request.fence,
        native_session=request.native_session,
        run=request.run,
    )
    return contract.SessionAnswer(session=present(session, contract.Session))


async def _submit(call: Call, request: contract.OpenRun) -> contract.OpenedAnswer:
    if request.agent is None or request.topic is None or request.status is None:
        given = {"agent": request.agent, "topic": request.topic, "status": request.status}
        missing = next(name for name, value in given.items() if value is None)
        raise Invalid(
            f"{missing} is missing in the body: without a delivery_id a run is handed in with agent, topic and status.",
            field=missing,
        )
    run = await call.write(
        runs.submit,
        actor=call.actor,
        agent=request.agent,
        topic=request.topic,
        status=request.status,
        text=request.text,
        started_at=request.started_at,
        ended_at=request.ended_at,
        client_id=request.client_id,
    )
    return contract.OpenedAnswer(run=present_run(run), token="")


async def _order(call: Call, wanted: Wanted) -> contract.RunAnswer:
    request = call.body(contract.RunAction)
    run = await call.write(runs.order_by_id, actor=call.actor, id=call.number(), wanted=wanted, reason=request.reason)
    return contract.RunAnswer(run=present_run(run))
