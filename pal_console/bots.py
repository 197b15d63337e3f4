"""`pal console lark …`, `lark-users …` and their twins: bots of a chat platform, and who may use them."""

import os
import sys
from typing import Annotated, Any

import typer

from pal_console.server_line import After, AsJson, Limit, Server, Token, Yes, connect
from pal_server.client.terminal import verbs
from pal_server.client.terminal.confirm import confirm
from pal_server.client.terminal.exits import WrongUsage
from pal_server.client.terminal.line import without_nothing
from pal_server.client.terminal.output import say, table, when
from pal_server.client.terminal.typed import new_app
from pal_server.contract.platforms import PLATFORMS, PlatformForm

Allowed = Annotated[bool, typer.Option("--allow/--deny", help="Whether the person may use the bots.")]
Level = Annotated[
    str | None, typer.Option("--level", metavar="L", help="talk, operate (stop, approve, retry) or own (models too).")
]
Quota = Annotated[int | None, typer.Option("--quota", min=1, metavar="N", help="Messages an hour.")]
UserId = Annotated[str, typer.Option("--user-id", metavar="ID", help="The person's id on the platform.")]
PalUser = Annotated[
    str | None,
    typer.Option("--user", metavar="NAME", help="The user of pal this is, with that one's rights; '' for none."),
]
Name = Annotated[str | None, typer.Option("--name", metavar="TEXT", help="The name people see.")]


def apps() -> list[tuple[str, typer.Typer]]:
    """The groups of every platform, by the word they have."""
    made = []
    for platform, form in PLATFORMS.items():
        made.append((platform, _bots(platform, form)))
        made.append((f"{platform}-users", _people(platform, form)))
    return made


def _bots(platform: str, form: PlatformForm) -> typer.Typer:
    app = new_app(f"{form.label} bots.")

    def list_bots(
        after: After = None, limit: Limit = None, as_json: AsJson = False, server: Server = None, token: Token = None
    ) -> None:
        answer = connect(server, token).get("/api/bots", platform=platform, after=after, limit=limit)
        verbs.show(answer, as_json=as_json, render=_show_bots)

    def events(
        after: After = None, limit: Limit = None, as_json: AsJson = False, server: Server = None, token: Token = None
    ) -> None:
        answer = connect(server, token).get("/api/platform-events", platform=platform, after=after, limit=limit or 20)
        verbs.show(answer, as_json=as_json, render=_show_events)

    def posts(
        state: Annotated[str | None, typer.Option("--state", metavar="S", help="failed, doubtful, pending …")] = None,
        after: After = None,
        limit: Limit = None,
        as_json: AsJson = False,
        server: Server = None,
        token: Token = None,
    ) -> None:
        line = connect(server, token)
        answer = line.get("/api/posts", platform=platform, state=state, after=after, limit=limit)
        verbs.show(answer, as_json=as_json, render=_show_posts)

    def retry(
        id: Annotated[int, typer.Argument(metavar="ID", help="The failed post.")],
        as_json: AsJson = False,
        server: Server = None,
        token: Token = None,
    ) -> None:
        answer = connect(server, token).post(f"/api/posts/{id}/retry", {})
        verbs.show(answer, as_json=as_json, render=lambda _: say(f"post {id} is tried again"))

    def send(
        text: Annotated[str, typer.Argument(metavar="TEXT", help="What to say; - reads standard input.")],
        app_id: Annotated[str, typer.Option("--app-id", metavar="ID", help="The app of the bot.")],
        to: Annotated[str, typer.Option("--to", metavar="ID", help="Who or where.")],
        to_type: Annotated[
            str, typer.Option("--to-type", metavar="T", help=f"What --to is: {', '.join(form.receivers)}.")
        ] = next(iter(form.receivers)),
        as_json: AsJson = False,
        server: Server = None,
        token: Token = None,
    ) -> None:
        if to_type not in form.receivers:
            raise WrongUsage(f"--to-type is one of {', '.join(form.receivers)}")
        words = sys.stdin.read() if text == "-" else text
        body = {"platform": platform, "app_id": app_id, "to": form.receivers[to_type] + to, "text": words}
        answer = connect(server, token).post("/api/posts", body)
        verbs.show(answer, as_json=as_json, render=lambda made: say(f"post {made['post']['id']} is on its way"))

    def reload(as_json: AsJson = False, server: Server = None, token: Token = None) -> None:
        answer = connect(server, token).post(f"/api/{platform}/reload", {})
        verbs.show(answer, as_json=as_json, render=_show_bots)

    def let_go(
        app_id: Annotated[str, typer.Option("--app-id", metavar="ID", help="The app of the bot.")],
        yes: Yes = False,
        as_json: AsJson = False,
        server: Server = None,
        token: Token = None,
    ) -> None:
        confirm(f"drop the credential of {app_id}", yes=yes)
        line = connect(server, token)
        bots = line.get("/api/bots", platform=platform, limit=200)["bots"]
        bot = next((bot for bot in bots if bot["app_id"] == app_id), None)
        if bot is None:
            raise WrongUsage(f"there is no {form.label} bot of the app {app_id}")
        answer = line.post(f"/api/bots/{bot['id']}/forget", {})
        verbs.show(answer, as_json=as_json, render=lambda _: say(f"{app_id} is forgotten"))

    def daemon(server: Server = None, token: Token = None) -> None:
        words = [sys.executable, "-m", "pal_server.bridges.run", "run", platform]
        words += [] if server is None else ["--server", server]
        os.execve(words[0], words, os.environ | ({} if token is None else {"PAL_TOKEN": token}))

    example = f"pal console {platform}"
    _add(app, "list", list_bots, "List bots, how they stand and when they last heard from the platform.", example)
    _add(app, "events", events, "Show what the platform told last, in its own words.", f"{example} events --limit 20")
    _add(app, "posts", posts, "Show what was sent to the platform, and what became of it.", f"{example} posts")
    _add(app, "retry", retry, "Try a failed post once more.", f"{example} retry 12")
    _add(app, "send", send, "Say something through a bot.", f'{example} send --app-id ID --to ID "Hello"')
    _add(app, "reload", reload, "Apply what was saved or stands in the file, all or nothing.", f"{example} reload")
    _add(
        app, "daemon", daemon, f"Hold the bots in the foreground: the older name of pal bridge run {platform}.", example
    )
    _add(app, "forget", let_go, "Unbind a bot and drop its credential.", f"{example} forget --app-id ID --yes")
    return app


