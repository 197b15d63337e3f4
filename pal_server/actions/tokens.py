"""Tokens: who a credential stands for, and giving credentials out and taking them back.

Secrets never come here, only their hashes. Whatever ends a credential or changes what it may do wakes `tokens`, so that
those who remember look-ups, or serve a stream, look again.
"""

from collections.abc import Mapping, Sequence

from pal_server.actions import access, audit, client_ids
from pal_server.domain.actors import Actor, ActorKind, Role, rank
from pal_server.domain.names import parse_label
from pal_server.domain.pages import NEWEST, Page, page_of, parse_limit, parse_place, render_place
from pal_server.domain.tokens import Token, TokenKind, capped_role, parse_expiry, parse_scopes
from pal_server.domain.users import check_may_manage
from pal_server.errors import Conflict, Forbidden, Invalid
from pal_server.storage import invites, tokens, users
from pal_server.storage.tx import Tx

_SERVER = "system:pal"  # who made the tokens of the server's own bridges
BY_TOKEN = "log-in by token"  # the name of a session that was begun with a user's token
CHANGED = "tokens"  # the wake-up for everybody who remembers what a credential stands for


def authenticate(tx: Tx, *, secret_hash: str) -> Actor | None:
    """Who the secret stands for; None when nobody knows it or it has ended, whatever the reason.

    A token has ended when it expired or was revoked, its user is disabled, its computer is revoked or its run is over.
    """
    token = tokens.find_live(tx, secret_hash=secret_hash)
    return None if token is None else actor_of(tx, token=token)


def is_struck_off(tx: Tx, *, secret_hash: str) -> bool:
    """Whether a secret that stands for nobody is the key of a revoked computer: its daemon has to end its agents."""
    return tokens.is_struck_off(tx, secret_hash=secret_hash)


def actor_of(tx: Tx, *, token: Token) -> Actor | None:
    """The actor a live token stands for. Log-in links are no actors."""
    match token.kind:
        case TokenKind.USER | TokenKind.SESSION:
            return _user(tx, token)
        case TokenKind.COMPUTER:
            return _computer(tx, token)
        case TokenKind.RUN:
            return _run(tx, token)
        case TokenKind.BRIDGE:
            return _bridge(tx, token)
        case TokenKind.INVITE:
            return _guest(tx, token)
        case TokenKind.SHARE | TokenKind.CODE:
            return None


def issue(
    tx: Tx,
    *,
    kind: str,
    subject: str,
    name: str,
    workspace_id: str,
    created_by: str,
    secret_hash: str,
    scopes: Sequence[str] = (),
    expires_at: int | None = None,
) -> Token:
    """Make the secret valid. For other actions, which have asked whether it may be given out."""
    token = Token(
        id=tx.new_id("token"),
        workspace_id=workspace_id,
        kind=TokenKind(kind),
        name=name,
        subject=subject,
        scopes=tuple(scopes),
        created_by=created_by,
        created_at=tx.now,
        expires_at=expires_at,
        last_used_at=None,
        revoked_at=None,
    )
    tokens.insert(tx, token, secret_hash=secret_hash)
    return token


