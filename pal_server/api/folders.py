"""What lies in the folder where an agent works: asked of its computer, now."""

from pal_server.actions import folders
from pal_server.api.routing import Call
from pal_server.contract import folders as contract
from pal_server.errors import Unavailable


async def find_paths(call: Call) -> contract.PathsAnswer:
    query = call.query(contract.PathsQuery)
    place = await call.read(folders.of_agent, actor=call.actor, topic=call.number(), agent=query.agent)
    line = await call.services.lines.reach(place.computer)
    found = await line.ask(agent=place.agent, cwd=place.cwd, q=query.q, limit=query.limit)
    if found.error:
        raise Unavailable(found.error, agent=place.agent)
    return contract.PathsAnswer(agent=place.agent, computer=place.computer, paths=found.paths, total=found.total)