def _people(platform: str, form: PlatformForm) -> typer.Typer:
    app = new_app(f"Who may use the {form.label} bots, by {form.person}.")

    def list_people(
        asked: Annotated[bool, typer.Option("--asked", help="Those who were refused and may be let in.")] = False,
        after: After = None,
        limit: Limit = None,
        as_json: AsJson = False,
        server: Server = None,
        token: Token = None,
    ) -> None:
        standing = "asked" if asked else None
        line = connect(server, token)
        answer = line.get("/api/identities", platform=platform, standing=standing, after=after, limit=limit)
        verbs.show(answer, as_json=as_json, render=_show_people)

    def add(
        user_id: UserId,
        name: Name = None,
        allowed: Allowed = True,
        level: Level = None,
        quota: Quota = None,
        user: PalUser = None,
        as_json: AsJson = False,
        server: Server = None,
        token: Token = None,
    ) -> None:
        body = {"platform": platform, "external_id": user_id, "name": name, "level": level, "quota": quota}
        said = {**without_nothing(body), "allowed": allowed} | ({} if user is None else {"user": user or None})
        answer = connect(server, token).post("/api/identities", said)
        verbs.show(answer, as_json=as_json, render=lambda made: _show_people({"identities": [made["identity"]]}))

    def delete(user_id: UserId, as_json: AsJson = False, server: Server = None, token: Token = None) -> None:
        body = {"platform": platform, "external_id": user_id}
        answer = connect(server, token).post("/api/identities/remove", body)
        verbs.show(answer, as_json=as_json, render=lambda _: say(f"{user_id} is a stranger from now on"))

    example = f"pal console {platform}-users"
    _add(app, "list", list_people, "List who may use the bots, and who may not.", f"{example} list")
    _add(app, "add", add, "Let somebody use the bots, or change how.", f'{example} add --user-id ID --name "Ann"')
    _add(app, "delete", delete, "Forget somebody: a stranger from then on.", f"{example} delete --user-id ID")
    return app


def _add(app: typer.Typer, word: str, run: Any, about: str, example: str) -> None:
    shown = example if word in example.split() else f"{example} {word}"
    run.__doc__ = f"{about}\n\n    \b\n    Examples:\n      {shown}\n    "
    app.command(word)(run)


def _show_bots(answer: verbs.Answer) -> None:
    rows = [
        (bot["app_id"], bot["label"] or bot["name"], bot["agent"] or "", _state(bot), when(bot["heard_at"]))
        for bot in answer["bots"]
    ]
    table(("app", "name", "agent", "state", "last heard"), rows, empty="no bots yet")
    for bot in answer["bots"]:
        if bot["error"]:
            say(f"{bot['app_id']}: {bot['error']}")


def _state(bot: dict[str, Any]) -> str:
    return f"{bot['state']}, saved changes wait for a reload" if bot["waits_for_reload"] else str(bot["state"])


def _show_people(answer: verbs.Answer) -> None:
    rows = [
        (one["external_id"], one["name"], one["user"] or "", one["standing"], one["level"], str(one["quota"] or ""))
        for one in answer["identities"]
    ]
    table(("id", "name", "user", "standing", "level", "an hour"), rows, empty="nobody is let in yet")


def _show_events(answer: verbs.Answer) -> None:
    rows = [
        (when(one["received_at"]), one["app_id"], one["kind"], one["person"], one["outcome"], one["raw"][:80])
        for one in answer["events"]
    ]
    table(("at", "app", "kind", "who", "outcome", "as it came"), rows, empty="nothing was told yet")


def _show_posts(answer: verbs.Answer) -> None:
    rows = [
        (str(one["id"]), when(one["updated_at"]), one["purpose"], one["chat"], one["state"], one["error"] or "")
        for one in answer["posts"]
    ]
    table(("id", "at", "what", "chat", "state", "why"), rows, empty="nothing was sent yet")
