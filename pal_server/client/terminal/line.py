"""A command's line to the server or the daemon: calls whose failures say what to do next."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from pal_server.client.resolve import Place
from pal_server.client.sync import ApiProblem, Client, Unreachable


class NoAnswer(Exception):
    """Nobody answers at that address."""


class NotLetIn(Exception):
    """The credential, or its absence, was refused."""


class Line:
    """Calls to one place. `party` is "server" or "daemon", for messages alone."""

    def __init__(self, *, place: Place, party: str) -> None:
        self.place = place
        self.party = party
        self._client = Client(place.url, place.token)

    def get(self, path: str, **query: object) -> dict[str, Any]:
        return self.call("GET", path, query=query)

    def post(self, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        return self.call("POST", path, body=body or {})

    def put(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        return self.call("PUT", path, body=body)

    def patch(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        return self.call("PATCH", path, body=body)

    def delete(self, path: str) -> dict[str, Any]:
        return self.call("DELETE", path)

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, object] | bytes | None = None,
        query: Mapping[str, object] | None = None,
    ) -> dict[str, Any]:
        """The answer; ApiProblem as the API told it, NoAnswer and NotLetIn with a remedy in their message."""
        try:
            return self._client.call(method, path, body=body, query=without_nothing(query or {}))
        except Unreachable as error:
            raise self.no_answer(error) from error
        except ApiProblem as problem:
            raise self.explained(problem) from problem

    def stream(
        self,
        path: str,
        after: int | None,
        *,
        query: Mapping[str, object] | None = None,
        within: float | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Events, each once, for ever or `within` so many seconds: a cut stream is taken up at its position. A refusal
        ends it as in `call`.
        """
        try:
            yield from self._client.stream(path, after, query=without_nothing(query or {}), within=within)
        except Unreachable as error:
            raise self.no_answer(error) from error
        except ApiProblem as problem:
            raise self.explained(problem) from problem

    def no_answer(self, error: Exception) -> NoAnswer:
        """What an unreachable server or daemon means to the person at the terminal."""
        what = f"the {self.party} at {self.place.url} ({self.place.url_from}) does not answer: {error}"
        start = "`pal up`" if self.party == "daemon" else "`pal server` or `pal up`"
        return NoAnswer(f"{what}. Is it running? Start it with {start}; `pal doctor` finds what is wrong")

    def explained(self, problem: ApiProblem) -> Exception:
        """A refused credential with where it came from; everything else as it is."""
        if problem.status != 401:
            return problem
        if self.place.token is None:
            return NotLetIn(f"the {self.party} at {self.place.url} wants a credential: {self.place.why_no_token}")
        return NotLetIn(
            f"the {self.party} at {self.place.url} refused the token from {self.place.token_from}: {problem.message}"
        )


def segment(value: object) -> str:
    """A name or id as one part of a path, whatever characters it has."""
    return quote(str(value), safe="")


def without_nothing(values: Mapping[str, object]) -> dict[str, object]:
    """The entries somebody gave: None and empty lists are left out."""
    return {key: value for key, value in values.items() if value is not None and value != []}
