"""A tool server (MCP) that does nothing but say that it was started: `python marking_server.py FILE`."""

import json
import os
import sys

with open(sys.argv[1], "w") as mark:
    mark.write(os.environ.get("MARK_WORD", ""))
for line in sys.stdin:
    asked = json.loads(line)
    if "id" not in asked:
        continue
    answers = {
        "initialize": {
            "protocolVersion": asked.get("params", {}).get("protocolVersion", "2025-06-18"),
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "marking", "version": "1"},
        },
        "tools/list": {"tools": []},
    }
    answer = {"jsonrpc": "2.0", "id": asked["id"], "result": answers.get(asked["method"], {})}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
