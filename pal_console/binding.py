"""Flags that bind an agent to bots of chat platforms, for `pal console agents onboard|update`."""

import inspect
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Annotated, Any

import typer

from pal_server.client.terminal.confirm import ask
from pal_server.client.terminal.exits import WrongUsage
from pal_server.client.terminal.line import Line
from pal_server.client.terminal.output import note
from pal_server.contract.platforms import COMMON_OPTIONS, PLATFORMS, PlatformForm

NO_PLATFORM = "none"
PLACES = {"notify_chat": "a chat in which the end of each run is told", "base_url": "another origin than its own"}


def with_bots(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the flags of every platform; what was given is its argument `bots`, a `Bots`."""

    @wraps(command)
    def run(**given: Any) -> None:
        flags = {name: given.pop(name) for name in options}
        command(**given, bots=Bots(flags))

    signature = inspect.signature(command)
    options = _options()
    own = [one for one in signature.parameters.values() if one.name != "bots"]
    kinds = {name: kind for name, (kind, _) in options.items()}
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in options.items()
    ]
    keyword = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own]
    run.__signature__ = signature.replace(parameters=[*keyword, *more])  # type: ignore[attr-defined]  # what Typer reads
    hints = {name: hint for name, hint in command.__annotations__.items() if name != "bots"}
    run.__annotations__ = {**hints, **kinds}
    return run


class Bots:
    """What was said about bots on one command line."""

    def __init__(self, flags: Mapping[str, Any]) -> None:
        self._flags = dict(flags)
        self._made: dict[str, dict[str, str]] = {}  # apps that were made by a link just now

    @property
    def is_given(self) -> bool:
        return bool(self._made) or any(
            value not in (None, False) for name, value in self._flags.items() if name != "no_reload"
        )

    def ask(self) -> None:
        """The questions of `--interactive`; nothing when no platform is wanted."""
        platform = ask("Connect a chat platform", default=NO_PLATFORM, choices=[NO_PLATFORM, *PLATFORMS])
        if platform == NO_PLATFORM:
            return
        form = PLATFORMS[platform]
        if (
            form.is_made_by_link
            and ask("Make the app by a link, or paste its credentials", default="link", choices=["link", "paste"])
            == "link"
        ):
            self._made[platform] = _make_app(platform)
            return
        note(f"How to make the app: pal bridge guide {platform}")
        for name, label, _ in form.credentials:
            self._flags[f"{platform}_{name}"] = self._flags.get(f"{platform}_{name}") or ask(label)

    def carry_out(self, line: Line, *, agent: str) -> None:
        """Bind, move or unbind, for each platform something was said about."""
        for platform, form in PLATFORMS.items():
            if self._flags[f"unbind_{platform}"]:
                free = line.post("/api/bots/unbind", {"agent": agent, "platform": platform})["bots"]
                done = "has no {} bot any more; its credential is kept" if free else "had no {} bot"
                note(f"{agent} {done.format(form.label)}")
            elif (body := self._body(line, platform, form, agent=agent)) is not None:
                saved = line.post("/api/bots", {**body, "agent": agent})
                _tell(saved, form=form, agent=agent)
                if owner := self._made.get(platform, {}).get("owner_open_id"):
                    let_in = {"platform": platform, "external_id": owner, "name": "Owner of the app", "level": "own"}
                    line.post("/api/identities", let_in)
                    note("whoever made the app may talk to it")

    def _body(self, line: Line, platform: str, form: PlatformForm, *, agent: str) -> dict[str, Any] | None:
        """What is to be saved; None when nothing was said about this platform. What a bot has stays where nothing else
        is said.
        """
        flags, made = self._flags, self._made.get(platform, {})
        flags |= {f"{platform}_{name}": value for name, value in made.items() if f"{platform}_{name}" in flags}
        given = {name: flags[f"{platform}_{name}"] for name, _, _ in form.credentials if flags[f"{platform}_{name}"]}
        label = flags[f"{platform}_label"]
        said = {name: flags[f"{platform}_{name}"] for name in (*PLACES, *_options_of(form))}
        said = {name: value for name, value in said.items() if value is not None}
        rebind = flags[f"rebind_{platform}"]
        if not (given or label or said or rebind):
            return None
        if rebind and not given:
            raise WrongUsage(f"which {form.label} bot? Give its credentials")
        needs_bot = not given or bool(said.keys() - PLACES.keys())
        known = _bot_of(line, platform, agent=agent, app_id=given.get(form.app)) if needs_bot else {}
        if not given and not known:
            raise WrongUsage(f"{agent} has no {form.label} bot: give its credentials")
        app_id = given.get(form.app) or (None if given else known["app_id"])
        secret = {name: value for name, value in given.items() if name != form.app}
        missing = [name for name, _, _ in form.credentials if name not in given] if given else []
        if missing and (secret or app_id is None):
            raise WrongUsage(f"--{platform}-{missing[0].replace('_', '-')} is missing")
        body: dict[str, Any] = {"platform": platform, "rebind": rebind}
        body |= {} if app_id is None else {"app_id": app_id}
        body |= {"credentials": given} if secret else {}
        body |= {} if label is None else {"label": label}
        body |= {name: said[name] or None for name in PLACES if name in said}
        if options := {name: value for name, value in said.items() if name not in PLACES}:
            merged = {**known.get("options", {}), **options}
            body["options"] = {name: value for name, value in merged.items() if value}
        return body | {"reload": not flags["no_reload"]}


def _options_of(form: PlatformForm) -> dict[str, str]:
    return dict((*COMMON_OPTIONS, *form.options))


def _bot_of(line: Line, platform: str, *, agent: str, app_id: str | None) -> dict[str, Any]:
    """The bot of that app, or the one the agent has; empty when there is none."""
    bots: list[dict[str, Any]] = line.get("/api/bots", platform=platform, limit=200)["bots"]
    return next((bot for bot in bots if (bot["app_id"] == app_id if app_id else bot["agent"] == agent)), {})


def _make_app(platform: str) -> dict[str, str]:
    """By a process of its own, which loads the platform's SDK and shows the link."""
    done = subprocess.run(
        [sys.executable, "-m", "pal_server.bridges.creating", platform, "pal"], stdout=subprocess.PIPE, check=False
    )
    if done.returncode:
        raise WrongUsage("no app was made. Make one by hand and give its credentials")
    made: dict[str, str] = json.loads(done.stdout)
    return made


def _tell(saved: dict[str, Any], *, form: PlatformForm, agent: str) -> None:
    bot = saved["bot"]
    for finding in saved["findings"]:
        if not finding["ok"]:
            note(f"{finding['what']}: {finding['text']} {finding.get('advice') or ''}".rstrip())
    if bot["waits_for_reload"]:
        note(f"saved; POST /api/{bot['platform']}/reload, or pal console {bot['platform']} reload, puts it to work")
    else:
        note(f"{agent} is {bot['name'] or bot['app_id']} on {form.label} now")


def _options() -> dict[str, tuple[Any, Any]]:
    """Name of the parameter → (its type with the flag, its default)."""
    made: dict[str, tuple[Any, Any]] = {}
    for platform, form in PLATFORMS.items():
        texts = {name: f"{form.label}: {label}." for name, label, _ in form.credentials}
        texts |= {name: f"{form.label}: {about}; '' for none." for name, about in (PLACES | _options_of(form)).items()}
        for name, text in texts.items():
            flag = f"--{platform}-{name.replace('_', '-')}"
            made[f"{platform}_{name}"] = (Annotated[str | None, typer.Option(flag, metavar="TEXT", help=text)], None)
        label_kind = Annotated[
            str | None, typer.Option(f"--{platform}-label", metavar="NAME", help=f"A name for the {form.label} bot.")
        ]
        rebind = Annotated[bool, typer.Option(f"--rebind-{platform}", help=f"Move the {form.label} bot, or the agent.")]
        unbind = Annotated[
            bool, typer.Option(f"--unbind-{platform}", help=f"End its {form.label} binding, keep the credential.")
        ]
        made[f"{platform}_label"] = (label_kind, None)
        made[f"rebind_{platform}"] = (rebind, False)
        made[f"unbind_{platform}"] = (unbind, False)
    no_reload = Annotated[bool, typer.Option("--no-reload", help="Save the bot's change; a reload puts it to work.")]
    made["no_reload"] = (no_reload, False)
    return made
