"""What the project of a room tells a run, as it is now."""

from pal_server.domain.briefings import (
    DECISION_CHARACTERS,
    DECISIONS_LIMIT,
    DOC_CHARACTERS,
    DOCS_CHARACTERS,
    brief,
)
from pal_server.domain.rooms import Room
from pal_server.storage import decisions, docs, projects
from pal_server.storage.tx import Tx


def of_room(tx: Tx, *, room: Room, nonce: str) -> str:
    """Empty for a room without a project, and while the project is archived."""
    if room.project_id is None:
        return ""
    project = projects.find(tx, workspace_id=room.workspace_id, ref=room.project_id)
    if project is None or project.archived_at is not None:
        return ""
    return brief(
        project,
        decisions=decisions.approved(
            tx, project_id=project.id, characters=DECISION_CHARACTERS, limit=DECISIONS_LIMIT + 1
        ),
        docs=docs.injected(tx, project_id=project.id, of_each=DOC_CHARACTERS, of_all=DOCS_CHARACTERS),
        nonce=nonce,
    )
