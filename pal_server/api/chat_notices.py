"""What a person is told in a chat outside."""

from pal_server.actions import chat_notices
from pal_server.api.fields import or_none
from pal_server.api.present import present
from pal_server.api.routing import Call
from pal_server.contract import desk as contract
from pal_server.contract.platforms import PLATFORMS
from pal_server.domain.chat_notices import Choice

BEFORE = {name: form.before_person for name, form in PLATFORMS.items()}


async def get(call: Call) -> contract.ChatNoticesAnswer:
    return await _answer(call, await call.read(chat_notices.get, actor=call.actor))


async def create(call: Call) -> contract.ChatNoticesAnswer:
    request = call.body(contract.ChooseChat)
    made = await call.write(
        chat_notices.put,
        actor=call.actor,
        bot=request.bot,
        identity=request.identity,
        before=BEFORE,
        needs=request.needs,
        mentions=request.mentions,
        runs=request.runs,
        base_url=call.services.url(),
    )
    return await _answer(call, made)


async def change(call: Call) -> contract.ChatNoticesAnswer:
    request = call.body(contract.ChangeChatNotices)
    changed = await call.write(
        chat_notices.choose,
        actor=call.actor,
        needs=or_none(request.needs),
        mentions=or_none(request.mentions),
        runs=or_none(request.runs),
    )
    return await _answer(call, changed)


async def remove(call: Call) -> contract.ChatNoticesAnswer:
    await call.write(chat_notices.drop, actor=call.actor)
    return await _answer(call, None)


async def _answer(call: Call, choice: Choice | None) -> contract.ChatNoticesAnswer:
    found = await call.read(chat_notices.places, actor=call.actor)
    return contract.ChatNoticesAnswer(
        notices=None if choice is None else present(choice, contract.ChatNotices),
        places=[present(place, contract.ChatPlace) for place in found],
    )
