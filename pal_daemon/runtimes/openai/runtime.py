"""The `openai` runtime: any endpoint that speaks OpenAI's Chat Completions. It talks; it has no tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import msgspec

from pal_daemon.runtimes.afresh import remind
from pal_daemon.runtimes.base import CannotStart, Capabilities, Context, Discovery, LaunchSpec, Reader, Surroundings
from pal_daemon.runtimes.lean_environment import lean_environment
from pal_daemon.runtimes.offer import CannotTell, Offer
from pal_daemon.runtimes.openai.offer import read_offer
from pal_daemon.runtimes.openai.reader import OpenAiReader
from pal_daemon.runtimes.pictures import pictures_of
from pal_daemon.runtimes.profile import account_of, given_names
from pal_daemon.runtimes.way_in import BY_KEY, OUT, WayIn, key_in
from pal_server.contract.deliveries import Work

PROGRAM = Path(__file__).with_name("program.py")
LOGIN = ("OPENAI_API_KEY", "OPENAI_BASE_URL")  # of the daemon; only for agents without an account
NEEDS = "give the agent an account with --env OPENAI_BASE_URL=https://…/v1 and --env OPENAI_API_KEY=…"
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
RETRIES = 5
GONE = "it is gone from this computer"


class OpenAiRuntime:
    name = "openai"
    way_in = WayIn(
        programs=(),
        home=lambda home: {},
        look=lambda program, env: BY_KEY if key_in(env, "OPENAI_API_KEY") else OUT,
        key="OPENAI_API_KEY",
        reads=LOGIN,
    )
    capabilities = Capabilities(resume=True, interrupt=True, images=True, usage=True, effort=True)

    def discover(self, surroundings: Surroundings) -> Discovery:
        note = "" if surroundings.env.get("OPENAI_BASE_URL") else NEEDS
        return Discovery(is_available=True, version="1", note=note)

    def offer(self, program: Path | None, *, env: Mapping[str, str], folder: Path, args: Sequence[str]) -> Offer:
        key = env.get("OPENAI_API_KEY")
        try:
            address, headers = _address(env.get("OPENAI_BASE_URL")), _headers(args)
        except CannotStart as reason:
            raise CannotTell(str(reason)) from reason
        return read_offer(address, headers={**({"Authorization": f"Bearer {key}"} if key else {}), **headers})

    def launch(self, work: Work, context: Context) -> LaunchSpec:
        account = account_of(work)
        has_account = work.agent.account is not None or bool(account.env)
        env = lean_environment(context.env, given=given_names(work), own=() if has_account else LOGIN)
        if not work.agent.model:
            raise CannotStart("spawn", f"{work.agent.key} has no model: name one the endpoint has with --model")
        folder = context.scratch / "conversations"
        session, is_lost = _session(work.native_session, folder)
        effort, notices = work.agent.effort, []
        if effort is not None and effort not in EFFORTS:
            notices.append(f"the effort {effort} is none an endpoint knows, so it was left out")
            effort = None
        task = {
            "type": "prompt",
            "text": remind(work.prompt, recap=work.recap) if is_lost else work.prompt,
            "pictures": [f"data:{picture.mime};base64,{picture.encoded()}" for picture in pictures_of(work)],
            "url": _address(env.get("OPENAI_BASE_URL")),
            "model": work.agent.model,
            "effort": effort,
            "session": session,
            "folder": str(folder),
            "headers": _headers(account.args),
            "retries": _retries(env.get("OPENAI_MAX_RETRIES")),
        }
        return LaunchSpec(
            argv=(context.python, "-I", "-S", str(PROGRAM)),
            env=env,
            is_env_whole=True,
            input=msgspec.json.encode(task) + b"\n",
            close_input=True,
            memo={
                "run": context.run,
                "lost": {"reason": GONE, "recap": bool(work.recap)} if is_lost else None,
                "notices": notices,
            },
        )

    def reader(self) -> Reader:
        return OpenAiReader()


def _session(native: str | None, folder: Path) -> tuple[str, bool]:
    """The conversation to go on with, else a new one, and whether that is in place of one that is lost."""
    if native is None:
        return str(uuid4()), False
    try:
        known = str(UUID(native))
    except ValueError:
        return str(uuid4()), True
    return (known, False) if _is_whole(folder / f"{known}.json") else (str(uuid4()), True)


def _is_whole(file: Path) -> bool:
    """A damaged file is no conversation: the program would go on without a word of it."""
    try:
        return bool(msgspec.json.decode(file.read_bytes(), type=list[dict[str, str]]))
    except (OSError, msgspec.MsgspecError):
        return False


def _address(base: str | None) -> str:
    if not base:
        raise CannotStart("auth", f"there is no endpoint: {NEEDS}")
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise CannotStart("auth", f"OPENAI_BASE_URL is no address: {base!r}; {NEEDS}")
    path = base.rstrip("/")
    return path if path.endswith("/chat/completions") else f"{path}/chat/completions"


def _headers(args: Sequence[str]) -> dict[str, str]:
    """`--header 'api-key: …'` of an account's arguments, for endpoints that want something of their own."""
    headers: dict[str, str] = {}
    words = iter(args)
    for word in words:
        name, colon, value = next(words, "").partition(":")
        if word != "--header" or not colon or not name.strip() or not (name + value).isprintable():
            raise CannotStart("spawn", "the account's arguments may only be --header 'Name: value' pairs")
        headers[name.strip()] = value.strip()
    return headers


def _retries(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 3 else RETRIES
