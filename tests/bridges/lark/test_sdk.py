"""What pal leans on in the SDK, and what it keeps away from it."""

import json
import subprocess
import sys

LEAN = """
import json, logging, sys
from pal_server.bridges.lark import socket
from pal_server.bridges.lark.connection import LarkConnection
loaded = [name for name in sys.modules if name.startswith("lark_oapi")]
logger = logging.getLogger("Lark")
logger.error("a secret address")
print(json.dumps({"modules": len(loaded), "api": [n for n in loaded if n.startswith("lark_oapi.api")],
                  "handlers": len(logger.handlers)}))
"""
LAZY = """
import sys
from pal_server.bridges.registry import load
platform = load("lark")
platform.measure("x"); platform.guide()
print([name for name in sys.modules if name.startswith(("lark_oapi", "websockets", "requests", "httpx"))])
"""


def told(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_sdk_is_never_loaded_whole_and_never_writes_to_standard_output() -> None:
    """Whole it takes seconds and 150 MB, and it logs the socket's address, which is a secret."""
    found = json.loads(told(LEAN))

    assert 10 < found["modules"] < 100
    assert found["api"] == []
    assert found["handlers"] == 0


def test_knowing_the_platform_loads_nothing_of_the_sdk() -> None:
    assert told(LAZY) == "[]"


def test_what_is_leaned_on_is_there() -> None:
    from pal_server.bridges.lark.socket import Socket

    client = Socket.__mro__[1]
    for name in ("_write_message", "_handle_message", "_handle_control_frame", "_handle_data_frame"):
        assert callable(getattr(client, name)), name
