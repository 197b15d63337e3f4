"""Who listens on a port of this computer."""

import os
import socket
from pathlib import Path

_LISTEN = "0A"  # the state in /proc/net/tcp


def owner_of_port(port: int) -> str | None:
    """`name (pid N)`, or "another program" where the system does not say; None when the port is free."""
    if not _is_taken(port):
        return None
    inodes = _listening_sockets(port)
    for process in Path("/proc").glob("[0-9]*") if inodes else ():
        if not inodes.isdisjoint(_sockets_of(process)):
            return f"{_name(process)} (pid {process.name})"
    return "another program"


def _is_taken(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _listening_sockets(port: int) -> set[str]:
    inodes: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text("ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(fields[9])
    return inodes


def _sockets_of(process: Path) -> set[str]:
    """The inodes of its sockets; none for a process of another user, or one that is gone."""
    inodes: set[str] = set()
    try:
        links = list((process / "fd").iterdir())
    except OSError:
        return inodes
    for link in links:
        try:
            target = os.readlink(link)
        except OSError:  # closed in this moment, as the one this folder was listed with
            continue
        if target.startswith("socket:["):
            inodes.add(target.removeprefix("socket:[").removesuffix("]"))
    return inodes


def _name(process: Path) -> str:
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        words = []
    return " ".join(word.decode("utf-8", "replace") for word in words[:3] if word) or "another program"
