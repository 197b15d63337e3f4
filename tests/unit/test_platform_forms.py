"""What the command line asks for a bot is what its platform wants."""

import pytest

from pal_server.bridges.registry import NAMES, load
from pal_server.contract.platforms import PLATFORMS


@pytest.mark.parametrize("name", NAMES)
def test_a_platform_and_the_command_line_know_the_same_settings(name: str) -> None:
    platform, form = load(name), PLATFORMS[name]

    assert [one.name for one in platform.credentials] == [known for known, _, _ in form.credentials]
    assert [one.name for one in platform.options] == [known for known, _ in form.options]
    assert [one.secret for one in platform.credentials] == [is_secret for _, _, is_secret in form.credentials]
