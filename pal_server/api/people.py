"""Logging in and out, users, tokens and the audit log."""

import asyncio
import logging

import msgspec
from aiohttp.web_response import StreamResponse

from pal_server import tokens as secret_words
from pal_server.actions import audit, login, tokens, users
from pal_server.actions.login import LoggedIn
from pal_server.api.answers import answer_response
from pal_server.api.auth import refusal
from pal_server.api.fields import keep
from pal_server.api.present import present, present_all, present_me
from pal_server.api.routing import Call
from pal_server.contract import people as contract
from pal_server.contract.base import Done, Page
from pal_server.domain.keep import KEEP, Keep
from pal_server.domain.tokens import Token
from pal_server.domain.users import parse_password
from pal_server.errors import Invalid
from pal_server.passwords import hash_password, verify_password
from pal_server.tokens import hash_secret

log = logging.getLogger(__name__)


async def log_in(call: Call) -> StreamResponse:
    """Sets the session cookie. What was wrong with a wrong credential is never said."""
    request = call.body(contract.Login)
    _need_one_way(request)
    name = None if request.username is None else request.username.strip().lower()
    address = call.http.remote or ""
    throttle = call.services.throttle
    refused = throttle.refusal(name=name, address=address)
    if refused is not None and not await _knows_secret(call, request):
        raise refused
    throttle.tried(name=name, address=address)
    secret, session_hash = secret_words.new_secret(secret_words.SESSION)
    entered = await _enter(call, request, session_hash=session_hash)
    if entered is None:
        log.warning("a log-in failed", extra={"action": "login.failed", "remote": address})
        raise refusal()
    throttle.succeeded(name=name, address=address)
    answer = contract.MeAnswer(me=present_me(entered.actor))
    response = answer_response(answer, status=200, request_id=call.request_id)
    response.set_cookie(
        call.services.cookie,
        secret,
        max_age=max(0, (entered.expires_at - call.services.clock()) // 1000),
        httponly=True,
        samesite="Lax",
        secure=call.http.headers.get("X-Forwarded-Proto") == "https",
        path="/",
    )
    return response


async def log_out(call: Call) -> StreamResponse:
    """Ends the session on the server and the cookie in the browser; a program's token stays good."""
    await call.services.store.write(login.log_out, actor=call.actor)
    response = answer_response(Done(), status=200, request_id=call.request_id)
    response.del_cookie(call.services.cookie, path="/")
    return response


async def me(call: Call) -> contract.MeAnswer:
    return contract.MeAnswer(me=present_me(call.actor))


async def list_users(call: Call) -> contract.UsersAnswer:
    query = call.query(Page)
    page = await call.read(users.list_page, actor=call.actor, after=query.after, limit=query.limit)
    return contract.UsersAnswer(users=present_all(page.items, contract.User), next=page.next)


async def create_user(call: Call) -> contract.UserAnswer:
    request = call.body(contract.CreateUser)
    user = await call.write(
        users.create,
        actor=call.actor,
        username=request.username,
        display_name=request.display_name,
        role=request.role,
        password_hash=None if request.password is None else await _hashed(request.password, request.username),
        client_id=request.client_id,
    )
    return contract.UserAnswer(user=present(user, contract.User))


async def change_user(call: Call) -> contract.UserAnswer:
    request = call.body(contract.ChangeUser)
    username = call.text("username")
    password_hash: str | Keep = KEEP
    if not isinstance(request.password, msgspec.UnsetType):
        password_hash = await _hashed(request.password, username)
    user = await call.write(
        users.change,
        actor=call.actor,
        user=username,
        display_name=keep(request.display_name),
        role=keep(request.role),
        password_hash=password_hash,
        disabled=keep(request.disabled),
    )
    return contract.UserAnswer(user=present(user, contract.User))


async def list_tokens(call: Call) -> contract.TokensAnswer:
    query = call.query(Page)
    page = await call.read(tokens.list_page, actor=call.actor, after=query.after, limit=query.limit)
    return contract.TokensAnswer(tokens=[_token(token) for token in page.items], next=page.next)


async def create_token(call: Call) -> contract.CreatedTokenAnswer:
    request = call.body(contract.CreateToken)
    prefix = secret_words.BRIDGE if request.kind == "bridge" else secret_words.USER
    secret, secret_hash = secret_words.new_secret(prefix)
    token = await call.write(
        tokens.create,
        actor=call.actor,
        name=request.name,
        secret_hash=secret_hash,
        kind=request.kind,
        user=request.user,
        scopes=request.scopes,
        expires_at=request.expires_at,
        client_id=request.client_id,
    )
    return contract.CreatedTokenAnswer(token=_token(token), secret=secret)


async def revoke_token(call: Call) -> contract.TokenAnswer:
    token = await call.write(tokens.revoke, actor=call.actor, ref=call.text())
    return contract.TokenAnswer(token=_token(token))


async def list_audit(call: Call) -> contract.AuditAnswer:
    query = call.query(contract.AuditQuery)
    page = await call.read(audit.list_page, actor=call.actor, action=query.action, after=query.after, limit=query.limit)
    entries = [msgspec.convert(entry, contract.AuditEntry, from_attributes=True) for entry in page.items]
    return contract.AuditAnswer(audit=entries, next=page.next)


async def verify_audit(call: Call) -> contract.AuditVerified:
    found = await call.read(audit.verify, actor=call.actor)
    return msgspec.convert(found, contract.AuditVerified, from_attributes=True)


def _need_one_way(request: contract.Login) -> None:
    has_name = request.username is not None or request.password is not None
    if [request.token is not None, request.code is not None, has_name].count(True) != 1:
        raise Invalid("Give one of: token; code; username and password.", field="body")
    if has_name and (request.username is None or request.password is None):
        missing = "username" if request.username is None else "password"
        raise Invalid(f"{missing} is missing in the body.", field=missing)


async def _enter(call: Call, request: contract.Login, *, session_hash: str) -> LoggedIn | None:
    """By the one way the request gives; None for a wrong credential."""
    store = call.services.store
    if request.token is not None:
        return await store.write(login.with_token, token_hash=hash_secret(request.token), session_hash=session_hash)
    if request.code is not None:
        return await store.write(login.with_code, code_hash=hash_secret(request.code), session_hash=session_hash)
    assert request.username is not None, "`_need_one_way` has looked"
    assert request.password is not None, "`_need_one_way` has looked"
    stored = await store.read(login.password_of, username=request.username)
    is_right = await asyncio.to_thread(verify_password, stored, request.password)
    return await store.write(
        login.with_password,
        username=request.username,
        verified_hash=stored if is_right else None,
        session_hash=session_hash,
    )


async def _knows_secret(call: Call, request: contract.Login) -> bool:
    """Whether it brings a right token or code. Nobody guesses one of those, so a throttled address does not shut it
    out; what others do behind the same proxy must not keep an owner out.
    """
    secret, kind = (request.code, "code") if request.token is None else (request.token, "user")
    if secret is None:
        return False
    return await call.read(login.is_live, secret_hash=hash_secret(secret), kind=kind)


async def _hashed(password: str, username: str) -> str:
    parsed = parse_password(password, username=username)
    return await asyncio.to_thread(hash_password, parsed)


def _token(token: Token) -> contract.Token:
    return msgspec.convert(token, contract.Token, from_attributes=True)
