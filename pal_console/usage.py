"""`pal console usage`: tokens, money and time of runs, by agent, room, project or day; as a table, JSON or CSV."""

import csv
import sys
import time
from enum import StrEnum
from typing import Annotated, Any

import typer

from pal_console.server_line import After, AsJson, Limit, Server, Token, connect
from pal_server.client.terminal import verbs
from pal_server.client.terminal.exits import WrongUsage
from pal_server.client.terminal.line import Line
from pal_server.client.terminal.output import note, table

COLUMNS = (
    "key",
    "name",
    "runs",
    "failed",
    "input_tokens",
    "output_tokens",
    "with_tokens",
    "cost_usd",
    "with_cost",
    "duration_ms",
)
DAY = 24 * 60 * 60 * 1000  # milliseconds


class By(StrEnum):
    AGENT = "agent"
    ROOM = "room"
    PROJECT = "project"
    DAY = "day"


def usage(
    by: Annotated[By, typer.Option(help="What is added up to one line.")] = By.AGENT,
    agent: Annotated[str | None, typer.Option(metavar="A", help="Only of this agent.")] = None,
    room: Annotated[str | None, typer.Option("--room", "--chat", metavar="R", help="Only in this room.")] = None,
    project: Annotated[str | None, typer.Option(metavar="P", help="Only in rooms of this project.")] = None,
    days: Annotated[int | None, typer.Option(min=1, metavar="N", help="Only the last N days (30).")] = None,
    since: Annotated[int | None, typer.Option(min=0, metavar="MS", help="Only what ended from then on.")] = None,
    until: Annotated[int | None, typer.Option(min=0, metavar="MS", help="Only what ended before.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="All of it as CSV, for a spreadsheet.")] = False,
    after: After = None,
    limit: Limit = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """What runs used: tokens, money, time. Days are those of this computer's clock.

    \b
    Examples:
      pal console usage
      pal console usage --by day --agent codex --days 7
      pal console usage --by project
      pal console usage --by day --csv > usage.csv
    """
    if days is not None and since is not None:
        raise WrongUsage("--days and --since exclude each other. Give one of them")
    if as_csv and as_json:
        raise WrongUsage("--csv and --json exclude each other. Give one of them")
    now = time.time()
    query: dict[str, object] = {
        "by": by.value,
        "agent": agent,
        "room": room,
        "project": project,
        "since": since if days is None else int(now * 1000) - days * DAY,
        "until": until,
        "utc_offset": time.localtime(now).tm_gmtoff // 60,
        "after": after,
        "limit": limit,
    }
    line = connect(server, token)
    if as_csv:
        _write_csv(line, query)
        return
    verbs.show(line.get("/api/usage", **query), as_json=as_json, render=lambda answer: _show(answer, by=by))


def _show(answer: verbs.Answer, *, by: By) -> None:
    rows = [_cells(row, name=row["name"] or "none") for row in answer["usage"]]
    if len(rows) > 1:
        rows.append(_cells(answer["total"], name="all"))
    head = ("RUNS", "FAILED", "TOKENS IN", "TOKENS OUT", "USD", "HOURS")
    table((by.value.upper(), *head), rows, empty="no run has ended in this time")
    total = answer["total"]
    silent = [f"{total['runs'] - total[f'with_{what}']} gave no {what}" for what in ("tokens", "cost")]
    if total["with_tokens"] < total["runs"] or total["with_cost"] < total["runs"]:
        note(f"of {total['runs']} runs {' and '.join(silent)}: the sums are of the others")


def _cells(row: dict[str, Any], *, name: str) -> tuple[object, ...]:
    cost = f"{row['cost_usd']:.2f}" if row["with_cost"] else "-"
    tokens = (f"{row['input_tokens']:,}", f"{row['output_tokens']:,}") if row["with_tokens"] else ("-", "-")
    return (name, row["runs"], row["failed"], *tokens, cost, f"{row['duration_ms'] / 3_600_000:.2f}")


def _write_csv(line: Line, query: dict[str, object]) -> None:
    """Every page of it."""
    sheet = csv.DictWriter(sys.stdout, COLUMNS, extrasaction="ignore", lineterminator="\n")
    sheet.writeheader()
    while True:
        answer = line.get("/api/usage", **query)
        sheet.writerows({**row, "name": _harmless(row["name"])} for row in answer["usage"])
        if answer.get("next") is None:
            return
        query = {**query, "after": answer["next"]}


def _harmless(name: str) -> str:
    """A name that a spreadsheet does not take for a formula."""
    return f"'{name}" if name[:1] in "=+-@" else name
