"""`python -m tests.bench [--only NAME] [--quick] [--json]`: measure, show a table, keep the figures in `.bench/`."""

import argparse
import json
import platform
import sys
import tempfile
import time
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.figure import Bench, Figure, Seen

KEPT = Path(__file__).parents[2] / ".bench"
MODULES = (
    "sends",
    "group_commit",
    "scale",
    "start",
    "watchers",
    "run_events",
    "streams",
    "hearing",
    "searching",
    "topic_tail",
    "folders",
    "command_line",
    "memory",
    "restart",
    "lark",
    "chats",
    "bridges",
    "workbench",
)


def main(argv: list[str] | None = None) -> int:
    """Exit code 0 when every figure measured is met, 1 when not, 2 for wrong usage."""
    flags = _parser().parse_args(argv)
    chosen = [name for name in MODULES if not flags.only or _is_chosen(name, flags.only)]
    if not chosen:
        sys.stderr.write(f"there is no figure {', '.join(flags.only)}; there are: {', '.join(_names())}\n")
        return 2
    console = Console(stderr=True)
    seen: list[Seen] = []
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="pal-bench-") as folder:
        bench = _bench(Path(folder), is_quick=flags.quick, console=console)
        for name in chosen:
            console.print(f"[bold]{name}[/bold]")
            try:
                seen += import_module(f"tests.bench.figures.{name}").measure(bench)
            except Exception as error:  # an edge: the other figures are worth measuring all the same
                console.print_exception()
                failed[name] = f"{type(error).__name__}: {error}"
    kept = _keep(seen, failed, is_quick=flags.quick)
    if flags.json:
        sys.stdout.write(json.dumps(kept, indent=2) + "\n")
    else:
        _show(seen, failed)
    return 0 if not failed and all(one.is_met for one in seen) else 1


def figures() -> list[Figure]:
    """Every figure there is."""
    return [figure for name in MODULES for figure in import_module(f"tests.bench.figures.{name}").FIGURES]


def _bench(folder: Path, *, is_quick: bool, console: Console) -> Bench:
    def note(text: str) -> None:
        console.print(f"  {text}", style="dim", highlight=False)

    @cache
    def many() -> Path:
        from tests.bench.many import build

        number = 100_000 if is_quick else 1_000_000
        begun = time.perf_counter()
        path = build(folder / "many", number=number)
        note(f"built a database with {number:,} messages in {time.perf_counter() - begun:.0f} s")
        return path

    return Bench(folder=folder, is_quick=is_quick, many=many, note=note)


def _show(seen: Iterable[Seen], failed: dict[str, str]) -> None:
    table = Table(title="pal: what it costs", show_lines=True)
    for heading in ("figure", "value", "limit", "of the limit", "verdict", "seen with it"):
        table.add_column(heading, justify="right" if heading in ("value", "limit", "of the limit") else "left")
    for one in seen:
        figure = one.figure
        table.add_row(
            f"[bold]{figure.name}[/bold]\n{figure.what}",
            _number(one.value, figure.unit),
            f"{'≥' if figure.is_least else '≤'} {_number(figure.limit, figure.unit)}",
            f"{figure.ratio(one.value):.2f}",
            "[green]met[/green]" if one.is_met else "[bold red]not met[/bold red]",
            "\n".join(
                f"{name} {value:,}" if not isinstance(value, str) else f"{name} {value}"
                for name, value in one.facts.items()
            ),
        )
    for name, error in failed.items():
        table.add_row(f"[bold]{name}[/bold]", "", "", "", "[bold red]not measured[/bold red]", error)
    console = Console()
    console.print(table)
    console.print(
        "Ratios within one run, measured in turns; absolute figures are this machine's, with whatever else it did."
    )


def _keep(seen: Iterable[Seen], failed: dict[str, str], *, is_quick: bool) -> dict[str, Any]:
    kept: dict[str, Any] = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "quick": is_quick,
        "python": platform.python_version(),
        "figures": [
            {
                "name": one.figure.name,
                "what": one.figure.what,
                "value": round(one.value, 3),
                "unit": one.figure.unit,
                "limit": one.figure.limit,
                "least": one.figure.is_least,
                "ratio": round(one.figure.ratio(one.value), 3),
                "met": one.is_met,
                "seen": one.facts,
            }
            for one in seen
        ],
        "failed": failed,
    }
    KEPT.mkdir(exist_ok=True)
    (KEPT / f"{kept['at'].replace(':', '')}.json").write_text(json.dumps(kept, indent=2) + "\n")
    return kept


def _is_chosen(module: str, only: list[str]) -> bool:
    promised: tuple[Figure, ...] = import_module(f"tests.bench.figures.{module}").FIGURES
    names = {module, module.replace("_", "-"), *(figure.name for figure in promised)}
    return bool(names & set(only))


def _names() -> list[str]:
    return [name.replace("_", "-") for name in MODULES]


def _number(value: float, unit: str) -> str:
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=(__doc__ or "").partition(":")[2])
    parser.add_argument("--only", action="append", metavar="NAME", help="this figure, or all of this file; repeatable")
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows and less time; for a first look")
    parser.add_argument("--json", action="store_true", help="print what is kept in .bench/ instead of a table")
    return parser


if __name__ == "__main__":
    sys.exit(main())
