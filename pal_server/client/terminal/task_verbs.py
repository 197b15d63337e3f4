"""What `pal cli tasks` and `pal console tasks` do: one call each, and `verify`, which runs a command here."""

import os
import select
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from pal_server.client.terminal import shown_tasks, verbs
from pal_server.client.terminal.confirm import confirm
from pal_server.client.terminal.exits import WrongUsage
from pal_server.client.terminal.line import Line, segment, without_nothing
from pal_server.client.terminal.output import note, say
from pal_server.client.terminal.sending import new_client_id, until_answered

STATUSES = ("backlog", "ready", "in_progress", "waiting", "review", "done", "failed", "cancelled")
CLEARABLE: dict[str, object] = {
    "body": "",
    "acceptance": [],
    "verification": "",
    "paths": [],
    "references": [],
    "owner": None,
    "agent": None,
    "depends_on": [],
    "result": None,
}
KEPT = 65_536  # bytes of a verification's output; the server keeps the end of it
_LOOKED_AFTER = 0.1  # seconds between two looks whether the shell has ended
FAILED = 1  # the exit code when it did not pass


def show(line: Line, task: str, *, project: str | None, as_json: bool) -> None:
    answer = line.get(f"/api/tasks/{segment(task)}", project=project)
    verbs.show(answer, as_json=as_json, render=shown_tasks.task)


def add(line: Line, body: Mapping[str, object], *, topic: int | None, client_id: str | None, as_json: bool) -> None:
    """Plan a task, or make one of a topic that is there."""
    client_id = client_id or new_client_id()
    path = "/api/tasks" if topic is None else f"/api/topics/{topic}/task"
    answer = until_answered(line, path, body=without_nothing({**body, "client_id": client_id}), client_id=client_id)
    verbs.show(answer, as_json=as_json, render=shown_tasks.added)


def start(line: Line, task: str, body: Mapping[str, object], *, client_id: str | None, as_json: bool) -> None:
    client_id = client_id or new_client_id()
    path = f"/api/tasks/{segment(task)}/start"
    answer = until_answered(line, path, body=without_nothing({**body, "client_id": client_id}), client_id=client_id)
    verbs.show(answer, as_json=as_json, render=lambda a: say(f"{a['task']['code']}: {a['receipt']['text']}"))


def change(line: Line, task: str, body: Mapping[str, object], *, project: str | None, as_json: bool) -> None:
    said = {**body} if project is None else {**body, "project": project}
    answer = line.patch(f"/api/tasks/{segment(task)}", said)
    verbs.show(answer, as_json=as_json, render=shown_tasks.moved)


def delete(line: Line, task: str, *, project: str | None, yes: bool, as_json: bool) -> None:
    """Take a task away for good, after asking. It is found first: the question says which one it is."""
    found = line.get(f"/api/tasks/{segment(task)}", project=project)["task"]
    confirm(f"delete {found['project']}.{found['code']} {found['title']}, its plan and its verifications", yes=yes)
    answer = line.delete(f"/api/tasks/{segment(found['id'])}")
    verbs.show(answer, as_json=as_json, render=lambda a: say(f"{a['task']['code']} is gone; its topic is archived"))


def edit(
    line: Line,
    task: str,
    wanted: Mapping[str, object],
    *,
    clear: list[str],
    project: str | None,
    as_json: bool,
) -> None:
    """Change what is named; lists replace those that are there, and `clear` takes fields away."""
    body = without_nothing(wanted)
    if twice := sorted(body.keys() & set(clear)):
        raise WrongUsage(f"{', '.join(twice)} is both given and cleared. Do one of them")
    body |= {name: CLEARABLE[name] for name in clear}
    if not body:
        raise WrongUsage("nothing to change was named. See --help for the flags")
    change(line, task, body, project=project, as_json=as_json)


def verify(
    line: Line,
    task: str,
    *,
    project: str | None,
    client_id: str | None,
    as_json: bool,
    own_topic: int | None = None,
) -> int | None:
    """Run the task's verification in this folder, show what it prints and report it; 1 when it did not pass. What is
    archived, and inside a run (`own_topic`) what is another topic's, runs nothing.
    """
    found = line.get(f"/api/tasks/{segment(task)}", project=project)["task"]
    if own_topic is not None and found["topic"] != own_topic:
        raise WrongUsage(f"{found['code']} is not this run's task: a run verifies its own only")
    if found.get("archived_at") is not None:
        raise WrongUsage(f"{found['code']} is archived. `pal cli tasks edit {found['code']} --restore` opens it again")
    command = found["verification"]
    if not command:
        raise WrongUsage(
            f"{found['code']} has no verification. `pal cli tasks edit {found['code']} --verify CMD` sets it"
        )
    note(f"{found['code']}: {command}")
    exit_code, output = run_here(command)
    client_id = client_id or new_client_id()
    body: dict[str, object] = {"command": command, "exit_code": exit_code, "output": output, "client_id": client_id}
    answer = until_answered(line, f"/api/tasks/{found['id']}/verifications", body=body, client_id=client_id)
    verbs.show(answer, as_json=as_json, render=shown_tasks.verified)
    return None if answer["verification"]["passed"] else FAILED


def run_here(command: str) -> tuple[int, str]:
    """Exit code and the end of the output of a command line, run by the shell in the working folder. What it prints
    goes to stderr as it comes. One that a signal ended has 128 and the signal's number. What it left running is not
    waited for: it may hold its output open for ever.
    """
    kept = bytearray()
    left = KEPT  # to read once the shell has ended: as much as the pipe may hold
    with subprocess.Popen(
        command, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        while left > 0:
            has_ended = process.poll() is not None
            if not select.select([process.stdout], [], [], 0 if has_ended else _LOOKED_AFTER)[0]:
                if has_ended:
                    break
                continue
            piece = os.read(process.stdout.fileno(), 8_192)
            if not piece:
                break
            if has_ended:
                left -= len(piece)
            sys.stderr.write(piece.decode("utf-8", "replace"))
            sys.stderr.flush()
            kept += piece
            del kept[:-KEPT]
    code = process.returncode
    return (128 - code if code < 0 else code), kept.decode("utf-8", "replace").replace("\0", "")


def own_task(line: Line, topic: int) -> str:
    """The id of the task that a topic is; WrongUsage when it is none."""
    found: list[dict[str, Any]] = line.get("/api/tasks", topic=topic)["tasks"]
    if not found:
        raise WrongUsage("which task? This topic is none; `pal cli tasks list` lists them")
    return str(found[0]["id"])
