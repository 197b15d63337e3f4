"""In place of Cursor's CLI, which cannot be had for tests: `cursor-agent acp` as its documentation says it speaks, with
a scripted model. Standard library only.

It has that program's modes, options and login, loads a conversation by telling it once more, and sends the requests of
its own that wait for an answer: `cursor/ask_question` and `cursor/create_plan`. What a real one does beyond its
documentation this one does not know.
"""

import http.client
import json
import os
import queue
import subprocess
import sys
import threading
import uuid
from pathlib import Path
from urllib.parse import urlsplit

MODES = [{"id": "agent", "name": "Agent"}, {"id": "plan", "name": "Plan"}, {"id": "ask", "name": "Ask"}]
OPTIONS = [
    {"optionId": "allow-once", "name": "Allow once", "kind": "allow_once"},
    {"optionId": "allow-always", "name": "Allow always", "kind": "allow_always"},
    {"optionId": "reject-once", "name": "Reject", "kind": "reject_once"},
]
KEPT = Path(os.environ.get("HOME", "/nowhere")) / ".cursor-chats"
_writing = threading.Lock()


def say(**said):
    with _writing:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **said}) + "\n")
        sys.stdout.flush()


class Refused(Exception):
    """The model's service answered with an error."""


class Session:
    """One conversation. A turn runs in a thread, so that it can be cancelled."""

    def __init__(self, id, folder, history=()):
        self.id = id
        self.folder = folder
        self.mode = "agent"
        self.history = list(history)
        self.answers = {}  # id of a request of ours → where its answer goes
        self.requests = 0
        self.is_cancelled = False
        self.connection = None

    def update(self, sort, **more):
        say(method="session/update", params={"sessionId": self.id, "update": {"sessionUpdate": sort, **more}})

    def ask(self, method, **params):
        id, self.requests = self.requests, self.requests + 1
        answer = self.answers[id] = queue.Queue()
        say(id=id, method=method, params=params)
        return answer.get()

    def turn(self, id, prompt):
        """One prompt: as many questions to the model as it wants to use tools, and one more."""
        self.is_cancelled = False
        self.history.append({"role": "user", "text": prompt})
        try:
            while self.step():
                pass
        except Refused as refused:
            say(id=id, error={"code": -32603, "message": str(refused)})
            return
        except OSError:
            if not self.is_cancelled:
                raise
        KEPT.mkdir(exist_ok=True)
        (KEPT / f"{self.id}.json").write_text(json.dumps(self.history))
        say(id=id, result={"stopReason": "cancelled" if self.is_cancelled else "end_turn"})

    def step(self):
        """One question to the model; whether it wants to go on."""
        calls, words = [], []
        for told in self.hear_model():
            if "text" in told:
                words.append(told["text"])
                self.update("agent_message_chunk", content={"type": "text", "text": told["text"]})
            else:
                calls.append(told)
        if words:
            self.history.append({"role": "agent", "text": "".join(words)})
        for call in calls:
            if not self.is_cancelled:
                self.history.append({"role": "tool", "text": self.use(call)})
        return bool(calls) and not self.is_cancelled

    def hear_model(self):
        at = urlsplit(os.environ["MODEL_URL"])
        self.connection = http.client.HTTPConnection(at.hostname, at.port)
        body = {"mode": self.mode, "history": self.history}
        self.connection.request("POST", "/lines", json.dumps(body), {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        if answer.status != 200:
            raise Refused(f"{answer.status}: {answer.read().decode()}")
        rest = b""
        while piece := answer.read1(65536):
            *lines, rest = (rest + piece).split(b"\n")
            yield from (json.loads(line) for line in lines)

    def cancel(self):
        self.is_cancelled = True
        if self.connection is not None and self.connection.sock is not None:
            self.connection.sock.shutdown(2)

    def use(self, call):
        given = call["input"]
        match call["name"]:
            case "ask_question":
                asked = [{"id": "q1", "prompt": given["text"], "options": given["options"], "allowMultiple": False}]
                outcome = self.ask("cursor/ask_question", toolCallId=call["call"], questions=asked)["outcome"]
                labels = {option["id"]: option["label"] for option in given["options"]}
                return ", ".join(labels[id] for one in outcome["answers"] for id in one["selectedOptionIds"])
            case "create_plan":
                outcome = self.ask("cursor/create_plan", toolCallId=call["call"], name="A plan", plan=given["plan"])
                if outcome["outcome"]["outcome"] == "accepted":
                    self.mode = "agent"
                return json.dumps(outcome)
            case "shell":
                return self.permitted(call, title=given["command"], kind="execute", do=lambda: self.shell(given))
            case _:
                return self.permitted(call, title=given["path"], kind="edit", do=lambda: self.write(given))

    def permitted(self, call, *, title, kind, do):
        tool = {"toolCallId": call["call"], "title": title, "kind": kind}
        self.update("tool_call", **tool, status="pending", rawInput=call["input"])
        told = self.ask("session/request_permission", sessionId=self.id, toolCall=tool, options=OPTIONS)
        if told["outcome"].get("optionId") not in ("allow-once", "allow-always"):
            self.update("tool_call_update", toolCallId=call["call"], status="failed")
            return "refused"
        done, content = do()
        self.update("tool_call_update", toolCallId=call["call"], status="completed", content=content)
        return done

    def shell(self, given):
        done = subprocess.run(
            ["sh", "-c", given["command"]], cwd=self.folder, capture_output=True, text=True, start_new_session=True
        )
        return done.stdout, [{"type": "content", "content": {"type": "text", "text": done.stdout}}]

    def write(self, given):
        Path(given["path"]).write_text(given["content"])
        return "written", [{"type": "diff", "path": given["path"], "oldText": None, "newText": given["content"]}]


def load(id, folder):
    """A conversation that was kept, told once more; None when there is none."""
    file = KEPT / f"{id}.json"
    if "/" in id or not file.is_file():
        return None
    session = Session(id, folder, json.loads(file.read_text()))
    for part in session.history:
        sort = "user_message_chunk" if part["role"] == "user" else "agent_message_chunk"
        session.update(sort, content={"type": "text", "text": part["text"]})
    return session


def main():
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write("2026.01.01-tests\n")
        return
    session = None
    for line in sys.stdin:
        said = json.loads(line)
        id, params = said.get("id"), said.get("params") or {}
        match said.get("method"):
            case "initialize":
                can = {"loadSession": True, "promptCapabilities": {"image": True}}
                methods = [{"id": "cursor_login", "name": "Cursor Login"}]
                say(id=id, result={"protocolVersion": 1, "agentCapabilities": can, "authMethods": methods})
            case "authenticate":
                say(id=id, result={})
            case "session/new":
                session = Session(str(uuid.uuid4()), params["cwd"])
                told = {"sessionId": session.id, "modes": {"currentModeId": "agent", "availableModes": MODES}}
                say(id=id, result=told)
            case "session/load":
                found = load(params["sessionId"], params["cwd"])
                if found is None:
                    say(id=id, error={"code": -32602, "message": "no such chat"})
                    continue
                session = found
                say(id=id, result={"modes": {"currentModeId": "agent", "availableModes": MODES}})
            case "session/set_mode":
                session.mode = params["modeId"]
                say(id=id, result={})
            case "session/prompt":
                prompt = "".join(part.get("text", "") for part in params["prompt"])
                threading.Thread(target=session.turn, args=(id, prompt), daemon=True).start()
            case "session/cancel":
                session.cancel()
            case None if session is not None and id in session.answers:
                session.answers.pop(id).put(said.get("result") or {"outcome": {}})
            case None:
                continue
            case _:
                say(id=id, error={"code": -32601, "message": "Method not found"})


main()
