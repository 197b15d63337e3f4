"""A person's own webhook."""

import secrets

from pal_server.actions import webhooks
from pal_server.api.fields import or_none
from pal_server.api.present import present
from pal_server.api.routing import Call
from pal_server.contract import desk as contract
from pal_server.sealing import seal

SECRET = 32  # bytes


async def get(call: Call) -> contract.WebhookAnswer:
    found = await call.read(webhooks.get, actor=call.actor)
    return contract.WebhookAnswer(webhook=None if found is None else present(found, contract.Webhook))


async def create(call: Call) -> contract.CreatedWebhookAnswer:
    request = call.body(contract.CreateWebhook)
    secret = secrets.token_urlsafe(SECRET)
    made = await call.write(
        webhooks.put,
        actor=call.actor,
        url=request.url,
        sealed=seal(call.services.key, {"secret": secret}, bound=f"webhook:{call.actor.id}"),
        needs=request.needs,
        mentions=request.mentions,
        runs=request.runs,
    )
    return contract.CreatedWebhookAnswer(webhook=present(made, contract.Webhook), secret=secret)


async def change(call: Call) -> contract.WebhookAnswer:
    request = call.body(contract.ChangeWebhook)
    changed = await call.write(
        webhooks.choose,
        actor=call.actor,
        needs=or_none(request.needs),
        mentions=or_none(request.mentions),
        runs=or_none(request.runs),
    )
    return contract.WebhookAnswer(webhook=present(changed, contract.Webhook))


async def remove(call: Call) -> contract.WebhookAnswer:
    gone = await call.write(webhooks.drop, actor=call.actor)
    return contract.WebhookAnswer(webhook=present(gone, contract.Webhook))
