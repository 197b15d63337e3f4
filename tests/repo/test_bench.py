"""Figures are never timed in tests; that each has a limit and a word in the docs is one."""

from tests.bench.__main__ import figures
from tests.repo.tree import ROOT


def test_every_figure_has_a_limit_and_a_name_of_its_own() -> None:
    promised = figures()

    assert len({figure.name for figure in promised}) == len(promised)
    assert all(figure.limit > 0 and figure.unit and figure.what for figure in promised)


def test_every_figure_is_in_the_docs() -> None:
    page = (ROOT / "docs" / "performance.md").read_text()

    assert [figure.name for figure in figures() if f"`{figure.name}`" not in page] == []


def test_a_limit_is_met_on_its_own_side() -> None:
    sends = next(figure for figure in figures() if figure.is_least)
    start = next(figure for figure in figures() if not figure.is_least)

    assert sends.is_met(sends.limit)
    assert not sends.is_met(sends.limit * 0.99)
    assert start.is_met(start.limit)
    assert not start.is_met(start.limit * 1.01)