def create(
    tx: Tx,
    *,
    actor: Actor,
    name: str,
    secret_hash: str,
    kind: str = "user",
    user: str | None = None,
    scopes: Sequence[str] = (),
    expires_at: int | None = None,
    client_id: str | None = None,
) -> Token:
    """Give out a user's or bridge's token: for oneself, or by an admin for another user. It never can more than its
    maker, and not longer than the token that makes it.

    Said again with the same `client_id` before anybody used it, the token gets the new secret in place of the one whose
    answer was lost: an existing secret is never told again.
    """
    access.need(actor, Role.VIEWER)
    if kind not in (TokenKind.USER, TokenKind.BRIDGE):
        raise Invalid(f"a {kind} token is not made here: this makes user and bridge tokens", field="kind", value=kind)
    if kind == TokenKind.BRIDGE:
        access.need(actor, Role.ADMIN)
    owner = access.user(tx, actor, user or actor.id)
    if owner.id != actor.id:
        check_may_manage(actor, owner)
    given = parse_scopes(scopes, kind=TokenKind(kind))
    if kind == TokenKind.USER and actor.role is not None and rank(capped_role(owner.role, given)) > rank(actor.role):
        given = parse_scopes([*given, f"role:{actor.role}"], kind=TokenKind.USER)
    said = {"name": name, "kind": kind, "user": owner.id, "scopes": list(scopes), "expires_at": expires_at}
    if (made := client_ids.earlier(tx, actor=actor, client_id=client_id, verb="tokens.create", said=said)) is not None:
        return _create_again(tx, actor=actor, id=made, secret_hash=secret_hash, scopes=given)
    token = issue(
        tx,
        kind=kind,
        subject=owner.id,
        name=parse_label(name, field="name"),
        workspace_id=actor.workspace_id,
        created_by=actor.key,
        secret_hash=secret_hash,
        scopes=given,
        expires_at=_soonest(parse_expiry(expires_at, now=tx.now), _end_of(tx, actor)),
    )
    audit.record(
        tx,
        actor=actor,
        action="token.created",
        target=token.id,
        detail={"kind": token.kind, "name": token.name, "user": owner.username, "scopes": list(given)},
    )
    client_ids.remember(tx, actor=actor, client_id=client_id, verb="tokens.create", said=said, target=token.id)
    return token


def list_page(tx: Tx, *, actor: Actor, after: str | None, limit: int) -> Page[Token]:
    """Newest first; one's own, for admins those of everybody. Ended ones too."""
    access.need(actor, Role.VIEWER)
    count = parse_limit(limit)
    found = tokens.list_page(
        tx,
        workspace_id=actor.workspace_id,
        subject=None if actor.is_at_least(Role.ADMIN) else actor.id,
        place=parse_place(after, default=NEWEST),
        limit=count + 1,
    )
    return page_of(found, limit=count, cursor=lambda token: render_place(token.created_at, token.id))


def revoke(tx: Tx, *, actor: Actor, ref: str) -> Token:
    """End a token at once, and the sessions that were begun with it. A second time changes nothing."""
    token = access.token(tx, actor, ref)
    _check_may_revoke(tx, actor=actor, token=token)
    if tokens.revoke(tx, token.id):
        tokens.revoke_made_by(
            tx, workspace_id=token.workspace_id, kind=TokenKind.SESSION, created_by=maker(token), name=BY_TOKEN
        )
        tx.wake(CHANGED)
        if token.kind is TokenKind.COMPUTER:
            tx.wake(f"computer:{token.subject}")
        audit.record(
            tx, actor=actor, action="token.revoked", target=token.id, detail={"kind": token.kind, "name": token.name}
        )
    return access.token(tx, actor, token.id)


def maker(token: Token) -> str:
    """Who made what a token's holder got by it."""
    return f"token:{token.id}"


def revoke_of(tx: Tx, *, workspace_id: str, kind: str, subject: str, except_id: str | None = None) -> int:
    """End every token of a kind that speaks for `subject`; how many. For other actions."""
    revoked = tokens.revoke_of(
        tx, workspace_id=workspace_id, kind=TokenKind(kind), subject=subject, except_id=except_id or ""
    )
    if revoked:
        tx.wake(CHANGED)
    return revoked


def issue_for_bridge(tx: Tx, *, workspace_id: str, platform: str, secret_hash: str) -> Token:
    """The credential of a bridge the server itself starts: of that platform alone, and the only one of its kind."""
    owner = users.first_owner(tx, workspace_id=workspace_id)
    if owner is None:
        raise Conflict("no owner of the workspace may log in, so no bridge can speak for it")
    end_of_bridge(tx, workspace_id=workspace_id, platform=platform)
    return issue(
        tx,
        kind=TokenKind.BRIDGE,
        subject=owner,
        name=f"{platform} bridge",
        workspace_id=workspace_id,
        created_by=_SERVER,
        secret_hash=secret_hash,
        scopes=(f"platform:{platform}",),
    )


def end_of_bridge(tx: Tx, *, workspace_id: str, platform: str) -> int:
    """End what `issue_for_bridge` made; how many."""
    ended = tokens.revoke_made_by(
        tx, workspace_id=workspace_id, kind=TokenKind.BRIDGE, created_by=_SERVER, name=f"{platform} bridge"
    )
    if ended:
        tx.wake(CHANGED)
    return ended


