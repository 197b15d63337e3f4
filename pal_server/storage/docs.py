"""Context documents as rows."""

from pal_server.domain.docs import Doc
from pal_server.storage.tx import Row, Tx


def put(tx: Tx, *, project_id: str, name: str, content: str, inject: bool, by: str) -> None:
    """Write it, anew or in place of what stood there."""
    tx.sql.run(
        "docs.put", project_id=project_id, name=name, content=content, inject=int(inject), written_by=by, now=tx.now
    )


def change(tx: Tx, doc: Doc) -> None:
    """Store `inject` and `archived_at`."""
    tx.sql.run(
        "docs.change",
        project_id=doc.project_id,
        name=doc.name,
        inject=int(doc.inject),
        archived_at=doc.archived_at,
        now=doc.updated_at,
    )


def find(tx: Tx, *, project_id: str, name: str) -> Doc | None:
    row = tx.sql.one("docs.by_name", project_id=project_id, name=name)
    return None if row is None else _doc(row)


def count(tx: Tx, *, project_id: str) -> int:
    row = tx.sql.one("docs.count", project_id=project_id)
    return 0 if row is None else int(row["number"])


def page(tx: Tx, *, project_id: str, after: str, limit: int) -> list[Doc]:
    """By name, without their text."""
    return [_doc(row) for row in tx.sql.all("docs.page", project_id=project_id, after=after, limit=limit)]


def injected(tx: Tx, *, project_id: str, of_each: int, of_all: int) -> list[Doc]:
    """What every run is told, by name; of each text the beginning, in characters. Those after the last that there is
    room for are there without text and size: a text may be long, and every claim reads them.
    """
    found: list[Doc] = []
    for row in tx.sql.all("docs.injected", project_id=project_id):
        if of_all > 0:
            doc = _beginning(tx, project_id=project_id, name=row["name"], characters=min(of_each, of_all))
            of_all -= len(doc.content)
            found.append(doc)
        else:
            found.append(_doc(row))
    return found


def _beginning(tx: Tx, *, project_id: str, name: str, characters: int) -> Doc:
    row = tx.sql.one("docs.beginning", project_id=project_id, name=name, characters=characters)
    assert row is not None, "documents are never removed"
    return _doc(row)


def _doc(row: Row) -> Doc:
    return Doc(
        project_id=row["project_id"],
        name=row["name"],
        content=row["content"],
        size=row["size"],
        inject=bool(row["inject"]),
        written_by=row["written_by"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        archived_at=row["archived_at"],
    )
