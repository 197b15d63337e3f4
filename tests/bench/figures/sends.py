"""Durable sends against the same HTTP server without a database, and against the bare statements of a send."""

from collections.abc import Iterator

from tests.bench.figure import Bench, Figure, Seen
from tests.bench.sending import compare

SENDS = Figure(
    name="sends",
    what="durable sends, 64 clients over HTTP, as part of what the server answers without a database",
    unit="%",
    limit=12,  # docs/decisions/0007-durable-sends.md
    is_least=True,
)
OWN = Figure(
    name="sends-own",
    what="durable sends, 64 clients over HTTP, as part of what the same statements reach with no code around them",
    unit="%",
    limit=60,
    is_least=True,
)
FIGURES = (SENDS, OWN)


def measure(bench: Bench) -> Iterator[Seen]:
    ratio, facts = compare(bench, "whole", "without-database")
    yield Seen(figure=SENDS, value=ratio * 100, facts=facts)
    ratio, facts = compare(bench, "whole", "statements")
    yield Seen(figure=OWN, value=ratio * 100, facts=facts)
