"""Which hosts a bot talks to, through which proxy, and which addresses it believes."""

import pytest

from pal_server.bridges.dingtalk.hosts import hosts_of, proxy_for


def test_two_hosts_of_dingtalk_s_own_or_one_origin_in_place_of_both() -> None:
    own, other = hosts_of(None), hosts_of("https://proxy.example/ding/")

    assert (own.api, own.old) == ("https://api.dingtalk.com", "https://oapi.dingtalk.com")
    assert (other.api, other.old) == ("https://proxy.example/ding",) * 2


@pytest.mark.parametrize(
    ("url", "is_own"),
    [
        ("https://oapi.dingtalk.com/robot/sendBySession?session=1", True),
        ("http://oapi.dingtalk.com/robot/sendBySession?session=1", False),
        ("https://oapi.dingtalk.com.example/robot", False),
        ("https://example.com/?x=oapi.dingtalk.com", False),
        ("https://user@example.com/.dingtalk.com", False),
        ("", False),
    ],
)
def test_only_addresses_of_dingtalk_s_own_are_called(url: str, is_own: bool) -> None:
    assert hosts_of(None).is_own(url) is is_own


def test_in_place_of_dingtalk_only_that_origin_is_called() -> None:
    hosts = hosts_of("http://127.0.0.1:5000")

    assert hosts.is_own("http://127.0.0.1:5000/robot/sendBySession?session=1")
    assert not hosts.is_own("http://127.0.0.1:50001/robot/sendBySession")
    assert not hosts.is_own("https://oapi.dingtalk.com/robot/sendBySession")


def test_a_socket_of_dingtalk_s_own_is_encrypted() -> None:
    assert hosts_of(None).socket("wss://wss-open-connection.dingtalk.com:443/connect")
    assert not hosts_of(None).socket("ws://wss-open-connection.dingtalk.com/connect")
    assert hosts_of("http://127.0.0.1:5000").socket("ws://127.0.0.1:5000/connect")


def test_the_proxy_of_the_environment_is_used_for_calls_and_sockets_and_its_exceptions_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "oapi.dingtalk.com")

    assert proxy_for("https://api.dingtalk.com/v1.0") == "http://proxy.example:3128"
    assert proxy_for("wss://wss-open-connection.dingtalk.com:443/connect") == "http://proxy.example:3128"
    assert proxy_for("https://oapi.dingtalk.com/media/upload") is None
    assert proxy_for("https://127.0.0.1:5000") is None
