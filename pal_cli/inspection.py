"""Commands of `pal` itself that load as little as `pal cli` does."""

from pal_cli.light import Group

GROUP = Group(
    name="pal",
    about="",
    entries={
        "why": ("pal_cli.why:WHY", "why a message got no reply"),
        "logs": ("pal_cli.run_output:LOGS", "what a run said and did"),
        "attach": ("pal_cli.run_output:ATTACH", "follow a run live, or use a terminal"),
        "shell": ("pal_cli.terminals:SHELL", "a shell on a computer"),
        "terminal": ("pal_cli.terminals:TERMINAL", "which terminals are open"),
        "mcp": ("pal_cli.mcp_door.command:MCP", "the verbs of pal cli as tools of an agent program"),
        "init": ("pal_cli.init:INIT", "write a .pal.toml"),
        "version": ("pal_cli.version:VERSION", "the version of pal"),
    },
)


def main(argv: list[str]) -> int:
    """Run the command named by the first word; its exit code."""
    return GROUP.run(argv)
