"""Statements are all used, migrations are numbered, and both engines have the same ones."""

import re

from pal_server.storage.migrate import MIGRATIONS
from pal_server.storage.statements import STATEMENTS, load_statements
from tests.repo.tree import name_of, sources

USED_BY_NAME_ALONE = ("invariants.",)  # files whose statements are run one after the other, whatever their names


def test_every_statement_is_used() -> None:
    code = "\n".join(path.read_text("utf-8") for path in sources())
    names = set(load_statements(STATEMENTS, engine="sqlite")) | set(load_statements(STATEMENTS, engine="postgres"))

    unused = [name for name in sorted(names) if f'"{name}"' not in code and not name.startswith(USED_BY_NAME_ALONE)]

    assert unused == []


def test_an_engines_own_variant_says_what_forces_it() -> None:
    variants = [path for path in STATEMENTS.rglob("*.sql") if path.parent != STATEMENTS]

    silent = [name_of(path) for path in variants if not re.search(r"^--(?! name:)", path.read_text("utf-8"), re.M)]

    assert variants
    assert silent == []


def test_migrations_are_numbered_alike_on_both_engines() -> None:
    names = {engine: sorted(path.name for path in (MIGRATIONS / engine).glob("*")) for engine in ("sqlite", "postgres")}

    numbers = [int(name[:4]) for name in names["sqlite"]]

    assert names["sqlite"] == names["postgres"]
    assert all(re.fullmatch(r"\d{4}_[a-z_]+\.sql", name) for name in names["sqlite"])
    assert numbers == list(range(1, len(numbers) + 1))


def test_sql_is_in_sql_files_alone() -> None:
    """But for pragmas and what runs before there is a schema, no Python file holds a statement."""
    statement = re.compile(r"\"\s*(?:SELECT .* FROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b")
    lines = [
        f"{name_of(path)}: {line.strip()}"
        for path in sources()
        if not name_of(path).startswith("pal_server/storage/")
        for line in path.read_text("utf-8").splitlines()
        if statement.search(line)
    ]

    assert lines == []
