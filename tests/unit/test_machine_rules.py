"""Computers, agents, accounts and files: statuses and names."""

import pytest

from pal_server.domain.accounts import parse_args, parse_env
from pal_server.domain.agents import Readiness, default_runtime, parse_concurrency, parse_runtime, readiness
from pal_server.domain.computers import ComputerStatus, RuntimeState, away_after, check_epoch, parse_interval, status_of
from pal_server.domain.files import expiry_of, parse_mime, parse_sha256, parse_size, safe_name
from pal_server.domain.pages import NEWEST, parse_after, parse_limit, parse_place, render_place
from pal_server.errors import Conflict, Invalid, PalError, TooLarge

DEMO = RuntimeState(name="demo", available=True, capabilities={})
OLD = RuntimeState(name="codex", available=False, note="codex 0.1 is too old", capabilities={})
OUT = RuntimeState(name="claude-code", available=True, note="nobody is logged in", login="out", capabilities={})


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"last_seen_at": None}, ComputerStatus.PROVISIONED),
        ({}, ComputerStatus.ONLINE),
        ({"draining": True}, ComputerStatus.DRAINING),
        ({"is_offline": True, "draining": True}, ComputerStatus.OFFLINE),
        ({"last_seen_at": 100_000 - 10_001}, ComputerStatus.OFFLINE),
        ({"last_seen_at": 100_000 - 10_001, "beat_every": 5000}, ComputerStatus.ONLINE),
        ({"revoked_at": 1}, ComputerStatus.REVOKED),
    ],
)
def test_the_status_of_a_computer(changes: dict[str, object], status: ComputerStatus) -> None:
    state: dict[str, object] = {
        "revoked_at": None,
        "last_seen_at": 100_000,
        "is_offline": False,
        "draining": False,
        "beat_every": 3000,
    }

    assert status_of(**{**state, **changes}, now=100_000) is status  # type: ignore[arg-type]  # one field each


def test_three_beats_or_ten_seconds() -> None:
    assert away_after(100) == 10_000
    assert away_after(5000) == 15_000


def test_an_older_epoch_is_fenced_out() -> None:
    check_epoch(3, None)
    check_epoch(3, 3)
    with pytest.raises(Conflict):
        check_epoch(3, 2)


@pytest.mark.parametrize("interval", [0, -1, 99, 60_001])
def test_an_interval_has_bounds(interval: int) -> None:
    with pytest.raises(Invalid):
        parse_interval(interval)


@pytest.mark.parametrize(
    ("changes", "state", "word"),
    [
        ({}, Readiness.AVAILABLE, ""),
        ({"runtime": "codex"}, Readiness.UNAVAILABLE, "too old"),
        ({"runtime": "gemini"}, Readiness.UNAVAILABLE, "update"),
        ({"runtime": "own-thing"}, Readiness.UNAVAILABLE, "plugin"),
        ({"computer_name": None}, Readiness.UNKNOWN, "no computer"),
        ({"has_reported": False}, Readiness.UNKNOWN, "not connected"),
        ({"is_revoked": True}, Readiness.UNAVAILABLE, "revoked"),
        ({"runtime": "command"}, Readiness.UNAVAILABLE, "no command"),
        ({"runtime": "command", "command": "ls"}, Readiness.UNAVAILABLE, "admin"),
        ({"runtime": "claude-code"}, Readiness.AVAILABLE, "nobody is logged in"),
        ({"runtime": "claude-code", "account": "work"}, Readiness.AVAILABLE, ""),
        ({"runtime": "claude-code", "account": "work", "is_shut": True}, Readiness.UNAVAILABLE, "work is disabled"),
        ({"account": "work"}, Readiness.AVAILABLE, ""),
        ({"runtime": "codex", "account": "work"}, Readiness.UNAVAILABLE, "too old"),
        ({"runtime": "codex", "account": "work", "has_own_program": True}, Readiness.UNKNOWN, "program of its own"),
    ],
)
def test_whether_an_agent_is_ready_and_what_to_do(changes: dict[str, object], state: Readiness, word: str) -> None:
    situation: dict[str, object] = {
        "runtime": "demo",
        "command": None,
        "command_allowed": False,
        "computer_name": "box",
        "is_revoked": False,
        "has_reported": True,
        "runtimes": (DEMO, OLD, OUT),
    }

    found, note = readiness(**{**situation, **changes})  # type: ignore[arg-type]  # one field each

    assert found is state
    assert word in note
    assert word or not note


def test_an_agent_named_as_a_runtime_is_that_one() -> None:
    assert default_runtime("codex") == "codex"
    assert default_runtime("reviewer") == "demo"
    assert default_runtime("command") == "demo"


def test_a_runtime_may_be_unknown_and_not_nonsense() -> None:
    assert parse_runtime("own-thing.2") == "own-thing.2"
    for wrong in ("", "A", "../x", "a b"):
        with pytest.raises(Invalid):
            parse_runtime(wrong)
    for number in (0, 51):
        with pytest.raises(Invalid):
            parse_concurrency(number)


def test_variables_and_arguments_fit_a_process() -> None:
    assert parse_env({"A_1": "x"}) == {"A_1": "x"}
    for env in ({"1A": "x"}, {"A=": "x"}, {"A": "secret\0"}):
        with pytest.raises(Invalid) as refused:
            parse_env(env)
        assert "secret" not in f"{refused.value}{refused.value.facts}"
    with pytest.raises(Invalid):
        parse_args(["a\0"])


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.html", "report.html"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.txt", "a.txt"),
        ("a\x00b\n.txt", "ab.txt"),
        ("..", "file"),
        ("", "file"),
        ("\u202egnp.exe", "gnp.exe"),
        ('a<b>"c".md', "abc.md"),
        ("报告.pdf", "报告.pdf"),
    ],
)
def test_a_name_is_safe_to_show_and_save(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.parametrize("stem", ["x" * 500, "报" * 500])
def test_a_long_name_keeps_its_ending(stem: str) -> None:
    name = safe_name(f"{stem}.html")

    assert name.endswith(".html")
    assert len(name.encode()) <= 200


def test_what_describes_a_file_is_checked() -> None:
    assert parse_mime("Text/HTML; charset=utf-8") == "text/html"
    assert expiry_of(2, now=1000) == 3000
    assert expiry_of(None, now=1000) is None
    wrong: list[tuple[object, tuple[object, ...], type[PalError]]] = [
        (parse_mime, ("html",), Invalid),
        (parse_sha256, ("../../x",), Invalid),
        (parse_size, (0,), Invalid),
    ]
    for parse, given, error in wrong:
        with pytest.raises(error):
            parse(*given)  # type: ignore[operator]  # each is a function
    with pytest.raises(TooLarge):
        parse_size(11, limit=10)
    with pytest.raises(Invalid):
        expiry_of(0, now=0)


def test_cursors_come_back_as_they_were_given() -> None:
    place = parse_place(render_place(12, "file_a.b"), default=NEWEST)

    assert (place.at, place.id) == (12, "file_a.b")
    assert parse_place(None, default=NEWEST) is NEWEST
    assert parse_after("12") == 12
    assert parse_limit(1000) == 200
    for wrong in ("x", "12", ".a", "-1.a"):
        with pytest.raises(Invalid):
            parse_place(wrong, default=NEWEST)
    for number in (0, -1):
        with pytest.raises(Invalid):
            parse_limit(number)
    with pytest.raises(Invalid):
        parse_after("-1")
