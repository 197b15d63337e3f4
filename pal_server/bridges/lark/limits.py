"""How fast Lark may be written to. Pure.

Lark counts in any second: 50 requests of an app (and 1,000 in a minute), 5 messages in a chat by all bots together, 5
changes of a message. A bucket that fills with r and holds b lets r + b pass within one second, so the sums stay below.
"""

from pal_server.bridges.outbound import EditCard, EditText, Outgoing, React, Unreact, Withdraw
from pal_server.bridges.platform import Charge, Limits

FILE_BYTES = 30_000_000
IMAGE_BYTES = 10_000_000

LIMITS = Limits(
    text=28_000,  # bytes of 30 KB: room for what surrounds the content in a request
    edit_every=1.0,  # Lark takes five a second, but a tenant that does not pay has 10,000 calls a month
    file_bytes=FILE_BYTES,
)


def app_bucket(app_id: str) -> str:
    return f"app:{app_id}"


def place_bucket(out: Outgoing) -> str:
    """The bucket of the chat a message is put into, or of the message that is changed."""
    if isinstance(out, EditText | EditCard | Withdraw):
        return f"message:{out.ref}"
    return f"chat:{out.place.chat}"


def charges(app_id: str, out: Outgoing) -> tuple[Charge, ...]:
    """What this send counts against."""
    app = (
        Charge(app_bucket(app_id), per_second=30, burst=15),
        Charge(f"{app_bucket(app_id)}:minute", per_second=14, burst=150),
    )
    if isinstance(out, React | Unreact):
        return app
    return (*app, Charge(place_bucket(out), per_second=4, burst=1))
