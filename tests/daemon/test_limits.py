"""What people are promised in seconds is kept by waits that add up to less; how long it took on a busy machine tells
nothing about that.
"""

from pal_daemon import attempt, daemon, heartbeat, process_tree
from pal_daemon.keeping import leftovers
from pal_server.api import auth, daemon_socket


def test_a_kill_is_over_within_ten_seconds() -> None:
    assert attempt.LATE + process_tree.FORCE_FOR < 10
    assert leftovers.FORCE_FOR < 10


def test_a_void_key_ends_its_daemon_within_five_seconds() -> None:
    assert max(heartbeat.WITHOUT_SOCKET, daemon_socket.FLOOR) + daemon.VOID_WITHIN < 5
    assert auth.KEPT_FOR < 5
