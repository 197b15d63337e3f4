"""Starts one tool server (MCP) of a run, as an agent program does it: `python tool_server.py FILE NAME`.

What the server is and its environment, secrets and the run's token among it, are read from FILE, which only this user
may read: so they are in no program's arguments, configuration or log. Needs nothing but the standard library.
"""

import json
import os
import sys


def main() -> None:
    """Become the server."""
    path, name = sys.argv[1:3]
    with open(path, encoding="utf-8") as file:
        server = json.load(file)[name]
    env = {**os.environ, **server["env"]}
    os.execvpe(server["command"], [server["command"], *server["args"]], env)


if __name__ == "__main__":
    main()
