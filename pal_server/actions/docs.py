"""Context documents of a project, written by people and told to its runs."""

from dataclasses import replace

from pal_server.actions import access
from pal_server.domain.actors import Actor, Role
from pal_server.domain.docs import DOCS_LIMIT, Doc, parse_content, parse_doc_name
from pal_server.domain.pages import Page, page_of, parse_limit
from pal_server.domain.projects import Project, need_open
from pal_server.errors import Conflict, NotFound
from pal_server.storage import docs
from pal_server.storage.tx import Tx


def write(tx: Tx, *, actor: Actor, project: str, name: str, content: str, inject: bool | None = None) -> Doc:
    """Write a document, anew or in place of what stood there; an archived one is back. `inject` stays as it is unless
    given; of a new document it is true.
    """
    access.need(actor, Role.MEMBER)
    found = _writable(tx, actor=actor, project=project)
    name = parse_doc_name(name)
    was = docs.find(tx, project_id=found.id, name=name)
    if was is None and docs.count(tx, project_id=found.id) >= DOCS_LIMIT:
        raise Conflict(f"a project has at most {DOCS_LIMIT} context documents", limit=DOCS_LIMIT)
    if inject is None:
        inject = was is None or was.inject
    docs.put(tx, project_id=found.id, name=name, content=parse_content(content), inject=inject, by=actor.name)
    return _told(tx, actor=actor, project_id=found.id, name=name)


def change(
    tx: Tx, *, actor: Actor, project: str, name: str, inject: bool | None = None, archived: bool | None = None
) -> Doc:
    """Whether runs are told it, and whether it is archived; None leaves a thing as it is."""
    access.need(actor, Role.MEMBER)
    found = _writable(tx, actor=actor, project=project)
    doc = _find(tx, project_id=found.id, name=name)
    archived_at = doc.archived_at
    if archived is not None and archived != (archived_at is not None):
        archived_at = tx.now if archived else None
    inject = doc.inject if inject is None else inject
    docs.change(tx, replace(doc, inject=inject, archived_at=archived_at, updated_at=tx.now))
    return _told(tx, actor=actor, project_id=found.id, name=name)


def get(tx: Tx, *, actor: Actor, project: str, name: str) -> Doc:
    """One with its text, also an archived one."""
    return _find(tx, project_id=access.project(tx, actor, project).id, name=name)


def list_page(tx: Tx, *, actor: Actor, project: str, after: str | None, limit: int) -> Page[Doc]:
    """By name, without their texts, archived ones too."""
    limit = parse_limit(limit)
    found = docs.page(tx, project_id=access.project(tx, actor, project).id, after=after or "", limit=limit + 1)
    return page_of(found, limit=limit, cursor=lambda doc: doc.name)


def _writable(tx: Tx, *, actor: Actor, project: str) -> Project:
    """A document is written by whoever sees the project's default room, while the project is open."""
    found = access.project_to_change(tx, actor, project)
    need_open(found)
    return found


def _find(tx: Tx, *, project_id: str, name: str) -> Doc:
    found = docs.find(tx, project_id=project_id, name=name)
    if found is None:
        raise NotFound(f"there is no document {name}", doc=name)
    return found


def _told(tx: Tx, *, actor: Actor, project_id: str, name: str) -> Doc:
    doc = _find(tx, project_id=project_id, name=name)
    tx.emit("doc.changed", workspace_id=actor.workspace_id, data=doc.fact())
    return doc
