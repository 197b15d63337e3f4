"""An ACP agent with one odd habit, named by its argument. Standard library only."""

import json
import signal
import sys
import time

OPTIONS = [
    {"optionId": "yes", "name": "Yes", "kind": "allow_once"},
    {"optionId": "no", "name": "No", "kind": "reject_once"},
]
PERMISSION = {
    "id": 0,
    "method": "session/request_permission",
    "params": {"toolCall": {"toolCallId": "c", "title": "touch it", "kind": "execute"}, "options": OPTIONS},
}


def write(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def say(**said: object) -> None:
    write(json.dumps({"jsonrpc": "2.0", **said}))


def update(_sort: str, **more: object) -> None:
    say(method="session/update", params={"sessionId": "s", "update": {"sessionUpdate": _sort, **more}})


def chunk(text: str) -> None:
    update("agent_message_chunk", content={"type": "text", "text": text})


def hear() -> dict:
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    return json.loads(line)


def turn(habit: str, id: int) -> None:
    """One prompt, in the manner of its habit."""
    if habit == "silent-death":
        sys.exit(0)
    if habit == "noise":
        write("(node:1) Warning: this is no JSON\n{\n[1]\nnull")
        say(method="_vendor/news", params={"x": 1})
        say(id=7, result="to a question nobody asked")
    if habit == "unstorable":
        chunk("half \ud800 of a pair")
        update(
            "tool_call", toolCallId="t", title="count\0", kind="execute", rawInput={"n\0": [10**30, -(10**30), True]}
        )
        update("usage_update", used=10**30, size=5)
        chunk("a NUL \0, done")
        say(id=id, result={"stopReason": "end_turn", "usage": {"inputTokens": 10**25, "outputTokens": -4}})
        return
    if habit == "talks-on":
        for line in range(60):
            chunk(f"{line} {'words ' * 10_000}\n")
    if habit == "asks-twice":
        say(**PERMISSION)
        say(**PERMISSION)
        chunk(hear()["result"]["outcome"]["optionId"])
    chunk(" done")
    say(id=id, result={"stopReason": "end_turn"})
    if habit == "twice-over":
        say(id=id, result={"stopReason": "end_turn"})
        chunk(" and more")
    if habit == "stays":
        while True:
            time.sleep(1)
    if habit == "bad-exit":
        sys.stdin.read()
        sys.exit(3)


def main() -> None:
    habit = sys.argv[1]
    if habit == "stays":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        said = hear()
        match said.get("method"):
            case "initialize":
                say(id=said["id"], result={"protocolVersion": 1, "agentInfo": {"name": "odd", "version": "1.0"}})
            case "session/new":
                say(id=said["id"], result={"sessionId": "s"})
            case "session/prompt":
                turn(habit, said["id"])


main()
