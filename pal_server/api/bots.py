"""Bots, who may use them, and what goes in and out: for people who look after them."""

import msgspec

from pal_server.actions import bots, identities, inbound, posts
from pal_server.actions.bots import Entry
from pal_server.api.bot_checks import check, look
from pal_server.api.bot_files import read_entries
from pal_server.api.fields import keep
from pal_server.api.present import present, present_all
from pal_server.api.routing import Call
from pal_server.contract import bridges as contract
from pal_server.domain.bots import parse_fields, parse_platform
from pal_server.domain.keep import KEEP, Keep
from pal_server.errors import Conflict, Invalid, about
from pal_server.sealing import seal, unseal


async def list_bots(call: Call) -> contract.BotsAnswer:
    query = call.query(contract.BotsQuery)
    page = await call.read(
        bots.list_page, actor=call.actor, platform=query.platform, after=query.after, limit=query.limit
    )
    return contract.BotsAnswer(bots=present_all(page.items, contract.Bot), next=page.next)


async def save(call: Call) -> contract.BotAnswer:
    """Checked with the platform first, by a process of its own, unless `verify` is false."""
    request = call.body(contract.SaveBot)
    platform = parse_platform(request.platform)
    credentials = parse_fields(request.credentials, field="credentials")
    base_url = None if isinstance(request.base_url, msgspec.UnsetType) else request.base_url
    options = {} if isinstance(request.options, msgspec.UnsetType) else request.options
    app_id, name, bot_id = request.app_id or "", "", ""
    findings: list[dict[str, object]] = []
    if credentials and request.verify:
        checked = await check(platform, app_id=app_id, credentials=credentials, base_url=base_url, options=options)
        app_id, name, bot_id, findings = checked.app_id or app_id, checked.name, checked.bot_id, checked.findings
    if not app_id:
        raise Invalid("app_id is missing, and the credentials do not say it.", field="app_id")
    entry = Entry(
        platform=platform,
        app_id=app_id,
        sealed=seal(call.services.key, credentials, bound=f"{platform}:{app_id}") if credentials else None,
        agent=keep(request.agent),
        label=keep(request.label),
        name=name or KEEP,
        bot_id=bot_id or KEEP,
        base_url=keep(request.base_url),
        options=keep(request.options),
        notify_chat=keep(request.notify_chat),
        rebind=request.rebind,
    )
    bot = await call.write(bots.save, actor=call.actor, entry=entry, is_draft=not request.reload)
    return contract.BotAnswer(bot=present(bot, contract.Bot), findings=findings)


async def get(call: Call) -> contract.BotAnswer:
    bot = await call.read(bots.get, actor=call.actor, ref=call.text())
    return contract.BotAnswer(bot=present(bot, contract.Bot))


async def unbind(call: Call) -> contract.BotAnswer:
    bot = await call.write(bots.unbind, actor=call.actor, ref=call.text())
    return contract.BotAnswer(bot=present(bot, contract.Bot))


async def unbind_agent(call: Call) -> contract.BotsAnswer:
    request = call.body(contract.UnbindBots)
    free = await call.write(bots.unbind_of_agent, actor=call.actor, agent=request.agent, platform=request.platform)
    return contract.BotsAnswer(bots=present_all(free, contract.Bot))


async def forget(call: Call) -> contract.BotAnswer:
    bot = await call.write(bots.forget, actor=call.actor, ref=call.text())
    return contract.BotAnswer(bot=present(bot, contract.Bot))


async def look_at(call: Call) -> contract.BotAnswer:
    """Real round trips with the credentials that are kept."""
    bot = await call.read(bots.get, actor=call.actor, ref=call.text())
    if not bot.sealed:
        raise Conflict("the credential of this bot was dropped", bot=bot.id)
    checked = await look(
        bot.platform,
        app_id=bot.app_id,
        credentials=unseal(call.services.key, bot.sealed, bound=f"{bot.platform}:{bot.app_id}"),
        base_url=bot.base_url,
        options=bot.options,
    )
    return contract.BotAnswer(bot=present(bot, contract.Bot), findings=checked.findings)


async def reload_lark(call: Call) -> contract.ReloadedAnswer:
    return await _reload(call, "lark")


