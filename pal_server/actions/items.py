"""Whatever a code of a project means: the letter says what it is."""

from collections.abc import Sequence

from pal_server.actions import decisions, tasks
from pal_server.domain.actors import Actor
from pal_server.domain.decisions import Decision
from pal_server.domain.projects import Coded, parse_code
from pal_server.domain.tasks import Task
from pal_server.errors import Invalid, NotFound
from pal_server.storage.tx import Tx

LIMIT = 100  # codes looked up at once


def find(tx: Tx, *, actor: Actor, codes: Sequence[str]) -> list[tuple[str, Task | Decision]]:
    """What codes that name their project (`shop.T-3`) mean, as they were said, in that order. Those of which the actor
    may know nothing are left out, like those that mean nothing.
    """
    if len(codes) > LIMIT:
        raise Invalid(f"at most {LIMIT} codes are looked up at once", field="codes", limit=LIMIT)
    found: list[tuple[str, Task | Decision]] = []
    for said in dict.fromkeys(codes):
        project, _, code = said.rpartition(".")
        if not project:
            raise Invalid("a code names its project here, as shop.T-3", field="codes", value=said)
        try:
            found.append((said, get(tx, actor=actor, project=project, code=code)))
        except NotFound:
            continue
    return found


def get(tx: Tx, *, actor: Actor, project: str, code: str) -> Task | Decision:
    """The task of `T-3`, the decision of `D-3`."""
    letter = code[:2].upper()
    if letter == f"{Coded.TASK}-" and parse_code(code, kind=Coded.TASK) is not None:
        return tasks.get(tx, actor=actor, task=code, project=project)
    if letter == f"{Coded.DECISION}-" and parse_code(code, kind=Coded.DECISION) is not None:
        return decisions.get(tx, actor=actor, project=project, decision=code)
    raise NotFound(f"there is no {code} in this project", code=code)
