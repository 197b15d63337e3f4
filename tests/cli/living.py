"""`pal up` as a real process in a home of its own, and `pal` commands said to it."""

import json
import os
import signal
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.support.patience import LONG_PATIENCE
from tests.support.ports import free_port
from tests.support.stack import eventually

READY = "pal is ready"
PAL = (sys.executable, "-m", "pal_cli.main")


class Living:
    """One home with its ports. `start` may be called again after an end."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.port, self.local_port = free_port(), free_port()
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("PAL_", "LOCK_"))}
        self.env |= {"PAL_HOME": str(self.home), "PAL_DAEMON_URL": f"http://127.0.0.1:{self.local_port}"}
        self._log = folder / "up.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *flags: str) -> str:
        """Start and wait until it is ready; everything it said."""
        self.begin(*flags)
        eventually(f"ready, after {self.said()}", lambda: READY in self.said() or self.has_ended())
        assert not self.has_ended(), self.said()
        return self.said()

    def begin(self, *flags: str) -> None:
        """Start without waiting."""
        with self._log.open("wb") as out:
            self.process = subprocess.Popen(
                [*PAL, "up", "--port", str(self.port), "--no-browser", *flags],
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

    def said(self) -> str:
        return self._log.read_text("utf-8")

    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Ask it to end, as Ctrl-C does; its exit code."""
        assert self.process is not None
        if not self.has_ended():
            self.process.send_signal(number)
        return self.process.wait(LONG_PATIENCE)

    def end(self) -> int:
        """The exit code of one that ends by itself."""
        assert self.process is not None
        return self.process.wait(LONG_PATIENCE)

    def children(self) -> list[int]:
        """The pids of server and daemon."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def pal(self, *argv: str, code: int = 0, env: dict[str, str] | None = None, stdin: bytes = b"") -> str:
        """What a command printed; it must exit with `code`."""
        ended = subprocess.run(
            [*PAL, *argv], env=env or self.env, input=stdin, capture_output=True, timeout=LONG_PATIENCE, check=False
        )
        assert ended.returncode == code, f"{argv}: {ended.returncode}\n{ended.stdout!r}\n{ended.stderr!r}"
        return ended.stdout.decode()

    def send_until_sent(self, *argv: str) -> None:
        """`pal cli send`, repeated under one client id while it says that nobody answers."""
        command = [*PAL, "cli", "send", "--client-id", f"test-{argv[-1]}", *argv]

        def sent() -> bool:
            code = subprocess.run(
                command, env=self.env, capture_output=True, timeout=LONG_PATIENCE, check=False
            ).returncode
            assert code in (0, 4)
            return code == 0

        eventually("it is sent", sent)

    def is_well(self) -> bool:
        """What `pal doctor` says."""
        return (
            subprocess.run(
                [*PAL, "doctor"], env=self.env, capture_output=True, timeout=LONG_PATIENCE, check=False
            ).returncode
            == 0
        )

    def api(self, path: str, body: Any = None) -> Any:
        """The API's own answer to the owner, who posts the body where there is one."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=LONG_PATIENCE)
        token = (self.home / "owner.token").read_text().strip()
        sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body)
        connection.request("GET" if body is None else "POST", path, content, sent)
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def json(self, *argv: str) -> Any:
        """The document of `--json`."""
        return json.loads(self.pal(*argv, "--json"))


def is_alive(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
