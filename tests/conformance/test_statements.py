"""Every statement the code names is there and gets its parameters: read from the source, so that none fails at
use.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import pal_server.storage
from pal_server.storage.statements import STATEMENTS, load_statements

SOURCES = Path(pal_server.storage.__file__).parent.parent
VERBS = {"one", "all", "run", "many"}
ENGINES = ("sqlite", "postgres")
PARAMETER = {"sqlite": r"(?<!:):(\w+)", "postgres": r"%\((\w+)\)s"}


def calls() -> Iterator[tuple[str, str, set[str] | None]]:
    """(place, statement, names of the parameters given or None when they cannot be read) of each call with a
    literal name.
    """
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in VERBS):
                continue
            if not node.args or not isinstance(node.args[0], ast.Constant) or not isinstance(node.args[0].value, str):
                continue
            if re.fullmatch(r"\w+\.\w+", node.args[0].value):
                given = {keyword.arg for keyword in node.keywords if keyword.arg is not None}
                readable = len(given) == len(node.keywords) and len(node.args) == 1
                yield f"{path.name}:{node.lineno}", node.args[0].value, given if readable else None


@pytest.mark.parametrize("engine", ENGINES)
def test_every_statement_the_code_names_is_there(engine: str) -> None:
    statements = load_statements(STATEMENTS, engine="sqlite" if engine == "sqlite" else "postgres")

    missing = [f"{place}: {name}" for place, name, _ in calls() if name not in statements]

    assert missing == []


@pytest.mark.parametrize("engine", ENGINES)
def test_every_statement_gets_exactly_its_parameters(engine: str) -> None:
    statements = load_statements(STATEMENTS, engine="sqlite" if engine == "sqlite" else "postgres")

    wrong = []
    for place, name, given in calls():
        text = re.sub(r"'[^']*'", "", statements.get(name, ""))
        wanted = set(re.findall(PARAMETER[engine], text))
        if given is not None and name in statements and given != wanted:
            wrong.append(f"{place}: {name}: {sorted(given ^ wanted)}")

    assert wrong == []


def test_a_missing_name_says_which() -> None:
    with pytest.raises(LookupError, match=r"here\.nothing"):
        load_statements(STATEMENTS, engine="sqlite")["here.nothing"]


def test_a_name_given_twice_is_refused(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.sql").write_text("-- name: get()\nSELECT 1;\n")

    with pytest.raises(ValueError, match=r"same\.get"):
        load_statements(tmp_path / "one", tmp_path / "two", engine="sqlite")


def test_an_engine_has_its_own_variant(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "some.sql").write_text("-- name: get(x)\nSELECT :x;\n\n-- name: like(x)\nSELECT :x LIKE '%';\n")
    (tmp_path / "postgres" / "some.sql").write_text("-- name: get(x)\nSELECT CAST(:x AS TEXT);\n")

    here, there = (load_statements(tmp_path, engine=engine) for engine in ("sqlite", "postgres"))

    assert (here["some.get"], there["some.get"]) == ("SELECT :x", "SELECT CAST(%(x)s AS TEXT)")
    assert (here["some.like"], there["some.like"]) == ("SELECT :x LIKE '%'", "SELECT %(x)s LIKE '%%'")
