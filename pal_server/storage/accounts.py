"""Accounts in the database."""

import json

from pal_server.domain.accounts import Account
from pal_server.domain.pages import Place
from pal_server.storage.tx import Row, Tx


def insert(tx: Tx, account: Account) -> None:
    tx.sql.run(
        "accounts.insert",
        id=account.id,
        workspace_id=account.workspace_id,
        computer_id=account.computer,
        runtime=account.runtime,
        label=account.label,
        bin=account.bin,
        home=account.home,
        env=json.dumps(account.env),
        args=json.dumps(account.args),
        now=account.created_at,
    )


def get(tx: Tx, id: str, *, workspace_id: str) -> Account | None:
    row = tx.sql.one("accounts.get", workspace_id=workspace_id, id=id)
    return None if row is None else _account(row)


def find(tx: Tx, *, computer_id: str, runtime: str, label: str) -> str | None:
    row = tx.sql.one("accounts.find", computer_id=computer_id, runtime=runtime, label=label)
    return None if row is None else row.id


def by_label(tx: Tx, label: str, *, workspace_id: str) -> list[str]:
    return [row.id for row in tx.sql.all("accounts.by_label", workspace_id=workspace_id, label=label)]


def by_prefix(tx: Tx, prefix: str, *, workspace_id: str) -> list[str]:
    return [row.id for row in tx.sql.all("accounts.by_prefix", workspace_id=workspace_id, pattern=prefix + "%")]


def list_page(tx: Tx, *, workspace_id: str, place: Place, limit: int) -> list[Account]:
    rows = tx.sql.all("accounts.list_page", workspace_id=workspace_id, at=place.at, id=place.id, limit=limit)
    return [_account(row) for row in rows]


def set_disabled(tx: Tx, id: str, *, disabled: bool) -> None:
    tx.sql.run("accounts.set_disabled", id=id, disabled=int(disabled))


def users_of(tx: Tx, id: str) -> list[str]:
    """Keys of the agents that use it."""
    return [row.key for row in tx.sql.all("accounts.users_of", account_id=id)]


def all_users(tx: Tx, *, workspace_id: str) -> dict[str, list[str]]:
    """Keys of the agents that use each account that is used."""
    users: dict[str, list[str]] = {}
    for row in tx.sql.all("accounts.all_users", workspace_id=workspace_id):
        users.setdefault(row.account_id, []).append(row.key)
    return users


def delete(tx: Tx, id: str) -> None:
    tx.sql.run("accounts.delete", id=id)


def _account(row: Row) -> Account:
    return Account(
        id=row.id,
        workspace_id=row.workspace_id,
        computer=row.computer_id,
        runtime=row.runtime,
        label=row.label,
        bin=row.bin,
        home=row.home,
        env=json.loads(row.env),
        args=tuple(json.loads(row.args)),
        disabled=bool(row.disabled),
        created_at=row.created_at,
    )
