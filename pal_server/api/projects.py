"""Projects."""

from pal_server.actions import projects
from pal_server.api.fields import or_none
from pal_server.api.present import present, present_all
from pal_server.api.routing import Call
from pal_server.contract import projects as contract
from pal_server.contract.base import Page


async def list_projects(call: Call) -> contract.ProjectsAnswer:
    query = call.query(Page)
    page = await call.read(projects.list_page, actor=call.actor, after=query.after, limit=query.limit)
    return contract.ProjectsAnswer(projects=present_all(page.items, contract.Project), next=page.next)


async def create(call: Call) -> contract.ProjectAnswer:
    request = call.body(contract.CreateProject)
    project = await call.write(
        projects.create,
        actor=call.actor,
        key=request.key,
        name=request.name,
        goal=request.goal,
        rules=request.rules,
        tech_stack=request.tech_stack,
        room=request.room,
        client_id=request.client_id,
    )
    return contract.ProjectAnswer(project=present(project, contract.Project))


async def get(call: Call) -> contract.ProjectAnswer:
    project = await call.read(projects.get, actor=call.actor, project=call.text("project"))
    return contract.ProjectAnswer(project=present(project, contract.Project))


async def change(call: Call) -> contract.ProjectAnswer:
    request = call.body(contract.ChangeProject)
    project = await call.write(
        projects.change,
        actor=call.actor,
        project=call.text("project"),
        name=or_none(request.name),
        goal=or_none(request.goal),
        rules=or_none(request.rules),
        tech_stack=or_none(request.tech_stack),
        room=or_none(request.room),
        archived=or_none(request.archived),
    )
    return contract.ProjectAnswer(project=present(project, contract.Project))
