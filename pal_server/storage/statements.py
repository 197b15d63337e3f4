"""The named statements: `sql/<file>.sql`, and an engine's own variant of one in `sql/<engine>/<file>.sql`.

aiosql reads the files and turns `:name` into the driver's style. The stores then run the statement's text themselves:
aiosql's call wrapper costs a fifth of a send (`docs/performance.md`), and it would hand out driver rows.
"""

import functools
import logging
from pathlib import Path

import aiosql
from aiosql.adapters.pyformat import PyFormatAdapter
from aiosql.utils import SQLLoadException, SQLParseException

from pal_server.storage.tx import EngineName

STATEMENTS = Path(__file__).parent / "sql"


class Statements(dict[str, str]):
    """Statement text by `"file.statement"`, in one engine's parameter style."""

    def __missing__(self, name: str) -> str:
        raise LookupError(f"no statement is named {name!r}")


def load_statements(*folders: Path, engine: EngineName) -> Statements:
    """Read all statements of `folders` for `engine`; an unreadable file or a name given twice is a `ValueError`
    here, not at use.
    """
    # It warns of every statement without a mark for its own call wrapper, which nobody uses here.
    logging.getLogger("aiosql").setLevel(logging.ERROR)
    texts: dict[str, str] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.sql")):
            _add(texts, _load_file(path, engine=engine), path=path)
    for folder in folders:
        for path in sorted((folder / engine).glob("*.sql")):
            texts.update(_load_file(path, engine=engine))
    return Statements(texts)


def _add(texts: dict[str, str], more: dict[str, str], *, path: Path) -> None:
    if twice := texts.keys() & more.keys():
        raise ValueError(f"{path}: already loaded from another folder: {', '.join(sorted(twice))}")
    texts.update(more)


class _Psycopg(PyFormatAdapter):
    """psycopg reads every `%` as the start of a parameter, aiosql's own adapter does not double it."""

    def process_sql(self, query_name, op_type, sql):  # type: ignore[no-untyped-def]  # untyped in aiosql
        return super().process_sql(query_name, op_type, sql.replace("%", "%%"))  # type: ignore[no-untyped-call]


@functools.cache  # for programs that open many stores, one after another
def _load_file(path: Path, *, engine: EngineName) -> dict[str, str]:
    adapter = "sqlite3" if engine == "sqlite" else _Psycopg
    try:
        queries = aiosql.from_path(path, adapter, mandatory_parameters=False, attribute=None)
    except (SQLLoadException, SQLParseException) as exc:
        raise ValueError(f"{path.name}: {exc}") from exc
    texts = {}
    for name in queries.available_queries:
        text = getattr(queries, name).sql
        if not name.endswith("_cursor") or name.removesuffix("_cursor") not in queries.available_queries:
            texts[f"{path.stem}.{name}"] = text.rstrip().rstrip(";")
    return texts
