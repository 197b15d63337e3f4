"""The page of criteria tells no tale: every test it names is there, and every line names one."""

import re

import pytest

from tests.repo.tree import ROOT

PAGE = (ROOT / "docs" / "criteria.md").read_text("utf-8")
ROWS = dict(re.findall(r"^\| ([A-Z]{2}-\d+) \| (.*?) \|", PAGE, re.M))
NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def test_every_criterion_stands_there_once() -> None:
    ids = re.findall(r"^\| ([A-Z]{2}-\d+) \|", PAGE, re.M)
    assert sorted(ids) == sorted(set(ids))
    assert len(ids) > 80


@pytest.mark.parametrize("criterion", ROWS)
def test_the_tests_of_a_criterion_are_there(criterion: str) -> None:
    named = NAMED.findall(ROWS[criterion])
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not re.search(rf"^(async )?def {name}\(", (ROOT / "tests" / file).read_text("utf-8"), re.M)
    ]

    assert named
    assert missing == []
