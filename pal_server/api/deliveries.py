"""Deliveries and their leases."""

import msgspec

from pal_server.actions import deliveries, runs
from pal_server.api.present import present, present_all, present_claim, present_claimed
from pal_server.api.routing import Call
from pal_server.contract import deliveries as contract
from pal_server.domain.deliveries import Delivery


async def list_deliveries(call: Call) -> contract.DeliveriesAnswer:
    query = call.query(contract.DeliveriesQuery)
    page = await call.read(
        deliveries.list_page,
        actor=call.actor,
        agent=query.agent,
        status=query.status,
        room=query.room,
        topic=query.topic,
        message=query.message,
        after=query.after,
        limit=query.limit,
    )
    return contract.DeliveriesAnswer(deliveries=present_all(page.items, contract.Delivery), next=page.next)


async def create(call: Call) -> contract.DeliveryAnswer:
    request = call.body(contract.CreateDelivery)
    return _answer(
        await call.write(
            deliveries.create_by_hand,
            actor=call.actor,
            message=request.message,
            agent=request.agent,
            client_id=request.client_id,
        )
    )


async def get(call: Call) -> contract.DeliveryAnswer:
    return _answer(await call.read(deliveries.get, actor=call.actor, id=call.number()))


async def claim_queue(call: Call) -> contract.ClaimsAnswer:
    request = call.body(contract.ClaimDeliveries)
    claims = await call.write(
        deliveries.claim_queue,
        actor=call.actor,
        agents=request.agents,
        limit=request.limit,
        held=request.held,
        epoch=call.epoch,
    )
    call.services.metrics.count("pal_claims_total", "Deliveries leased.", by=len(claims.claimed))
    return contract.ClaimsAnswer(
        deliveries=[present_claimed(claimed) for claimed in claims.claimed], now=claims.now, more=claims.more
    )


async def claim(call: Call) -> contract.ClaimAnswer:
    claimed = await call.write(deliveries.claim, actor=call.actor, id=call.number(), epoch=call.epoch)
    call.services.metrics.count("pal_claims_total", "Deliveries leased.")
    return present_claim(claimed, now=call.services.clock())


async def renew(call: Call) -> contract.RenewAnswer:
    request = call.body(contract.UnderLease)
    delivery = await call.write(
        deliveries.renew, actor=call.actor, id=call.number(), lease_id=request.lease_id, fence=request.fence
    )
    lease = {"id": delivery.lease_id, "fence": delivery.fence, "until": delivery.lease_until}
    return contract.RenewAnswer(lease=msgspec.convert(lease, contract.Lease), now=call.services.clock())


async def release(call: Call) -> contract.DeliveryAnswer:
    request = call.body(contract.ReleaseDelivery)
    return _answer(
        await call.write(
            deliveries.release,
            actor=call.actor,
            id=call.number(),
            lease_id=request.lease_id,
            fence=request.fence,
            reason=request.reason,
            delay_for=request.delay_for,
            burn_attempt=request.burn_attempt,
        )
    )


async def ack(call: Call) -> contract.DeliveryAnswer:
    request = call.body(contract.AckDelivery)
    return _answer(
        await call.write(
            runs.settle_delivery,
            actor=call.actor,
            id=call.number(),
            lease_id=request.lease_id,
            fence=request.fence,
            status="acked",
            text=request.text,
        )
    )


async def fail(call: Call) -> contract.DeliveryAnswer:
    request = call.body(contract.FailDelivery)
    return _answer(
        await call.write(
            runs.settle_delivery,
            actor=call.actor,
            id=call.number(),
            lease_id=request.lease_id,
            fence=request.fence,
            status="failed",
            error=request.error,
            error_kind=request.kind,
        )
    )


async def cancel(call: Call) -> contract.DeliveryAnswer:
    return _answer(await call.write(deliveries.cancel, actor=call.actor, id=call.number()))


async def move_to_front(call: Call) -> contract.DeliveryAnswer:
    return _answer(await call.write(deliveries.move_to_front, actor=call.actor, id=call.number()))


async def merge(call: Call) -> contract.DeliveryAnswer:
    request = call.body(contract.MergeDelivery)
    return _answer(await call.write(deliveries.merge, actor=call.actor, id=call.number(), into=request.into))


async def retry(call: Call) -> contract.DeliveryAnswer:
    request = call.body(contract.RetryDelivery)
    return _answer(await call.write(deliveries.retry, actor=call.actor, id=call.number(), fresh=request.fresh))


def _answer(delivery: Delivery) -> contract.DeliveryAnswer:
    return contract.DeliveryAnswer(delivery=present(delivery, contract.Delivery))
