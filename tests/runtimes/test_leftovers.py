"""IX-13: hooks and servers that an older system left in a checkout are removed, and nothing else is."""

import json
from pathlib import Path
from typing import Any

import pytest

from pal_daemon.runtimes.claude_code.leftovers import LONGEST, remove_leftovers

OURS = {"type": "command", "command": "make lint"}
HOOK = {"type": "command", "command": "node /opt/x/.agetor/bin/pre-tool-use.js --port 4711"}
SERVER = {"command": "/opt/x/.agetor/bin/mcp", "args": ["--task", "7"]}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / ".claude").mkdir()
    return tmp_path / ".claude" / "settings.local.json"


def hooks(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"PreToolUse": [{"matcher": "*", "hooks": list(entries)}]}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"hooks": hooks(HOOK)}, None),
        ({"hooks": hooks(HOOK, OURS), "model": "x"}, {"hooks": hooks(OURS), "model": "x"}),
        ({"hooks": {**hooks(HOOK), "Stop": []}}, {"hooks": {"Stop": []}}),
        (
            {"mcpServers": {"agetor": {"url": "http://127.0.0.1:1"}, "mine": {"command": "mine"}}},
            {"mcpServers": {"mine": {"command": "mine"}}},
        ),
        ({"mcpServers": {"ask": SERVER}, "permissions": {"allow": ["Bash"]}}, {"permissions": {"allow": ["Bash"]}}),
        ({"mcpServers": {"x": {"command": "node", "args": ["agetor-mcp.js"]}}}, None),
    ],
)
def test_what_is_its_own_is_removed(file: Path, before: Any, after: Any) -> None:
    file.write_text(json.dumps(before))

    assert remove_leftovers(file.parents[1])

    assert (json.loads(file.read_text()) if file.exists() else None) == after
    assert [path.name for path in file.parent.iterdir()] == ([file.name] if after else [])
    assert not remove_leftovers(file.parents[1])


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"hooks": hooks(OURS), "mcpServers": {"mine": {"command": "mine"}}}),
        json.dumps({"hooks": hooks({"type": "command", "command": "echo vintagetorch"})}),
        json.dumps({"hooks": [HOOK], "mcpServers": [SERVER]}),
        json.dumps([HOOK]),
        "{broken",
        "",
        json.dumps({"hooks": hooks(HOOK), "pad": "x" * LONGEST}),
    ],
)
def test_everything_else_stays_as_it_is(file: Path, content: str) -> None:
    file.write_text(content)

    assert not remove_leftovers(file.parents[1])
    assert file.read_text() == content


def test_a_link_out_of_the_checkout_is_not_followed(file: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text(json.dumps({"hooks": hooks(HOOK)}))
    file.symlink_to(elsewhere)

    assert not remove_leftovers(file.parents[1])
    assert "agetor" in elsewhere.read_text()


def test_a_link_in_the_place_of_the_new_file_is_not_followed(file: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text("mine")
    file.write_text(json.dumps({"hooks": hooks(HOOK, OURS)}))
    file.with_suffix(".pal-new").symlink_to(elsewhere)

    assert remove_leftovers(file.parents[1])

    assert elsewhere.read_text() == "mine"
    assert json.loads(file.read_text()) == {"hooks": hooks(OURS)}


def test_a_folder_without_settings_is_left_alone(tmp_path: Path) -> None:
    assert not remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == []
