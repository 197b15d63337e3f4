"""The agents of these tests: `agent_program.py FOLDER VERB [WORD …]`. Standard library only; started with -I -S.

Each start is written down first, one line in FOLDER/starts, so that processes are counted from outside of pal.
"""

import json
import os
import subprocess
import sys
import time

FOLDER, VERB, *WORDS = sys.argv[1:]
MESSAGE = os.environ.get("PAL_MESSAGE", "0")
LONGEST = 300.0  # seconds; nothing a test forgot lives longer


def mark_start() -> None:
    facts = {
        "run": int(os.environ.get("PAL_RUN_ID", "0")),
        "message": int(MESSAGE),
        "agent": os.environ.get("PAL_AGENT_KEY", ""),
        "pid": os.getpid(),
        "parent": os.getppid(),
    }
    fd = os.open(f"{FOLDER}/starts", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(fd, (json.dumps(facts) + "\n").encode())
    os.close(fd)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def report(name: str, facts: object) -> None:
    """Whole or not at all."""
    path = f"{FOLDER}/{name}"
    with open(path + ".part", "w", encoding="utf-8") as file:
        json.dump(facts, file)
    os.rename(path + ".part", path)


def wait_for_go() -> None:
    names = (f"{FOLDER}/go/{MESSAGE}", f"{FOLDER}/go/{os.environ.get('PAL_AGENT_KEY')}")
    until = time.monotonic() + LONGEST
    while not any(os.path.exists(name) for name in names):
        if time.monotonic() > until:
            sys.exit(99)
        time.sleep(0.01)


def reply() -> None:
    sys.stdin.read()
    say(f"answer to {MESSAGE}")


def wait() -> None:
    """Says on stderr that it has begun, and answers once it may go on."""
    sys.stderr.write("begun\n")
    sys.stderr.flush()
    wait_for_go()
    say(f"answer to {MESSAGE}")


def heard() -> None:
    """Reports the prompt."""
    report(f"heard-{MESSAGE}", sys.stdin.read())
    say(f"answer to {MESSAGE}")


def count() -> None:
    """Numbers, one a line; WORDS: how many, seconds between two, and at which one it waits until it may go on."""
    for number in range(int(WORDS[0])):
        if WORDS[2:] == [str(number)]:
            wait_for_go()
        say(str(number))
        time.sleep(float(WORDS[1]))


def pass_on() -> None:
    """Calls another agent by name."""
    say(f"@{WORDS[0]} your turn")


def flood() -> None:
    """WORDS: bytes of text in lines of a hundred."""
    line = b"x" * 99 + b"\n"
    for _ in range(int(WORDS[0]) // (len(line) * 1000)):
        sys.stdout.buffer.write(line * 1000)
    sys.stdout.buffer.write(b"the end\n")


def binary() -> None:
    """Every byte there is, NUL too, many times and without one line's end."""
    sys.stdout.buffer.write(bytes(b for b in range(256) if b != 10) * 4000)


def broken() -> None:
    """UTF-8 that is cut, overlong and mixed with good text."""
    sys.stdout.buffer.write("Grüße ".encode() + b"\xff\xfe \xc3 \xe2\x82 \xed\xa0\x80 " + "ende €\n".encode())
    sys.stderr.buffer.write(b"\xff broken on stderr\n")


def fail() -> None:
    sys.stderr.write("one line of trouble\nthe last line of trouble\n")
    sys.exit(3)


DEAF = "sh -c 'trap \"\" HUP INT TERM; while :; do sleep 600; done' >&- 2>&-"


def leave_children() -> None:
    """A child in its group, one in a session of its own, a deaf grandchild nobody waits for, and one more of those that
    carries nothing of our environment.
    """
    sleep = ["sleep", "600"]
    pids = [
        subprocess.Popen(sleep).pid,
        subprocess.Popen(sleep, start_new_session=True).pid,
        int(subprocess.check_output(["sh", "-c", f"setsid {DEAF} & echo $!"])),
        int(subprocess.check_output(["sh", "-c", f"setsid env -i {DEAF} & echo $!"])),
    ]
    report(f"children-{MESSAGE}", pids)


def children() -> None:
    leave_children()
    wait()


def stubborn() -> None:
    """Hears neither SIGINT nor SIGTERM."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    wait()


def polite() -> None:
    """Says goodbye on SIGINT."""
    import signal

    def goodbye(number: int, frame: object) -> None:
        say("goodbye")
        os._exit(0)

    signal.signal(signal.SIGINT, goodbye)
    wait()


def tinker() -> None:
    """Commits one file of its folder, leaves another as it is, and waits."""
    for name in ("committed.txt", "left.txt"):
        with open(name, "w", encoding="utf-8") as file:
            file.write(MESSAGE)
    who = ["-c", "user.name=agent", "-c", "user.email=agent@localhost"]
    subprocess.check_call(["git", "add", "committed.txt"])
    subprocess.check_call(["git", *who, "commit", "-qm", "half of the work"])
    report(f"tinkered-{MESSAGE}", True)
    wait()


def commands() -> None:
    """Runs each of WORDS, JSON lists, with nothing but PAL_ variables and PATH in an empty home; reports what came."""
    home = f"{FOLDER}/empty-{MESSAGE}"
    os.mkdir(home)
    env = {name: value for name, value in os.environ.items() if name.startswith("PAL_") and name != "PAL_KEEPER"}
    env |= {"PATH": os.environ["PATH"], "HOME": home}
    outcomes = []
    for words in WORDS:
        done = subprocess.run(json.loads(words), env=env, capture_output=True, text=True, cwd=home)
        outcomes.append({"code": done.returncode, "out": done.stdout, "err": done.stderr})
    report(f"commands-{MESSAGE}", {"outcomes": outcomes, "env": env})
    say("done")


mark_start()
globals()[VERB]()
