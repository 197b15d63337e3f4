"""Tokens in the database."""

import json
from collections.abc import Mapping

from pal_server.domain.pages import Place
from pal_server.domain.tokens import Token, TokenKind
from pal_server.storage.tx import Row, Tx


def insert(tx: Tx, token: Token, *, secret_hash: str) -> None:
    tx.sql.run(
        "tokens.insert",
        id=token.id,
        workspace_id=token.workspace_id,
        kind=token.kind,
        hash=secret_hash,
        name=token.name,
        subject=token.subject,
        scopes=json.dumps(token.scopes),
        created_by=token.created_by,
        now=token.created_at,
        expires_at=token.expires_at,
    )


def find_live(tx: Tx, *, secret_hash: str) -> Token | None:
    row = tx.sql.one("tokens.find_live", hash=secret_hash, now=tx.now)
    return None if row is None else _token(row)


def is_struck_off(tx: Tx, *, secret_hash: str) -> bool:
    """Whether the secret was the key of a computer that is revoked."""
    return tx.sql.one("tokens.is_struck_off", hash=secret_hash) is not None


def user_of(tx: Tx, token: Token) -> Row | None:
    """id, username, display_name and role of the user a token speaks for, unless disabled."""
    return tx.sql.one("tokens.user_of", workspace_id=token.workspace_id, user_id=token.subject)


def computer_of(tx: Tx, token: Token) -> Row | None:
    """id and name of the computer a key belongs to, unless revoked."""
    return tx.sql.one("tokens.computer_of", computer_id=token.subject)


def run_of(tx: Tx, token: Token) -> Row | None:
    """id, agent, room_id, topic_id, computer_id and the agent's display_name of the live run a token speaks in."""
    return tx.sql.one("tokens.run_of", run_id=int(token.subject))


def get(tx: Tx, id: str, *, workspace_id: str) -> Token | None:
    row = tx.sql.one("tokens.get", workspace_id=workspace_id, id=id)
    return None if row is None else _token(row)


def by_prefix(tx: Tx, prefix: str, *, workspace_id: str) -> list[str]:
    return [row.id for row in tx.sql.all("tokens.by_prefix", workspace_id=workspace_id, pattern=prefix + "%")]


def list_page(tx: Tx, *, workspace_id: str, subject: str | None, place: Place, limit: int) -> list[Token]:
    """Newest first; of one user, or of everybody."""
    if subject is None:
        rows = tx.sql.all("tokens.list_page", workspace_id=workspace_id, at=place.at, id=place.id, limit=limit)
    else:
        rows = tx.sql.all(
            "tokens.list_page_of",
            workspace_id=workspace_id,
            subject=subject,
            at=place.at,
            id=place.id,
            limit=limit,
        )
    return [_token(row) for row in rows]


def revoke(tx: Tx, id: str) -> bool:
    """False when it was revoked before."""
    return tx.sql.run("tokens.revoke", id=id, now=tx.now) == 1


def set_hash(tx: Tx, id: str, *, secret_hash: str) -> bool:
    """False when it was revoked."""
    return tx.sql.run("tokens.set_hash", id=id, hash=secret_hash) == 1


def revoke_of(tx: Tx, *, workspace_id: str, kind: TokenKind, subject: str, except_id: str = "") -> int:
    return tx.sql.run(
        "tokens.revoke_of",
        workspace_id=workspace_id,
        kind=kind,
        subject=subject,
        except_id=except_id,
        now=tx.now,
    )


def revoke_made_by(tx: Tx, *, workspace_id: str, kind: TokenKind, created_by: str, name: str) -> int:
    """End the tokens of that name that somebody made; how many."""
    return tx.sql.run(
        "tokens.revoke_made_by", workspace_id=workspace_id, kind=kind, created_by=created_by, name=name, now=tx.now
    )


def touch(tx: Tx, used: Mapping[str, int]) -> None:
    tx.sql.many("tokens.touch", [{"id": token, "at": at} for token, at in sorted(used.items())])


def forget(tx: Tx, *, before: int) -> int:
    return tx.sql.run("tokens.forget", before=before)


def _token(row: Row) -> Token:
    return Token(
        id=row.id,
        workspace_id=row.workspace_id,
        kind=TokenKind(row.kind),
        name=row.name,
        subject=row.subject,
        scopes=tuple(json.loads(row.scopes)),
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
