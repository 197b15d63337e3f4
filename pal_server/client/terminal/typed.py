"""Running a Typer application as one part of `pal`."""

import typer


def new_app(help: str, *, no_args_is_help: bool = True) -> typer.Typer:
    """An application in the style of all parts: plain help, no completion to install, our own failures at the edge."""
    return typer.Typer(
        help=help,
        add_completion=False,
        no_args_is_help=no_args_is_help,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def run_app(app: typer.Typer, argv: list[str], *, name: str) -> int:
    """Run it; its exit code. Wrong usage was told by Typer and is 2; other failures pass through."""
    try:
        app(args=argv, prog_name=name)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
