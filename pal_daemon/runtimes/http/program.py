"""Makes one request and tells what came of it: a JSON object on stdin, lines on stdout. Standard library only."""

import json
import os
import signal
import sys
from http.client import HTTPException
from typing import Any, NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

LARGEST = 500_000  # bytes of an answer
SHOWN = 2000  # characters of a refusal
REDIRECTS = 5


class Refused(Exception):
    """A redirect to a host that may not be asked."""


class Redirects(HTTPRedirectHandler):
    """Follows to allowed hosts only; what was sent goes along, so the others must not see it."""

    max_redirections = REDIRECTS

    def __init__(self, hosts: list[str]) -> None:
        self._hosts = hosts

    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Request | None:
        host = urlsplit(newurl).hostname
        if host not in self._hosts:
            raise Refused(f"it sends us on to {host}, which may not be asked")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def main() -> None:
    signal.signal(signal.SIGINT, lambda number, frame: os._exit(130))
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]  # -I ignores PYTHONUTF8
    task = json.loads(sys.stdin.readline())
    host = urlsplit(task["url"]).hostname
    signal.signal(signal.SIGALRM, lambda number, frame: end(f"{host} did not answer within {task['timeout']:g} s"))
    signal.setitimer(signal.ITIMER_REAL, task["timeout"])
    tell(type="progress", text=f"{task['method']} {host}")
    status, text = ask(task, host=str(host))
    signal.setitimer(signal.ITIMER_REAL, 0)
    tell(type="progress", text=f"answered {status}")
    tell(type="say", text=text)


def ask(task: dict[str, Any], *, host: str) -> tuple[int, str]:
    """Status and text of the answer; the process ends in words when there is none, or it is a refusal."""
    body = None if task["body"] is None else task["body"].encode()
    request = Request(task["url"], data=body, headers=task["headers"], method=task["method"])
    try:
        with build_opener(Redirects(task["hosts"])).open(request) as answer:
            return answer.status, cut(answer.read(LARGEST + 1))
    except HTTPError as error:
        end(f"{host} refused with {error.code}: {cut(error.read(LARGEST))[:SHOWN]}")
    except Refused as error:
        end(f"{host}: {error}")
    except (URLError, HTTPException, OSError) as error:
        end(f"{host} cannot be asked: {getattr(error, 'reason', None) or error}")


def cut(data: bytes) -> str:
    text = data[:LARGEST].decode("utf-8", "replace").strip()
    return f"{text}\n\n[cut off here]" if len(data) > LARGEST else text


def tell(**said: object) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def end(why: str) -> NoReturn:
    sys.stderr.write(why + "\n")
    sys.stderr.flush()
    os._exit(1)


if __name__ == "__main__":
    main()
