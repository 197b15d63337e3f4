"""Every `pal cli` command: where it is and what it does."""

from pal_cli.light import Group

GROUP = Group(
    name="pal cli",
    about="For people and agents on this computer. It talks to the local daemon (LOCK_DAEMON_URL, PAL_DAEMON_URL).",
    entries={
        "send": ("pal_cli.cli.send:SEND", "say something in a room"),
        "ask": ("pal_cli.cli.asking:ASK", "ask a person, from inside a run"),
        "result": ("pal_cli.cli.asking:RESULT", "report what came of a run"),
        "approve": ("pal_cli.cli.answering:APPROVE", "approve what an agent wants to do"),
        "deny": ("pal_cli.cli.answering:DENY", "deny it, with a reason"),
        "answer": ("pal_cli.cli.answering:ANSWER", "answer an agent's question"),
        "draft": ("pal_cli.cli.answering:DRAFT", "send, revise or drop an answer that is held"),
        "rules list": ("pal_cli.cli.answering:RULES", "standing approvals"),
        "rules revoke": ("pal_cli.cli.answering:REVOKE", "revoke a standing approval"),
        "messages list": ("pal_cli.cli.messages:LIST", "messages, oldest first"),
        "messages show": ("pal_cli.cli.messages:SHOW", "one message"),
        "inbox": ("pal_cli.cli.messages:INBOX", "what an agent was given to read"),
        "listen": ("pal_cli.cli.listening:LISTEN", "print messages as they come"),
        "rooms list": ("pal_cli.cli.rooms:LIST", "rooms you may see"),
        "rooms create": ("pal_cli.cli.rooms:CREATE", "make a room"),
        "rooms members": ("pal_cli.cli.rooms:MEMBERS", "who is in a room"),
        "rooms invite": ("pal_cli.cli.rooms:INVITE", "bring an agent into a room, or change its mode"),
        "rooms set": ("pal_cli.cli.rooms:SET", "change how a room works"),
        "rooms restart-agent": ("pal_cli.cli.rooms:RESTART_AGENT", "restart what an agent is doing in a room"),
        "projects list": ("pal_cli.cli.projects:LIST", "projects you may see"),
        "projects show": ("pal_cli.cli.projects:SHOW", "goal, rules and stack of a project"),
        "topics list": ("pal_cli.cli.rooms:TOPICS", "topics of a room"),
        "topics create": ("pal_cli.cli.rooms:CREATE_TOPIC", "make a topic"),
        "topics rename": ("pal_cli.cli.rooms:RENAME_TOPIC", "name a topic"),
        "topics archive": ("pal_cli.cli.rooms:ARCHIVE_TOPIC", "archive a topic, or open it again"),
        "tasks list": ("pal_cli.cli.tasks:LIST", "tasks by number"),
        "tasks show": ("pal_cli.cli.tasks:SHOW", "where a task stands, and its plan"),
        "tasks add": ("pal_cli.cli.tasks:ADD", "plan a task, or make one of a topic"),
        "tasks start": ("pal_cli.cli.tasks:START", "give a task to its agent"),
        "tasks edit": ("pal_cli.cli.tasks:EDIT", "change a task's plan, archive it"),
        "tasks move": ("pal_cli.cli.tasks:MOVE", "move a task by hand"),
        "tasks done": ("pal_cli.cli.tasks:DONE", "say that a task is done"),
        "tasks block": ("pal_cli.cli.tasks:BLOCK", "let a task wait, with the reason"),
        "tasks verify": ("pal_cli.cli.tasks:VERIFY", "run a task's verification here and report it"),
        "debate start": ("pal_cli.cli.debates:START", "let two agents take turns on a subject"),
        "debate show": ("pal_cli.cli.debates:SHOW", "how far a debate is"),
        "debate stop": ("pal_cli.cli.debates:STOP", "stop a debate midway"),
        "http file": ("pal_cli.cli.files:PUT", "upload a file and get its address"),
        "artifact put": ("pal_cli.cli.files:PUT", "the same"),
        "chats": ("pal_cli.cli.rooms:LIST", "the same as rooms list"),
        "agents": ("pal_cli.cli.running:AGENTS", "agents and where they run"),
        "runs": ("pal_cli.cli.running:RUNS", "runs, newest first"),
        "run-action": ("pal_cli.cli.running:RUN_ACTION", "kill, stop, restart or steer a run"),
        "auth list": ("pal_cli.cli.auth:LIST", "who is logged in on this computer"),
        "auth set": ("pal_cli.cli.auth:SET", "give an account an API key, or its program's own login"),
        "auth clear": ("pal_cli.cli.auth:CLEAR", "forget an account's keys, and log it out"),
        "auth login": ("pal_cli.cli.auth:LOGIN", "run the program's own log-in for an account"),
        "auth shell": ("pal_cli.cli.auth:SHELL", "a shell that is logged in as an account"),
        "queue list": ("pal_cli.cli.queue:LIST", "what waits for agents, in order"),
        "queue first": ("pal_cli.cli.queue:FIRST", "let something that waits come next"),
        "queue merge": ("pal_cli.cli.queue:MERGE", "let one run answer two messages"),
        "queue edit": ("pal_cli.cli.queue:EDIT", "change the words of something that waits"),
        "queue drop": ("pal_cli.cli.queue:DROP", "drop something that waits"),
        "choose": ("pal_cli.cli.running:CHOOSE", "what becomes of an interrupted run's work"),
        "skills list": ("pal_cli.cli.skills:LIST", "what agents are told of pal"),
        "skills show": ("pal_cli.cli.skills:SHOW", "one of these texts"),
        "skills install": ("pal_cli.cli.skills:INSTALL", "put them into the homes of agents"),
        "health": ("pal_cli.cli.running:HEALTH", "how the daemon is"),
    },
    epilog=(
        "Inside a run nothing needs to be named: room, topic and parent are those of the run. "
        "What a run may not do exits 3."
    ),
)


def main(argv: list[str]) -> int:
    """Run one `pal cli` command; its exit code."""
    return GROUP.run(argv)
