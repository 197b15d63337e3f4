"""The processes a measurement needs. Each is started by us, ended by us, and only by its own pid."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

START_FOR = 60.0  # seconds
END_FOR = 20.0  # seconds; then it is forced

_FOREIGN = ("PAL_", "LOCK_")  # settings of whoever runs the benchmark are none of ours


def python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return {**kept, **more}


@contextmanager
def running(
    argv: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process for as long as the block runs; asked to end, waited for, then forced. Its output goes to `log`."""
    with open(log, "ab") as out:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env or environment(), start_new_session=True
        )
    try:
        yield process
    finally:
        end(process)


def end(process: "subprocess.Popen[Any]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(END_FOR)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_json(path: Path, process: "subprocess.Popen[Any]") -> Any:
    """What a process wrote there once it is ready."""
    until = time.monotonic() + START_FOR
    while time.monotonic() < until:
        try:
            return json.loads(path.read_text())
        except (FileNotFoundError, ValueError):
            if process.poll() is not None:
                raise RuntimeError(f"{process.args!r} ended with {process.returncode}; see its log") from None
            time.sleep(0.005)
    raise TimeoutError(f"{path} did not appear")


def wait_open(port: int, process: "subprocess.Popen[Any]") -> None:
    """Until somebody accepts there."""
    until = time.monotonic() + START_FOR
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}; see its log")
        time.sleep(0.002)
    raise TimeoutError(f"nobody listens on {port}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def exchange(argv: Sequence[str], request: object, *, within: float) -> Any:
    """Run a program of ours that takes one JSON document and answers with one."""
    done = subprocess.run(
        argv, input=json.dumps(request).encode(), stdout=subprocess.PIPE, env=environment(), timeout=within, check=True
    )
    return json.loads(done.stdout)


def say(stream: "IO[bytes] | None", text: str) -> None:
    assert stream is not None
    stream.write(text.encode() + b"\n")
    stream.flush()


def resident(pid: int) -> float:
    """MB of memory a process has in RAM, what it shares with others included."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


def cpu_seconds(pid: int) -> float:
    """What a process has used so far, in steps of a hundredth."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def force(process: "subprocess.Popen[Any]") -> None:
    """As a power cut would."""
    process.send_signal(signal.SIGKILL)
    process.wait()
