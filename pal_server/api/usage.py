"""What runs used."""

from pal_server.actions import usage
from pal_server.api.present import present, present_all
from pal_server.api.routing import Call
from pal_server.contract import usage as contract


async def show(call: Call) -> contract.UsageAnswer:
    query = call.query(contract.UsageQuery)
    report = await call.read(
        usage.report,
        actor=call.actor,
        by=query.by,
        agent=query.agent,
        room=query.room,
        project=query.project,
        since=query.since,
        until=query.until,
        utc_offset=query.utc_offset,
        after=query.after,
        limit=query.limit,
    )
    return contract.UsageAnswer(
        usage=present_all(report.rows, contract.Used),
        total=present(report.total, contract.Used),
        since=report.since,
        until=report.until,
        next=report.next,
    )
