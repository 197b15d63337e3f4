"""The demo agent: one JSON line in (what was said), JSON lines out. Standard library only.

Rules: `/echo TEXT`, `/slow N`, `/fail`, `/ask QUESTION`, `/approve WHAT`, `/files`, `/edit NAME WORDS`; anything else
gets a friendly answer. What it is told while it works it reads at once and repeats at the end. SIGINT ends it politely
with exit 130.
"""

import json
import os
import re
import select
import signal
import sys
import time

LONGEST_SLEEP = 24 * 60 * 60  # seconds
SHOWN = 50  # file names


def tell(**said: object) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


class Ear:
    """Reads lines from stdin without Python's own buffer, which would hide them from `select`."""

    def __init__(self) -> None:
        self._unread = bytearray()
        self._is_closed = False
        self.told: list[str] = []  # while it worked
        self.steps = 0

    def hear(self, kind: str) -> dict[str, str | None]:
        """The next line of this kind; ends the program politely when nobody will say anything any more."""
        while True:
            line = self._next(None)
            if line is None:
                sys.exit(0)
            if line.get("type") == kind:
                return line

    def wait(self, seconds: float) -> None:
        """Let time pass, and read what is said meanwhile."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._is_closed:
                time.sleep(left)
            else:
                self._next(left)

    def _next(self, seconds: float | None) -> dict[str, str | None] | None:
        """The next line, or None when none came in time or none will come."""
        while b"\n" not in self._unread:
            if self._is_closed or not select.select((0,), (), (), seconds)[0]:
                return None
            chunk = os.read(0, 65536)
            self._is_closed = not chunk
            self._unread += chunk
        line, _, rest = bytes(self._unread).partition(b"\n")
        self._unread = bytearray(rest)
        said: dict[str, str | None] = json.loads(line)
        if said.get("type") == "steer":
            tell(type="read", input=said.get("key"), step=self.steps)
            self.told.append(_words(said.get("text") or ""))
        return said


def _words(text: str) -> str:
    """What was said, without the marks pal puts around it."""
    marked = re.search(r"<<<message \w+\n(.*)\nmessage \w+>>>", text, re.DOTALL)
    return marked[1] if marked else text.strip()


EAR = Ear()


def ask(kind: str, title: str) -> dict[str, str | None]:
    tell(type="ask", key="ask-1", kind=kind, title=title)
    return EAR.hear("answer")


def echo(text: str) -> None:
    tell(type="say", text=text or "(nothing to echo)")


def slow(text: str) -> None:
    try:
        seconds = min(max(float(text or "5"), 0.0), LONGEST_SLEEP)
    except ValueError:
        tell(type="say", text=f"/slow wants a number of seconds, not {text!r}.")
        return
    left = seconds
    done = 0
    while left > 0:
        EAR.wait(min(1.0, left))
        left -= 1.0
        done += 1
        EAR.steps = done
        tell(type="progress", text=f"{min(done, seconds):g} of {seconds:g} seconds")
    tell(type="say", text=f"Done after {seconds:g} seconds.")


def fail(text: str) -> None:
    sys.stderr.write((text or "I was asked to fail, so I do.") + "\n")
    sys.exit(1)


def question(text: str) -> None:
    answer = ask("question", text or "What shall I do?")
    tell(type="say", text=f"You answered: {answer.get('answer') or answer.get('decision') or '(nothing)'}")


def approval(text: str) -> None:
    what = text or "go on"
    answer = ask("approval", what)
    reason = f" ({answer['reason']})" if answer.get("reason") else ""
    word = "Approved" if answer.get("decision") == "approve" else "Denied"
    tell(type="say", text=f"{word}: {what}{reason}")


def is_mine(name: str) -> bool:
    """A file of this folder, and nowhere else; if not, says so."""
    is_plain = os.path.basename(name) == name and name not in ("", ".", "..")
    if not is_plain:
        tell(type="say", text=f"I only make files in my own folder, not {name!r}.")
    return is_plain


def files(text: str) -> None:
    """Lists the folder, or creates the files named."""
    made = []
    for name in text.split():
        if not is_mine(name):
            return
        with open(name, "a", encoding="utf-8"):
            made.append(name)
    if made:
        tell(type="files", text="created " + ", ".join(made), paths=made)
    names = sorted(os.listdir("."))
    listed = "\n".join(f"- {name}" for name in names[:SHOWN]) or "(no files yet)"
    more = f"\n… and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    tell(type="say", text=f"In {os.getcwd()}:\n{listed}{more}")


def edit(text: str) -> None:
    """Writes the words into a file, in the place of what was there, and says what changed."""
    import difflib

    name, _, words = text.partition(" ")
    if not is_mine(name):
        return
    before = ""
    is_new = not os.path.exists(name)
    if not is_new:
        with open(name, encoding="utf-8", errors="replace") as file:
            before = file.read()
    after = words.strip("\n") + "\n"
    with open(name, "w", encoding="utf-8") as file:
        file.write(after)
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), f"a/{name}", f"b/{name}", lineterm="")
    tell(type="files", text=f"wrote {name}", paths=[name], change="add" if is_new else "edit", diff="\n".join(lines))
    tell(type="say", text=f"Wrote {name}.")


RULES = {
    "/echo": echo,
    "/slow": slow,
    "/fail": fail,
    "/ask": question,
    "/approve": approval,
    "/files": files,
    "/edit": edit,
}


def greet(text: str, name: str) -> None:
    rules = ", ".join(f"`{rule}`" for rule in RULES)
    heard = f"I heard: {text}" if text else "I heard nothing."
    tell(type="say", text=f"Hello, I am {name}, a demo agent without a mind.\n{heard}\nTry {rules}.")


def interrupted(number: int, frame: object) -> None:
    tell(type="progress", text="stopped")
    os._exit(130)


def main() -> None:
    signal.signal(signal.SIGINT, interrupted)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]  # -I ignores PYTHONUTF8
    prompt = EAR.hear("prompt")
    text = (prompt.get("text") or "").strip()
    word = text.split(maxsplit=1)[0] if text else ""
    rule = RULES.get(word)
    if rule is None:
        greet(text, prompt.get("name") or "demo")
    else:
        rule(text[len(word) :].strip())
    if EAR.told:
        tell(type="say", text="While I worked you said: " + "; ".join(EAR.told))


if __name__ == "__main__":
    main()
