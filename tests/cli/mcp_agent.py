"""An agent program that reaches pal through `pal mcp`: `mcp_agent.py FOLDER`. Says what it did in FOLDER/mcp-<message>.

It gives the door nothing but the run's variables and an empty home.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from mcp import ClientSession, StdioServerParameters, stdio_client

FOLDER = Path(sys.argv[1])
MESSAGE = os.environ["PAL_MESSAGE"]
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("send", {"content": "from inside"}),
    ("messages_list", {"limit": 5}),
    ("messages_show", {"message": int(MESSAGE)}),
    ("rooms_list", {}),
    ("rooms_members", {}),
    ("topics_list", {}),
    ("inbox", {}),
    ("ask", {"question": "Which branch?", "options": ["main", "release"], "wait_for": 20}),
    ("result", {"summary": "all is well", "next_steps": ["merge"]}),
    ("send", {"content": "not my room", "room": "elsewhere"}),
)


async def main() -> None:
    home = FOLDER / f"mcp-home-{MESSAGE}"
    home.mkdir()
    env = {name: value for name, value in os.environ.items() if name.startswith("PAL_") and name != "PAL_KEEPER"}
    door = StdioServerParameters(command="pal", args=["mcp"], env={**env, "HOME": str(home)})
    outcomes = []
    async with stdio_client(door) as streams, ClientSession(*streams) as session:
        await session.initialize()
        for name, arguments in CALLS:
            answer = await session.call_tool(name, arguments)
            text = "".join(getattr(part, "text", "") for part in answer.content)
            outcomes.append({"tool": name, "failed": answer.is_error, "text": text, "data": answer.structured_content})
    part = FOLDER / f"mcp-{MESSAGE}.part"
    part.write_text(json.dumps(outcomes))
    part.rename(FOLDER / f"mcp-{MESSAGE}")


asyncio.run(main())
