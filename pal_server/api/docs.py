"""Context documents of a project."""

from pal_server.actions import docs
from pal_server.api.fields import or_none
from pal_server.api.present import present, present_all
from pal_server.api.routing import Call
from pal_server.contract import projects as contract
from pal_server.contract.base import Page
from pal_server.domain.docs import Doc


async def list_docs(call: Call) -> contract.DocsAnswer:
    query = call.query(Page)
    page = await call.read(
        docs.list_page, actor=call.actor, project=call.text("project"), after=query.after, limit=query.limit
    )
    return contract.DocsAnswer(docs=present_all(page.items, contract.Doc), next=page.next)


async def get(call: Call) -> contract.DocAnswer:
    doc = await call.read(docs.get, actor=call.actor, project=call.text("project"), name=call.text("doc"))
    return _answer(doc)


async def write(call: Call) -> contract.DocAnswer:
    request = call.body(contract.WriteDoc)
    doc = await call.write(
        docs.write,
        actor=call.actor,
        project=call.text("project"),
        name=call.text("doc"),
        content=request.content,
        inject=or_none(request.inject),
    )
    return _answer(doc)


async def change(call: Call) -> contract.DocAnswer:
    request = call.body(contract.ChangeDoc)
    doc = await call.write(
        docs.change,
        actor=call.actor,
        project=call.text("project"),
        name=call.text("doc"),
        inject=or_none(request.inject),
        archived=or_none(request.archived),
    )
    return _answer(doc)


def _answer(doc: Doc) -> contract.DocAnswer:
    return contract.DocAnswer(doc=present(doc, contract.Doc), content=doc.content)
