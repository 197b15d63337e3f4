"""What an agent program needs of its computer's environment, and nothing else: its tools inherit all it gets."""

from __future__ import annotations

from collections.abc import Collection, Mapping

NAMES = frozenset(
    (
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "LANG",
        "LANGUAGE",
        "TERM",
        "COLORTERM",
        "TZ",
        "EDITOR",
        "SSH_AUTH_SOCK",  # as much as its HOME already gives: the keys in ~/.ssh
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "NODE_EXTRA_CA_CERTS",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "no_proxy",
        "all_proxy",
        "SYSTEMROOT",
        "LD_LIBRARY_PATH",
    )
)
PREFIXES = ("LC_", "XDG_", "PAL_")


def lean_environment(env: Mapping[str, str], *, given: Collection[str], own: Collection[str] = ()) -> dict[str, str]:
    """`env` without what nobody asked for. `given` are names the agent's profile and account set, `own` those the
    program itself reads.
    """
    return {
        name: value
        for name, value in env.items()
        if name in NAMES or name.startswith(PREFIXES) or name in given or name in own
    }
