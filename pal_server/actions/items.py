"""Whatever a code of a project means: the letter says what it is."""

from pal_server.actions import decisions, tasks
from pal_server.domain.actors import Actor
from pal_server.domain.decisions import Decision
from pal_server.domain.projects import Coded, parse_code
from pal_server.domain.tasks import Task
from pal_server.errors import NotFound
from pal_server.storage.tx import Tx


def get(tx: Tx, *, actor: Actor, project: str, code: str) -> Task | Decision:
    """The task of `T-3`, the decision of `D-3`."""
    letter = code[:2].upper()
    if letter == f"{Coded.TASK}-" and parse_code(code, kind=Coded.TASK) is not None:
        return tasks.get(tx, actor=actor, task=code, project=project)
    if letter == f"{Coded.DECISION}-" and parse_code(code, kind=Coded.DECISION) is not None:
        return decisions.get(tx, actor=actor, project=project, decision=code)
    raise NotFound(f"there is no {code} in this project", code=code)
