"""Share links as people make, list and end them."""

from pal_server import tokens as secret_words
from pal_server.actions import shares
from pal_server.api.present import present, present_all
from pal_server.api.routing import Call
from pal_server.contract import shares as contract
from pal_server.contract.base import Page


async def create(call: Call) -> contract.CreatedShareAnswer:
    request = call.body(contract.CreateShare)
    secret, secret_hash = secret_words.new_secret(secret_words.SHARE)
    share = await call.write(
        shares.create,
        actor=call.actor,
        secret_hash=secret_hash,
        topic=request.topic,
        task=request.task,
        room=request.room,
        file=request.file,
        run=request.run,
        rights=request.rights,
        may_trigger=request.may_trigger,
        expires_at=request.expires_at,
        client_id=request.client_id,
    )
    url = f"{call.services.url()}/s/{secret}"
    return contract.CreatedShareAnswer(share=present(share, contract.Share), token=secret, url=url)


async def list_shares(call: Call) -> contract.SharesAnswer:
    query = call.query(Page)
    page = await call.read(shares.list_page, actor=call.actor, after=query.after, limit=query.limit)
    return contract.SharesAnswer(shares=present_all(page.items, contract.Share), next=page.next)


async def revoke(call: Call) -> contract.ShareAnswer:
    share = await call.write(shares.revoke, actor=call.actor, id=call.text())
    return contract.ShareAnswer(share=present(share, contract.Share))
