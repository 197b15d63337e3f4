"""Turns a claim's work into what the keeper starts: folder, environment and the runtime's own plan."""

from __future__ import annotations

import os
import sys

import msgspec

from pal_daemon import keeper_client
from pal_daemon.account_keys import with_keys
from pal_daemon.environment import run_environment
from pal_daemon.equipment import equip, isolate
from pal_daemon.folders import scratch_folder, working_folder
from pal_daemon.house import House
from pal_daemon.runtimes.base import CannotStart, Context
from pal_daemon.runtimes.registry import missing_note
from pal_server.contract.deliveries import Work
from pal_server.contract.runs import OpenedAnswer


def plan_start(house: House, work: Work, opened: OpenedAnswer) -> keeper_client.LaunchSpec:
    """Everything the keeper needs. Makes the agent's folder. Raises CannotStart, and whatever a plugin raises."""
    agent = work.agent
    runtime = house.registry.get(agent.runtime)
    if runtime is None:
        raise CannotStart("missing_program", missing_note(agent.runtime))
    try:
        work = with_keys(house.settings, work)
    except OSError as error:
        raise CannotStart("auth", f"the account of {agent.key} cannot be used: {error}") from error
    added = account_env(work)
    folder = working_folder(house.settings, agent=agent.key, cwd=agent.cwd)
    env = run_environment(
        os.environ,
        run=opened.run.id,
        token=opened.token,
        agent=agent.key,
        room=work.room_name,
        topic=work.topic,
        message=work.message,
        daemon_url=house.daemon_url,
        server_url=house.settings.server,
        program_folder=house.program_folder,
        more={**work.env, **added},
    )
    scratch = scratch_folder(house.settings, agent=agent.key, account=agent.account)
    equipment = equip(house.settings, runtime, work, run=opened.run.id, folder=folder, env=env)
    context = Context(
        run=opened.run.id,
        folder=folder,
        env=env,
        python=sys.executable,
        scratch=scratch,
        skills=equipment.skills,
        servers=equipment.servers,
        missing=equipment.missing,
    )
    plan = runtime.launch(work, context)
    memo = msgspec.json.encode(plan.memo) if plan.memo else None
    if memo is not None and len(memo) > keeper_client.MEMO:
        raise CannotStart("spawn", f"what {agent.key} is told is too long: {len(memo):,} bytes")
    whole_env = plan.env if plan.is_env_whole else {**env, **plan.env}
    isolation = agent.settings.get("isolation")
    return keeper_client.LaunchSpec(
        argv=isolate(plan.argv, isolation, folder=folder, scratch=scratch, env=whole_env),
        cwd=str(plan.cwd or folder),
        env=whole_env,
        input=plan.input,
        close_input=plan.close_input,
        memo=memo,
    )


def account_env(work: Work) -> dict[str, str]:
    """What the agent's account adds to the environment; its program, home and arguments are the runtime's business."""
    account = work.agent.settings.get("account")
    if not isinstance(account, dict):
        return {}
    if account.get("disabled"):
        raise CannotStart("auth", f"the account {account.get('label')} of {work.agent.key} is disabled")
    return {str(name): str(value) for name, value in (account.get("env") or {}).items()}
