"""What libraries log goes the way of our own lines."""

import asyncio
import logging

import pytest
from structlog.testing import capture_logs

from mainstay.cli.serving.logs import Forwarder


@pytest.fixture
def logger():
    made = logging.getLogger("some.library")
    made.propagate = False
    made.addHandler(Forwarder())
    yield made
    made.handlers.clear()


def test_records_become_lines(logger):
    with capture_logs() as lines:
        logger.warning("%d connections\n", 3)
    (line,) = lines
    assert (line["event"], line["log_level"]) == ("3 connections", "warning")
    assert "some.library" in line.values()


def test_a_trace_goes_along(logger):
    error = ValueError("x")
    with capture_logs() as lines:
        logger.error("Exception in ASGI application", exc_info=error)
    assert lines[0]["exc_info"][1] is error


def test_what_says_nothing_is_left_out(logger):
    with capture_logs() as lines:
        logger.warning("Invalid HTTP request received.")
        logger.error("Exception in ASGI application", exc_info=asyncio.CancelledError())
    assert lines == []
