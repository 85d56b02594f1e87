"""Where people are sent."""

import pytest

from mainstay.cli.serving.welcome import base_address


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),  # noqa: S104
        ("::", "http://[::1]:8000"),
        ("fd00::5", "http://[fd00::5]:8000"),
        ("shop.local", "http://shop.local:8000"),
    ],
)
def test_an_address_that_this_machine_reaches(host, address):
    assert base_address(host, 8000) == address
