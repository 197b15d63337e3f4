"""The kinds of routes the table is made of, and for whom they can be."""

from pal_server.api.routing import MIB, Handler, Route, Who
from pal_server.contract.base import Answer, Request
from pal_server.domain.actors import Role

OPEN = Who(is_open=True)
READERS = Who(user=Role.VIEWER, computer=True, run=True, bridge=True)  # each what it may know of
SPEAKERS = Who(user=Role.MEMBER, computer=True, run=True, bridge=True)
TALKERS = Who(user=Role.VIEWER, computer=True, run=True, bridge=True, guest=True)  # readers, and guests of a room
VISITORS = Who(user=Role.MEMBER, computer=True, run=True, bridge=True, guest=True)  # speakers, and guests
GUESTS = Who(guest=True)
PEOPLE = Who(user=Role.VIEWER)
TRUSTED = Who(user=Role.VIEWER, bridge=True)
PLANNERS = Who(user=Role.MEMBER, run=True, bridge=True)  # people, and agents about their own work
HELPERS = Who(user=Role.MEMBER, bridge=True)  # people, also through an outside chat
MEMBERS = Who(user=Role.MEMBER)
WATCHERS = Who(user=Role.VIEWER, computer=True)
ADMINS = Who(user=Role.ADMIN)
DRAINERS = Who(user=Role.ADMIN, computer=True)
HANDERS = Who(user=Role.MEMBER, computer=True, bridge=True)
DAEMONS = Who(computer=True)
RUNS = Who(run=True)
PROPOSERS = Who(user=Role.MEMBER, run=True)
BRIDGES = Who(bridge=True)

FILE_LIMIT = 50 * MIB
MESSAGE_LIMIT = 3 * MIB  # the longest text fits, also with each character escaped as two surrogates
RUN_EVENTS_LIMIT = 8 * MIB
SSE = "text/event-stream"


def page(path: str, handler: Handler, media: str, summary: str, *, name: str = "") -> Route:
    return Route(method="GET", path=path, handler=handler, who=OPEN, media=media, summary=summary, name=name)


def get(
    path: str, handler: Handler, who: Who, summary: str, answer: type[Answer], query: type[Request] | None = None
) -> Route:
    return Route(method="GET", path=path, handler=handler, who=who, summary=summary, answer=answer, query=query)


def post(
    path: str,
    handler: Handler,
    who: Who,
    summary: str,
    answer: type[Answer],
    body: type[Request] | None = None,
    *,
    status: int = 200,
    limit: int = MIB,
    is_data: bool = False,
    method: str = "POST",
) -> Route:
    return Route(
        method=method,
        path=path,
        handler=handler,
        who=who,
        summary=summary,
        answer=answer,
        body=body or Nothing,
        status=status,
        limit=limit,
        is_data=is_data,
    )


def create(path: str, handler: Handler, who: Who, summary: str, answer: type[Answer], body: type[Request]) -> Route:
    return post(path, handler, who, summary, answer, body, status=201)


def patch(path: str, handler: Handler, who: Who, summary: str, answer: type[Answer], body: type[Request]) -> Route:
    return post(path, handler, who, summary, answer, body, method="PATCH")


def delete(path: str, handler: Handler, who: Who, summary: str, answer: type[Answer]) -> Route:
    return post(path, handler, who, summary, answer, method="DELETE")


class Nothing(Request, frozen=True, kw_only=True):
    """A body that says nothing: empty, or `{}`."""
