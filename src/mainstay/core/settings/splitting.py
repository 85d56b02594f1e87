"""Lists and objects in one line of text: comma separated, or JSON."""

from __future__ import annotations

import json
import re
from typing import Any, Final

_IPV6_LITERAL: Final = re.compile(r"\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\]")


def split_list(text: str) -> list[Any]:
    """Give the items of a comma separated or JSON list; empty items fall away.

    Text that begins with ``[`` is JSON, unless that opens an IPv6 address.

    Raises:
        ValueError: it begins as JSON and is not a JSON list.
    """
    text = text.strip()
    if text.startswith("[") and not _IPV6_LITERAL.match(text):
        return list(parse_json(text))
    return [item for part in text.split(",") if (item := part.strip())]


def parse_json(text: str) -> Any:
    """Give the value of JSON text.

    Raises:
        ValueError: it is not JSON, or nested too deeply to be read.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        msg = "not JSON"
        raise ValueError(msg) from None
