"""Every code block of README.md and docs runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.docs.reading import ROOT, Block, blocks_of, pages


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_that_the_blocks_of_a_page_run(page: Path, run_page: Callable[[list[Block]], None]) -> None:
    run_page(blocks_of(page))


def test_that_there_are_pages_and_blocks() -> None:
    kinds = {block.kind for page in pages() for block in blocks_of(page)}
    assert {"python", "console"} <= kinds
