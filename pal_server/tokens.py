"""Chance for secrets: the one place where a secret is made. Only its hash is kept."""

import hashlib
import secrets

MACHINE = "sk_machine_"  # a computer's key
USER = "pal_user_"
SESSION = "pal_session_"  # in the cookie of a browser
RUN = "pal_run_"
BRIDGE = "pal_bridge_"
INVITE = "pal_invite_"  # in an invite link
GUEST = "pal_guest_"  # of who joined by one
SHARE = "pal_share_"  # in a share link
CODE = "pal_code_"  # in a log-in link, works once


def new_secret(prefix: str, /) -> tuple[str, str]:
    """A secret of 256 random bits and its hash. Give the secret away once, store the hash."""
    secret = prefix + secrets.token_urlsafe(32)
    return secret, hash_secret(secret)


def hash_secret(secret: str, /) -> str:
    """SHA-256 in hex. A fast hash is enough: 256 random bits cannot be guessed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
