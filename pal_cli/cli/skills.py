"""`pal cli skills …`: what agents are told of pal, and how it gets into their homes."""

import argparse
import re
from pathlib import Path
from typing import Any

from pal_cli import shipped_skills
from pal_cli.cli.daemon_line import connect, connection_flags, run_variable
from pal_cli.light import Command
from pal_cli.shipped_skills import Copy, Skill
from pal_server.client.resolve import pal_home
from pal_server.client.terminal.exits import WrongUsage
from pal_server.client.terminal.line import segment
from pal_server.client.terminal.output import note, say, say_json, table

AGENT_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")  # those that get a home of their own


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def _list(args: argparse.Namespace) -> None:
    skills = shipped_skills.shipped()
    if args.json:
        say_json({"skills": [{"name": skill.name, "description": skill.description} for skill in skills]})
    else:
        table(("skill", "when to use it"), [(skill.name, skill.description) for skill in skills], empty="none")


def _show_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the skill's name")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def _show(args: argparse.Namespace) -> None:
    skill = _named(args.name)
    if args.json:
        say_json({"skill": {"name": skill.name, "description": skill.description, "text": skill.text}})
    else:
        say(skill.text.rstrip("\n"))


def _install_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="which skills (all)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--to", metavar="DIR", help="a folder an agent works in, or your own home")
    where.add_argument("--agent", metavar="A", help="the home of one agent on this computer (of all of them)")
    parser.add_argument("--yes", action="store_true", help="replace files that were changed")
    connection_flags(parser)


def _install(args: argparse.Namespace) -> None:
    skills = [_named(name) for name in args.names] or shipped_skills.shipped()
    copies = list(shipped_skills.copies(skills, homes=_homes(args)))
    changed = [copy for copy in copies if copy.state == "changed"]
    if changed:
        _ask_for(changed, yes=args.yes)
    for copy in copies:
        if copy.state != "current":
            shipped_skills.write(copy)
    if args.json:
        say_json({"skills": [_told(copy) for copy in copies]})
        return
    for copy in copies:
        say(f"{copy.path} {'was there' if copy.state == 'current' else 'is written'}")


def _ask_for(changed: list[Copy], *, yes: bool) -> None:
    from pal_server.client.terminal.confirm import confirm

    for copy in changed:
        note(f"{copy.path} was changed by somebody")
    confirm(f"replace {len(changed)} changed file{'s' if len(changed) > 1 else ''}", yes=yes)


def _homes(args: argparse.Namespace) -> list[Path]:
    if args.to is not None:
        folder = Path(args.to).expanduser()
        if not folder.is_dir():
            raise WrongUsage(f"--to {args.to} is no folder. Name the one an agent works in, or your home")
        return [folder]
    if args.agent is not None:
        return [_home_of(args.agent)]
    if run_variable("PAL_RUN_ID"):
        raise WrongUsage("inside a run say where: --to . is the folder you work in")
    return _homes_here(args)


def _homes_here(args: argparse.Namespace) -> list[Path]:
    """The homes of this computer's agents; one that works in a folder of somebody's project is only named."""
    line = connect(args)
    homes = []
    for key in line.get("/health")["agents"]:
        folder = line.get(f"/api/agents/{segment(key)}")["agent"]["cwd"]
        if folder is None and AGENT_KEY.fullmatch(key):
            homes.append(_home_of(key))
        else:
            note(f"{key} works in {folder}, which is left alone: --to {folder} puts them there")
    if not homes:
        raise WrongUsage("no agent of this computer has a home of its own. Say where: --to DIR")
    return homes


def _home_of(agent: str) -> Path:
    """Where the daemon of this `PAL_HOME` lets an agent work that has no other folder; it may not be there yet."""
    if not AGENT_KEY.fullmatch(agent):
        raise WrongUsage(f"{agent!r} is no agent's key. `pal cli agents` lists them")
    return pal_home().absolute() / "agents" / agent


def _named(name: str) -> Skill:
    skill = shipped_skills.shipped_skill(name)
    if skill is None:
        known = ", ".join(one.name for one in shipped_skills.shipped())
        raise WrongUsage(f"there is no skill {name!r}. There are {known}")
    return skill


def _told(copy: Copy) -> dict[str, Any]:
    return {"skill": copy.skill.name, "path": str(copy.path), "was": copy.state}


LIST = Command(
    about="List the skills that come with pal: texts that tell an agent how to use it.",
    examples=("pal cli skills list", "pal cli skills list --json"),
    arguments=_list_arguments,
    run=_list,
)
SHOW = Command(
    about="Show one skill.",
    examples=("pal cli skills show room",),
    arguments=_show_arguments,
    run=_show,
)
INSTALL = Command(
    about=(
        "Put skills where agent programs look for them: below .agents/skills and .claude/skills of the homes of this\n"
        "computer's agents, or of a folder. Said again after an upgrade, it brings the new texts; a file that\n"
        "somebody has changed is replaced only with --yes."
    ),
    examples=(
        "pal cli skills install",
        "pal cli skills install --agent claude-code",
        "pal cli skills install --to ~/src/shop",
        "pal cli skills install room delegate --to . --yes",
    ),
    arguments=_install_arguments,
    run=_install,
)
