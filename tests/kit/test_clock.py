from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from mainstay.kit.clock import now, replaced

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_now_is_aware_and_in_utc():
    before = datetime.now(UTC)
    assert before <= now() <= datetime.now(UTC)
    assert now().utcoffset() == timedelta(0)


def test_a_replaced_clock_holds_in_every_thread_and_only_inside():
    seen = []
    with replaced(lambda: NOON):
        thread = threading.Thread(target=lambda: seen.append(now()))
        thread.start()
        thread.join()
        assert now() == NOON
        with replaced(lambda: NOON + timedelta(days=1)):
            assert now() == NOON + timedelta(days=1)
        assert now() == NOON
    assert seen == [NOON]
    assert now() != NOON


def test_a_clock_is_put_back_after_an_error():
    def _fail():
        with replaced(lambda: NOON):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        _fail()
    assert now() != NOON
