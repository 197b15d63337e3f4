"""What `pal doctor lark|slack|dingtalk` looks at: every bot of a platform, by real round trips of the server's."""

from typing import Literal, TypeAlias

from pal_cli.diagnosis import Check
from pal_server.client.resolve import server_place
from pal_server.client.terminal.exits import WrongUsage
from pal_server.client.terminal.line import Line
from pal_server.contract.platforms import PLATFORMS

State: TypeAlias = Literal["ok", "warn", "fail"]

_STATES: dict[str, State] = {"listening": "ok", "error": "fail"}


def diagnose_bots(platform: str, *, server: str | None, token: str | None) -> list[Check]:
    """One check for each bot's standing, and those the platform's own rules ask for."""
    if platform not in PLATFORMS:
        raise WrongUsage(f"there is no platform {platform}. There are {', '.join(PLATFORMS)}")
    line = Line(place=server_place(server=server, token=token), party="server")
    bots = line.get("/api/bots", platform=platform, limit=200)["bots"]
    if not bots:
        remedy = f"pal bridge guide {platform}"
        return [Check(name=platform, state="warn", text="there is no bot yet", remedy=remedy)]
    checks = []
    for bot in bots:
        checks.append(_standing(bot))
        for finding in line.post(f"/api/bots/{bot['id']}/check")["findings"]:
            remedy = "" if finding["ok"] else str(finding.get("advice") or "")
            state: State = "ok" if finding["ok"] else "fail"
            checks.append(Check(name=finding["what"], state=state, text=finding["text"], remedy=remedy))
    people = line.get("/api/identities", platform=platform, standing="allowed", limit=1)["identities"]
    return checks if people else [*checks, _nobody(platform)]


def _nobody(platform: str) -> Check:
    remedy = f"pal console {platform}-users list --asked, then pal console {platform}-users add --user-id ID"
    return Check(name="people", state="warn", text="nobody may use the bots yet", remedy=remedy)


def _standing(bot: dict[str, object]) -> Check:
    state = _STATES.get(str(bot["state"]), "warn")
    said = f": {bot['error']}" if bot["error"] else ""
    return Check(name=str(bot["app_id"])[:10], state=state, text=f"{bot['state']}{said}", remedy="")
