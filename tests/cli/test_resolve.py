"""CL-3, CL-4: which server, which daemon, which credential, and where each came from."""

import json
from pathlib import Path

import pytest

from pal_server.client.resolve import Unusable, daemon_place, find_server, same_server, server_place
from tests.cli.conftest import Pal
from tests.support.fake_api import FakeApi

SOURCES = ("flag", "lock", "pal", "project", "config", "default")


@pytest.mark.parametrize("place", range(len(SOURCES)))
def test_the_first_source_that_names_a_server_wins(place: int, home: Path) -> None:
    given = set(SOURCES[place:])
    env = {"PAL_HOME": str(home)}
    if "lock" in given:
        env["LOCK_SERVER_URL"] = "http://lock:1"
    if "pal" in given:
        env["PAL_SERVER"] = "http://pal:1"
    if "project" in given:
        Path(".pal.toml").write_text('server = "http://project:1"\n')
    if "config" in given:
        (home / "config.toml").write_text('server = "http://config:1"\n')

    found = find_server(server="http://flag:1" if "flag" in given else None, env=env)

    name = SOURCES[place]
    assert found.value == ("http://127.0.0.1:4127" if name == "default" else f"http://{name}:1")


def test_the_project_file_is_found_upward(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".pal.toml").write_text('server = "http://above:1"\n')
    deep = Path("a/b/c")
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)

    assert find_server(env={"PAL_HOME": str(home)}).value == "http://above:1"


@pytest.mark.parametrize(
    "text",
    [
        'token = "pal_x"',
        'api_key = "sk_machine_x"',
        '[server_access]\npassword = "x"',
        'anything = "sk_machine_x"',
        'server = "http://me:secret@host:1"',
    ],
)
def test_a_project_file_with_a_credential_is_refused(text: str, home: Path, pal: Pal) -> None:
    Path(".pal.toml").write_text(text + "\n")

    outcome = pal("console", "health")

    assert outcome.code == 2
    assert ".pal.toml" in outcome.err
    assert "secret@" not in outcome.err


@pytest.mark.parametrize("text", ["server = ", 'server = "ftp://x"', "server = 3", 'server = "nonsense"', "\xff"])
def test_an_unusable_file_is_named(text: str, home: Path, pal: Pal) -> None:
    (home / "config.toml").write_bytes(text.encode("latin-1"))

    outcome = pal("console", "health")

    assert outcome.code == 2
    assert "config.toml" in outcome.err


def test_the_owner_token_goes_only_to_the_server_it_was_made_for(home: Path) -> None:
    (home / "owner.token").write_text("secret\n")
    (home / "server.json").write_text(json.dumps({"url": "http://127.0.0.1:4127", "pid": 1}))
    env = {"PAL_HOME": str(home)}

    own = server_place(env=env)
    other = server_place(server="http://evil.example:4127", env=env)

    assert own.token == "secret"
    assert other.token is None
    assert "not sent to http://evil.example:4127" in other.why_no_token


def test_a_project_file_cannot_draw_the_owner_token_away(
    home: Path, api: FakeApi, pal: Pal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PAL_TOKEN")
    monkeypatch.delenv("PAL_SERVER")
    (home / "owner.token").write_text("secret\n")
    (home / "server.json").write_text(json.dumps({"url": "http://127.0.0.1:4127", "pid": 1}))
    Path(".pal.toml").write_text(f'server = "{api.url}"\n')

    pal("console", "chats")

    assert "authorization" not in api.last().headers


def test_without_any_name_the_server_of_this_home_is_meant(home: Path) -> None:
    (home / "server.json").write_text(json.dumps({"url": "http://127.0.0.1:5555", "pid": 1}))

    assert find_server(env={"PAL_HOME": str(home)}).value == "http://127.0.0.1:5555"


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ("http://localhost:4127/", "http://127.0.0.1:4127", True),
        ("HTTP://Example.org", "http://example.org:80", True),
        ("http://127.0.0.1:4127", "http://127.0.0.1:4128", False),
        ("http://127.0.0.1:4127", "https://127.0.0.1:4127", False),
        ("http://a.example", "http://b.example", False),
    ],
)
def test_same_server(one: str, other: str, are_same: bool) -> None:
    assert same_server(one, other) is are_same


def test_the_daemon_and_its_token(home: Path) -> None:
    (home / "daemon").mkdir()
    (home / "daemon" / "token").write_text("from-file\n")
    env = {"PAL_HOME": str(home)}

    assert daemon_place(env=env).token == "from-file"
    assert daemon_place(env=env).url == "http://127.0.0.1:4137"
    assert daemon_place(env=env | {"PAL_DAEMON_TOKEN": "p"}).token == "p"
    assert daemon_place(env=env | {"PAL_DAEMON_TOKEN": "p", "LOCK_DAEMON_TOKEN": "l"}).token == "l"
    assert daemon_place(env=env | {"PAL_RUN_TOKEN": "r", "LOCK_DAEMON_TOKEN": "l"}).token == "r"
    assert daemon_place(
        env=env | {"PAL_DAEMON_URL": "http://127.0.0.1:2", "LOCK_DAEMON_URL": "http://127.0.0.1:1"}
    ).url == ("http://127.0.0.1:1")


def test_the_daemon_token_file_stays_on_this_computer(home: Path) -> None:
    (home / "daemon").mkdir()
    (home / "daemon" / "token").write_text("from-file\n")

    place = daemon_place(env={"PAL_HOME": str(home), "PAL_DAEMON_URL": "http://far.example:4137"})

    assert place.token is None
    assert "LOCK_DAEMON_TOKEN" in place.why_no_token


def test_a_bad_address_names_its_source(home: Path) -> None:
    with pytest.raises(Unusable, match="PAL_SERVER"):
        find_server(env={"PAL_HOME": str(home), "PAL_SERVER": "http://host:notaport"})


def test_a_run_whose_token_was_kept_back_never_speaks_as_the_owner_of_the_home(
    pal: Pal, api: FakeApi, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "daemon").mkdir()
    (home / "daemon" / "token").write_text("of the home\n")
    monkeypatch.delenv("PAL_DAEMON_TOKEN")
    monkeypatch.setenv("PAL_RUN_ID", "7")

    refused = [pal("cli", "rooms", "list"), pal("mcp", stdin=b"")]
    monkeypatch.delenv("PAL_RUN_ID")
    api.answers["GET /api/rooms"] = {"rooms": [], "next": None}
    allowed = pal("cli", "rooms", "list")

    assert [(one.code, "PAL_RUN_TOKEN" in one.err) for one in refused] == [(3, True), (3, True)]
    assert (allowed.code, len(api.asked)) == (0, 1)
