"""Every `pal console` command, put together."""

from pal_console import (
    accounts,
    agents,
    audit,
    bots,
    computers,
    deliveries,
    docs,
    links,
    offers,
    people,
    projects,
    talk,
    tasks,
    usage,
)
from pal_server.client.terminal.typed import new_app, run_app

app = new_app("Administration, directly with the server.")
talk.add_to(app)
app.add_typer(agents.app, name="agents")
app.add_typer(computers.app, name="computers")
app.add_typer(accounts.app, name="accounts")
app.add_typer(deliveries.app, name="deliveries")
app.add_typer(projects.app, name="projects")
app.add_typer(tasks.app, name="tasks")
app.add_typer(docs.app, name="docs")
app.add_typer(people.users, name="users")
app.add_typer(people.tokens, name="tokens")
app.add_typer(links.shares, name="shares")
app.add_typer(links.invites, name="invites")
app.add_typer(audit.app, name="audit")
app.command("usage")(usage.usage)
app.command("quotas")(offers.quotas)
agents.app.command("models")(offers.agent_models)
agents.app.command("commands")(offers.agent_commands)
agents.app.command("equipment")(offers.agent_equipment)
accounts.app.command("models")(offers.account_models)
for _word, _group in bots.apps():
    app.add_typer(_group, name=_word)


def main(argv: list[str]) -> int:
    """Run one `pal console` command; its exit code."""
    return run_app(app, argv, name="pal console")
