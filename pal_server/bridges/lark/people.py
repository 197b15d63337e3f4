"""Who people are: names, and the ids that are the same in every app. Asked once, remembered while the process lives."""

from __future__ import annotations

from collections import OrderedDict

from pal_server.bridges.inbound import Person
from pal_server.bridges.lark.api import Api, Lost, NotLeft
from pal_server.bridges.platform import BadCredentials

NAME_WITHIN = 1.0  # seconds
MOST_KNOWN = 5_000


class People:
    """People as one app sees them."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: OrderedDict[str, Person] = OrderedDict()  # by each of their ids

    def learn(self, person: Person) -> None:
        """What an event said of somebody; a name that is known already stays."""
        before = self._known.get(person.id)
        name = person.name or (before.name if before else "")
        self._keep(Person(id=person.id, name=name, others=person.others))

    async def name_of(self, person: Person) -> str:
        """The display name; empty when the app may not see it or Lark does not answer in time."""
        known = self._known.get(person.id)
        if not person.id or (known and known.name):
            return known.name if known else ""
        found = await self._ask(person.id, within=NAME_WITHIN)
        return found.name if found else ""

    async def by_open_id(self, open_id: str) -> Person:
        """The person with their union_id, as events name them; with the open_id alone when Lark does not tell."""
        known = self._known.get(open_id)
        return known or await self._ask(open_id, within=NAME_WITHIN) or Person(id=open_id)

    async def _ask(self, id: str, *, within: float) -> Person | None:
        kind = {"ou_": "open_id", "on_": "union_id"}.get(id[:3], "user_id")
        path = f"/open-apis/contact/v3/users/{id}"
        try:
            answer = await self._api.call("GET", path, query={"user_id_type": kind}, within=within)
        except (NotLeft, Lost, BadCredentials):
            return None
        user = answer.data.get("user")
        if not answer.is_good or not isinstance(user, dict):
            return None  # not visible to the app, or no such id: nameless
        ids = [str(user.get(name) or "") for name in ("union_id", "open_id", "user_id")]
        ids = [one for one in ids if one] or [id]
        person = Person(id=ids[0], others=tuple(ids[1:]), name=str(user.get("name") or user.get("en_name") or ""))
        self._keep(person)
        return person

    def _keep(self, person: Person) -> None:
        for id in (person.id, *person.others):
            self._known[id] = person
            self._known.move_to_end(id)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
