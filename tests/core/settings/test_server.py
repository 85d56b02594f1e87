"""How long a server waits before it ends."""

import pytest

from mainstay.core.settings.server import ServerSettings


@pytest.mark.parametrize(
    ("given", "development", "delay"),
    [(None, True, 0), (None, False, 2), (0, False, 0), (7.5, True, 7.5)],
)
def test_the_delay_depends_on_the_environment_unless_it_is_set(given, development, delay):
    settings = ServerSettings(SHUTDOWN_DELAY_SECONDS=given)
    assert settings.shutdown_delay(development=development) == delay
