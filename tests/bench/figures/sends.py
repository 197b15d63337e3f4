"""Durable sends against the same HTTP server without a database."""

from collections.abc import Iterator

from tests.bench.figure import Bench, Figure, Seen
from tests.bench.sending import compare

SENDS = Figure(
    name="sends",
    what="durable sends, 64 clients over HTTP, as part of what the server answers without a database",
    unit="%",
    limit=30,
    is_least=True,
)
FIGURES = (SENDS,)


def measure(bench: Bench) -> Iterator[Seen]:
    ratio, facts = compare(bench, "whole", "without-database")
    yield Seen(figure=SENDS, value=ratio * 100, facts=facts)
