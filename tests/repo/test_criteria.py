"""The pages of criteria and runtimes tell no tale: every test they name is there, and every line names one."""

import re

import pytest

from tests.repo.tree import ROOT

PAGE = (ROOT / "docs" / "criteria.md").read_text("utf-8")
ROWS = dict(re.findall(r"^\| ([A-Z]{2}-\d+) \| (.*?) \|", PAGE, re.M))
TRAPS = dict(
    re.findall(
        r"^\| (.*?) \| (.*?) \|",
        (ROOT / "docs" / "runtimes.md").read_text("utf-8").partition("| trap | test |\n")[2],
        re.M,
    )[1:]
)
NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def test_every_criterion_stands_there_once() -> None:
    ids = re.findall(r"^\| ([A-Z]{2}-\d+) \|", PAGE, re.M)
    assert sorted(ids) == sorted(set(ids))
    assert len(ids) > 80
    assert len(TRAPS) > 20


@pytest.mark.parametrize("criterion", ROWS)
def test_the_tests_of_a_criterion_are_there(criterion: str) -> None:
    assert_there(ROWS[criterion])


@pytest.mark.parametrize("trap", TRAPS)
def test_the_tests_of_a_trap_are_there(trap: str) -> None:
    assert_there(TRAPS[trap])


def assert_there(tests: str) -> None:
    named = NAMED.findall(tests)
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not re.search(rf"^(async )?def {name}\(", (ROOT / "tests" / file).read_text("utf-8"), re.M)
    ]

    assert named
    assert missing == []
