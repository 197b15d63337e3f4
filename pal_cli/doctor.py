"""`pal doctor`: look at everything a new user gets wrong, and say what to do about it."""

from typing import Annotated

import typer

from pal_server.client.terminal.exits import BUG
from pal_server.client.terminal.output import say, say_json
from pal_server.client.terminal.typed import new_app, run_app

_SIGNS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}

app = new_app("", no_args_is_help=False)


@app.command()
def doctor(
    platform: Annotated[
        str | None, typer.Argument(metavar="[PLATFORM]", help="lark, slack or dingtalk: look at its bots instead.")
    ] = None,
    as_json: bool = typer.Option(False, "--json", help="One JSON document on stdout."),
    server: str | None = typer.Option(None, "--server", metavar="URL", help="The server to look at."),
    token: str | None = typer.Option(None, "--token", metavar="T", help="A token for it."),
) -> None:
    """Find what is wrong with this set-up. Changes nothing. Exits 1 when something has to be done.

    \b
    Examples:
      pal doctor
      pal doctor --json
      pal doctor lark
      pal doctor --server https://pal.example.org
    """
    from pal_cli.bot_diagnosis import diagnose_bots
    from pal_cli.diagnosis import diagnose

    if platform is None:
        checks = diagnose(server=server, token=token)
    else:
        checks = diagnose_bots(platform, server=server, token=token)
    is_well = all(check.state != "fail" for check in checks)
    if as_json:
        say_json({"ok": is_well, "checks": [check.as_json() for check in checks]})
    else:
        for check in checks:
            say(f"{_SIGNS[check.state]}  {check.name:10}  {check.text}")
            if check.remedy:
                say(f"{'':16}→ {check.remedy}")
    if not is_well:
        raise typer.Exit(BUG)


def main(argv: list[str]) -> int:
    """Run `pal doctor`; its exit code."""
    return run_app(app, argv, name="pal doctor")