def touch(tx: Tx, *, used: Mapping[str, int]) -> None:
    """Note when tokens were last used: id → UTC milliseconds. In batches; a crash may lose the newest."""
    tokens.touch(tx, used)


def forget(tx: Tx, *, before: int) -> int:
    """Drop what ended before that moment and comes and goes by itself: sessions, log-in links, tokens of runs."""
    return tokens.forget(tx, before=before)


def _end_of(tx: Tx, actor: Actor) -> int | None:
    """When the user's token ends that the actor came with, or began its session with; None when it does not."""
    own = None if actor.token_id is None else tokens.get(tx, actor.token_id, workspace_id=actor.workspace_id)
    if own is not None and own.kind is TokenKind.SESSION:
        own = tokens.get(tx, own.created_by.removeprefix("token:"), workspace_id=actor.workspace_id)
    return None if own is None or own.kind is not TokenKind.USER else own.expires_at


def _soonest(*ends: int | None) -> int | None:
    return min((end for end in ends if end is not None), default=None)


def _create_again(tx: Tx, *, actor: Actor, id: str, secret_hash: str, scopes: tuple[str, ...]) -> Token:
    token = access.token(tx, actor, id)
    if token.scopes != scopes:  # a narrower credential of the same user repeats what a wider one asked for
        raise Forbidden(f"the token {token.name} was made with more rights than you can give", token=id)
    if token.last_used_at is not None or not tokens.set_hash(tx, id, secret_hash=secret_hash):
        raise Conflict(
            f"the token {token.name} is made and was used or revoked since: revoke it and make another", token=id
        )
    tx.wake(CHANGED)
    audit.record(tx, actor=actor, action="token.secret_renewed", target=id, detail={"name": token.name})
    return token


def _check_may_revoke(tx: Tx, *, actor: Actor, token: Token) -> None:
    if token.subject == actor.id:
        return
    access.need(actor, Role.ADMIN)
    owner = tokens.user_of(tx, token)
    if owner is not None and owner.role == Role.OWNER and not actor.is_at_least(Role.OWNER):
        raise Forbidden("only an owner revokes an owner's token", needs=Role.OWNER)


def _user(tx: Tx, token: Token) -> Actor | None:
    row = tokens.user_of(tx, token)
    if row is None:
        return None
    return Actor(
        kind=ActorKind.USER,
        workspace_id=token.workspace_id,
        id=row.id,
        name=row.username,
        display_name=row.display_name,
        role=capped_role(Role(row.role), token.scopes),
        token_id=token.id,
        scopes=frozenset(token.scopes),
    )


def _computer(tx: Tx, token: Token) -> Actor | None:
    row = tokens.computer_of(tx, token)
    if row is None:
        return None
    return Actor(
        kind=ActorKind.COMPUTER,
        workspace_id=token.workspace_id,
        id=row.id,
        name=row.name,
        display_name=row.name,
        token_id=token.id,
        computer_id=row.id,
    )


def _run(tx: Tx, token: Token) -> Actor | None:
    row = tokens.run_of(tx, token)
    if row is None:
        return None
    return Actor(
        kind=ActorKind.RUN,
        workspace_id=token.workspace_id,
        id=row.agent,
        name=row.agent,
        display_name=row.display_name,
        token_id=token.id,
        agent=row.agent,
        run_id=row.id,
        room_id=row.room_id,
        topic_id=row.topic_id,
        computer_id=row.computer_id,
    )


def _guest(tx: Tx, token: Token) -> Actor | None:
    row = invites.good_guest(tx, token.subject)
    if row is None:
        return None
    return Actor(
        kind=ActorKind.GUEST,
        workspace_id=token.workspace_id,
        id=row.id,
        name=row.name,
        display_name=row.name,
        token_id=token.id,
        room_id=row.room_id,
    )


def _bridge(tx: Tx, token: Token) -> Actor | None:
    row = tokens.user_of(tx, token)
    if row is None:
        return None
    return Actor(
        kind=ActorKind.BRIDGE,
        workspace_id=token.workspace_id,
        id=token.id,
        name=token.name,
        display_name=token.name,
        token_id=token.id,
        ceiling=Role(row.role),
        scopes=frozenset(token.scopes),
    )