async def reload_slack(call: Call) -> contract.ReloadedAnswer:
    return await _reload(call, "slack")


async def reload_dingtalk(call: Call) -> contract.ReloadedAnswer:
    return await _reload(call, "dingtalk")


async def list_identities(call: Call) -> contract.IdentitiesAnswer:
    query = call.query(contract.IdentitiesQuery)
    page = await call.read(
        identities.list_page,
        actor=call.actor,
        platform=query.platform,
        standing=query.standing,
        after=query.after,
        limit=query.limit,
    )
    return contract.IdentitiesAnswer(identities=present_all(page.items, contract.Identity), next=page.next)


async def put_identity(call: Call) -> contract.IdentityAnswer:
    request = call.body(contract.PutIdentity)
    identity = await call.write(
        identities.put,
        actor=call.actor,
        platform=request.platform,
        external_id=request.external_id,
        name=request.name,
        allowed=request.allowed,
        level=request.level,
        quota=keep(request.quota),
        user=keep(request.user),
    )
    return contract.IdentityAnswer(identity=present(identity, contract.Identity))


async def remove_identity(call: Call) -> contract.IdentityAnswer:
    request = call.body(contract.RemoveIdentity)
    identity = await call.write(
        identities.remove, actor=call.actor, platform=request.platform, external_id=request.external_id
    )
    return contract.IdentityAnswer(identity=present(identity, contract.Identity))


async def list_events(call: Call) -> contract.PlatformEventsAnswer:
    query = call.query(contract.PlatformEventsQuery)
    page = await call.read(
        inbound.list_events, actor=call.actor, platform=query.platform, after=query.after, limit=query.limit
    )
    return contract.PlatformEventsAnswer(events=present_all(page.items, contract.PlatformEvent), next=page.next)


async def list_posts(call: Call) -> contract.PostsAnswer:
    query = call.query(contract.PostsQuery)
    page = await call.read(
        posts.list_page,
        actor=call.actor,
        platform=query.platform,
        state=query.state,
        after=query.after,
        limit=query.limit,
    )
    return contract.PostsAnswer(posts=present_all(page.items, contract.Post), next=page.next)


async def get_post(call: Call) -> contract.PostAnswer:
    post = await call.read(posts.get, actor=call.actor, id=call.number())
    return contract.PostAnswer(post=present(post, contract.Post))


async def retry_post(call: Call) -> contract.PostAnswer:
    post = await call.write(posts.retry, actor=call.actor, id=call.number())
    return contract.PostAnswer(post=present(post, contract.Post))


async def send_post(call: Call) -> contract.PostAnswer:
    request = call.body(contract.SendPost)
    post = await call.write(
        posts.send_by_hand,
        actor=call.actor,
        platform=request.platform,
        app_id=request.app_id,
        to=request.to,
        text=request.text,
        client_id=request.client_id,
    )
    return contract.PostAnswer(post=present(post, contract.Post))


async def _reload(call: Call, platform: str) -> contract.ReloadedAnswer:
    """Every entry is checked with the platform before any of them counts."""
    path = call.services.settings.platform_config(platform)
    entries, from_file = [], path.exists()
    if from_file:
        for found in read_entries(path, platform=platform):
            with about(found.where):
                checked = await check(
                    platform,
                    app_id=found.app_id,
                    credentials=found.credentials,
                    base_url=found.base_url,
                    options=found.options,
                )
            app_id = checked.app_id or found.app_id
            sealed = seal(call.services.key, found.credentials, bound=f"{platform}:{app_id}")
            entries.append(
                Entry(
                    platform=platform,
                    app_id=app_id,
                    sealed=sealed,
                    agent=found.agent,
                    label=_or_keep(found.label),
                    name=_or_keep(checked.name),
                    bot_id=_or_keep(checked.bot_id),
                    base_url=found.base_url,
                    options=found.options,
                    notify_chat=found.notify_chat,
                    from_file=True,
                    where=found.where,
                    rebind=True,
                )
            )
    loaded = await call.write(bots.reload, actor=call.actor, platform=platform, entries=entries, from_file=from_file)
    return contract.ReloadedAnswer(bots=present_all(loaded, contract.Bot), file=str(path) if from_file else None)


def _or_keep(text: str) -> str | Keep:
    return text or KEEP
