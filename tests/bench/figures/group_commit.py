"""Durable sends against the same sends in a transaction each."""

from collections.abc import Iterator

from tests.bench.figure import Bench, Figure, Seen
from tests.bench.sending import compare

GROUP_COMMIT = Figure(
    name="group-commit",
    what="durable sends, 64 clients over HTTP, as a multiple of one transaction a request",
    unit="×",
    limit=2.5,  # docs/decisions/0007-durable-sends.md
    is_least=True,
)
FIGURES = (GROUP_COMMIT,)


def measure(bench: Bench) -> Iterator[Seen]:
    ratio, facts = compare(bench, "whole", "alone")
    yield Seen(figure=GROUP_COMMIT, value=ratio, facts=facts)
