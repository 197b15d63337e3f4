"""The SDK as pal uses it, loaded when a bot is opened; one of its clients for each socket.

It is asked for what it does well, frames, routing and acknowledgements. What it does not do well is not asked for: its
`start` swallows cancellation, sleeps ten seconds after a cut and not at all after a clean end; opening a connection and
getting a token block the loop without a timeout; and its loggers print tickets.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dingtalk_stream import CallbackHandler, CallbackMessage, DingTalkStreamClient

Json = dict[str, Any]
Take = Callable[[str, Json], Awaitable[tuple[int, Any]]]  # (topic, data) → code and what the acknowledgement carries

MESSAGES = "/v1.0/im/bot/messages/get"
PRESSES = "/v1.0/card/instances/callback"
DISCONNECT = "disconnect"  # what `route_message` says of the frame that announces a socket's end
SPEAKERS = ("dingtalk_stream.client", "dingtalk_stream.handler", "dingtalk_stream.card_replier")


def load() -> None:
    """Import it, which takes a moment, and keep it from printing. A second call does nothing more."""
    for name in SPEAKERS:
        logging.getLogger(name).addHandler(logging.NullHandler())  # else each gets a handler that prints to stderr
    import dingtalk_stream  # noqa: F401


def client(*, client_id: str, take: Take, log: logging.Logger) -> DingTalkStreamClient:
    """One for one socket: it answers on the socket it holds, also while another takes its place. Without the secret."""
    from dingtalk_stream import Credential, DingTalkStreamClient

    made = DingTalkStreamClient(Credential(client_id, ""), logger=log)
    for topic in (MESSAGES, PRESSES):
        made.register_callback_handler(topic, _handler(topic, take))
    for name in SPEAKERS:
        logging.getLogger(name).setLevel(logging.ERROR)  # each construction sets INFO
    return made


def _handler(topic: str, take: Take) -> CallbackHandler:
    """Acknowledges when `take` has returned, with its code; the SDK sends nothing for one that raises."""
    from dingtalk_stream import CallbackHandler

    async def process(message: CallbackMessage) -> tuple[int, Any]:
        return await take(topic, message.data)

    made = CallbackHandler()
    made.process = process
    return made


def subscriptions(of: DingTalkStreamClient) -> list[Json]:
    return [{"type": "CALLBACK", "topic": topic} for topic in of.callback_handler_map]


def agent() -> str:
    """As the SDK calls itself to DingTalk."""
    from dingtalk_stream.version import VERSION_STRING

    return f"dingtalk-sdk-python/v{VERSION_STRING}-union"
