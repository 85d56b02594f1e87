"""Making checks of functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mainstay.core.checks import Check, Finding, check

if TYPE_CHECKING:
    from mainstay.core.ports import Ports


def test_a_function_becomes_a_check() -> None:
    @check("shop.S001", level="warning", deploy=True)
    async def stock(ports: Ports) -> Finding | None:
        """The stock is counted.

        More is said here.
        """

    assert isinstance(stock, Check)
    assert (stock.id, stock.level, stock.title) == ("shop.S001", "warning", "The stock is counted")
    assert (stock.deploy, stock.boot) == (True, False)


def test_a_check_without_words_is_refused() -> None:
    async def silent(ports: Ports) -> Finding | None:
        return None

    with pytest.raises(ValueError, match=r"shop\.S002"):
        check("shop.S002")(silent)
