"""Accounts: logins of runtimes on computers. By admins, because an account names a program that will be run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pal_server.actions import access, audit, client_ids, findings
from pal_server.domain.accounts import Account, parse_args, parse_env
from pal_server.domain.actors import Actor, ActorKind, Role
from pal_server.domain.agents import parse_runtime, parse_text
from pal_server.domain.findings import Finding
from pal_server.domain.names import parse_label
from pal_server.domain.pages import OLDEST, Page, page_of, parse_limit, parse_place, render_place
from pal_server.errors import AlreadyExists, Conflict
from pal_server.storage import accounts
from pal_server.storage.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An account, the agents that use it, and what its computer saw of its login last."""

    account: Account
    agents: tuple[str, ...]
    login: Finding | None

    def fact(self) -> dict[str, Any]:
        seen = {} if self.login is None or self.login.data is None else self.login.data
        return {
            **self.account.fact(),
            "agents": list(self.agents),
            "login": seen.get("state"),
            "login_method": seen.get("method", ""),
            "login_seen_at": None if self.login is None else self.login.found_at,
        }


def add(
    tx: Tx,
    *,
    actor: Actor,
    computer: str,
    runtime: str,
    label: str,
    bin: str | None = None,
    home: str | None = None,
    env: Mapping[str, str] | None = None,
    args: Sequence[str] = (),
    client_id: str | None = None,
) -> Standing:
    """The values of `env` reach the account's computer and nobody else; people see the names."""
    access.need(actor, Role.ADMIN)
    place = access.computer(tx, actor, computer)
    account = Account(
        id=tx.new_id("account"),
        workspace_id=actor.workspace_id,
        computer=place.id,
        runtime=parse_runtime(runtime),
        label=parse_label(label, field="label"),
        bin=None if bin is None else parse_text(bin, field="bin"),
        home=None if home is None else parse_text(home, field="home"),
        env=parse_env(env or {}),
        args=parse_args(args),
        disabled=False,
        created_at=tx.now,
    )
    said = {key: value for key, value in account.fact().items() if key not in ("id", "created_at")}
    if (made := client_ids.earlier(tx, actor=actor, client_id=client_id, verb="accounts.add", said=said)) is not None:
        return _standing(tx, access.account(tx, actor, made))
    if accounts.find(tx, computer_id=place.id, runtime=account.runtime, label=account.label) is not None:
        raise AlreadyExists(
            f"{place.name} already has an account {account.label} for {account.runtime}", label=account.label
        )
    accounts.insert(tx, account)
    client_ids.remember(tx, actor=actor, client_id=client_id, verb="accounts.add", said=said, target=account.id)
    tx.emit("account.added", workspace_id=actor.workspace_id, data=account.fact())
    audit.record(
        tx,
        actor=actor,
        action="account.added",
        target=account.id,
        detail={"computer": place.id, "runtime": account.runtime, "label": account.label, "bin": account.bin},
    )
    return _standing(tx, account)


def set_disabled(tx: Tx, *, actor: Actor, ref: str, disabled: bool) -> Standing:
    """A disabled account starts nothing; the answer names the agents that use it."""
    access.need(actor, Role.ADMIN)
    before = access.account(tx, actor, ref)
    if before.disabled is disabled:
        return _standing(tx, before)
    accounts.set_disabled(tx, before.id, disabled=disabled)
    tx.batch_cache.clear()
    after = access.account(tx, actor, before.id)
    tx.wake(f"computer:{after.computer}")
    tx.emit("account.changed", workspace_id=actor.workspace_id, data=after.fact())
    action = "account.disabled" if disabled else "account.enabled"
    audit.record(tx, actor=actor, action=action, target=after.id, detail={"label": after.label})
    standing = _standing(tx, after)
    for key in standing.agents:
        tx.emit("agent.changed", workspace_id=actor.workspace_id, data=access.agent(tx, actor, key).fact())
    return standing


def remove(tx: Tx, *, actor: Actor, ref: str) -> Standing:
    """Forget the login. `Conflict` while agents use it. Answers with the account as it was."""
    access.need(actor, Role.ADMIN)
    account = access.account(tx, actor, ref)
    if using := accounts.users_of(tx, account.id):
        raise Conflict(
            f"{', '.join(using)} use this account: give them another one first", account=account.id, agents=using
        )
    was = _standing(tx, account)
    findings.forget_account(tx, account.id)
    accounts.delete(tx, account.id)
    tx.emit("account.removed", workspace_id=actor.workspace_id, data=account.fact())
    audit.record(tx, actor=actor, action="account.removed", target=account.id, detail={"label": account.label})
    return was


def get(tx: Tx, *, actor: Actor, ref: str) -> Standing:
    return _standing(tx, access.account(tx, actor, ref))


def list_page(tx: Tx, *, actor: Actor, after: str | None, limit: int) -> Page[Standing]:
    """In order of adding. A computer sees its own ones, a run none."""
    if actor.kind is not ActorKind.COMPUTER:
        access.need(actor, Role.VIEWER)
    count = parse_limit(limit)
    found = accounts.list_page(
        tx, workspace_id=actor.workspace_id, place=parse_place(after, default=OLDEST), limit=count + 1
    )
    page = page_of(found, limit=count, cursor=lambda account: render_place(account.created_at, account.id))
    known = tuple(a for a in page.items if actor.kind is not ActorKind.COMPUTER or a.computer == actor.id)
    users = accounts.all_users(tx, workspace_id=actor.workspace_id)
    logins = findings.logins(tx, workspace_id=actor.workspace_id)
    shown = tuple(
        Standing(account=account, agents=tuple(users.get(account.id, ())), login=logins.get(account.id))
        for account in known
    )
    return Page(items=shown, next=page.next)


def _standing(tx: Tx, account: Account) -> Standing:
    return Standing(
        account=account,
        agents=tuple(accounts.users_of(tx, account.id)),
        login=findings.login_of(tx, account=account),
    )
