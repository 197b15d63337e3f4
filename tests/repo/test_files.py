"""What may not be in the tree: files that are too long, secrets, and names of the machine it was written on."""

import re

from tests.repo.tree import kept_files, name_of, text_files

LONGEST = 600  # lines
MAY_BE_LONGER: dict[str, str] = {
    "pal_server/actions/messages.py": "the facade of everything that is said: send, edit, deliver, hold, read",
    "pal_server/api/routes.py": "the whole API on one page",
    "pal_server/actions/runs.py": "the facade of a run's whole life: open, report, order, settle",
}
FACADES = 3  # at most; one more is a sign

# Put together here, so that this file does not hold what it looks for.
HOSTS = [
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "registry.npmjs" + ".org",
    "registry.yarnpkg" + ".com",
    "npmmirror" + ".com",
]
PLACES = ["/wo" + "rk/", "/ro" + "ot/", "/Us" + "ers/", "/home/(?!you\\b|me\\b|agent\\b|\\$|<|…)[a-z]"]
SECRETS = [
    r"-----BEGIN (?:RSA |EC |OPENSSH |)PRIVATE KEY",
    r"\bAKIA[0-9A-Z]{16}\b",
    r"\bgh[pousr]_[A-Za-z0-9]{30,}",
    r"\bxox[abprs]-[0-9A-Za-z-]{20,}",
    r"\bsk-[A-Za-z0-9_-]{30,}",
    r"\bsk_machine_[a-z0-9]{32,}",
    r"\bpal_(?:user|run|session|code|bridge)_[A-Za-z0-9]{32,}",
    r"://[^/\s:@{}]+:(?!secret@)[^/\s:@{}$]{6,}@",
]


def found(patterns: list[str]) -> list[str]:
    """Place and text of every match in the tree."""
    wanted = re.compile("|".join(patterns))
    return [
        f"{name_of(path)}:{number}: {match.group()}"
        for path in text_files()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        for match in [wanted.search(line)]
        if match
    ]


def test_no_file_is_too_long() -> None:
    lengths = {name_of(path): path.read_bytes().count(b"\n") for path in kept_files() if path.suffix in (".py", ".sql")}

    long = {name: lines for name, lines in lengths.items() if lines > LONGEST and name not in MAY_BE_LONGER}

    assert long == {}
    assert [name for name in MAY_BE_LONGER if lengths.get(name, 0) <= LONGEST] == [], "they need no exception any more"
    assert len(MAY_BE_LONGER) <= FACADES


def test_no_file_names_a_registry() -> None:
    assert found([re.escape(host) for host in HOSTS]) == []


def test_no_file_names_a_place_of_one_machine() -> None:
    assert found(PLACES) == []


def test_no_file_holds_a_secret() -> None:
    assert found(SECRETS) == []


def test_every_text_ends_its_lines_alike() -> None:
    texts = {name_of(path): path.read_bytes() for path in text_files()}

    wrong = [name for name, data in texts.items() if data and (b"\r" in data or not data.endswith(b"\n"))]

    assert wrong == []


def test_no_work_is_left_for_later() -> None:
    later = "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3 + r"\b", "raise Not" + "Implemented" + "Error"))

    assert found([rf"\b(?:{later})"]) == []
