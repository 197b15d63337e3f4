"""Keys and names of users and agents, which share one namespace, because both are called with an @."""

import re

from pal_server.errors import Invalid

KEY = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
OWN_NAMES = frozenset({"system", "pal"})  # under which pal itself speaks
RESERVED = OWN_NAMES | {"all", "everyone", "here", "room", "channel"}  # and words people put after an @
AT = "[@\uff20]"  # also the wide one that Chinese and Japanese keyboards type
LABEL_LIMIT = 100  # characters of a display name, a token's name, an account's label


def parse_key(key: str, *, field: str) -> str:
    """The key of an agent or name of a user, or `Invalid`."""
    if not KEY.fullmatch(key):
        raise Invalid(
            f"{field} has 1 to 64 lower-case letters, digits, dots, dashes or underscores and begins with a letter or"
            " digit",
            field=field,
        )
    if key in RESERVED:
        raise Invalid(f"{key} is a reserved word: choose another {field}", field=field, value=key)
    return key


def parse_label(label: str, *, field: str) -> str:
    """A name for people on one line, without surrounding space, or `Invalid`."""
    label = " ".join(label.split())
    if not label or not label.isprintable():
        raise Invalid(f"{field} is empty or holds characters that cannot be shown", field=field)
    if len(label) > LABEL_LIMIT:
        raise Invalid(f"{field} has more than {LABEL_LIMIT} characters", field=field, limit=LABEL_LIMIT)
    return label
