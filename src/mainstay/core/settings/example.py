"""The text of ``.env.example``: every setting, commented out."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from pydantic.fields import FieldInfo

from mainstay.core.settings.section import Section, default_texts
from mainstay.core.settings.shape import Shape, shapes

_WIDTH: Final = 98
_HEAD: Final = """\
# Settings. Copy this file to .env and uncomment what you change; the values are the defaults.
# Every setting is also read as MAINSTAY_<NAME>, which wins. Lists are comma separated or JSON.
"""
_PLAIN: Final = re.compile(r"[\w./:@+*,=-]*")


def env_example(sections: Sequence[type[Section]]) -> str:
    """Give the text of ``.env.example`` for these sections."""
    return "\n".join([_HEAD, *(block for kind in sections for block in _section(kind))])


def _section(kind: type[Section]) -> Iterator[str]:
    yield f"# ---- {kind.title()} ".ljust(_WIDTH, "-") + "\n"
    defaults = default_texts(kind)
    for name, shape in shapes(kind).items():
        yield "\n".join(_setting(kind.model_fields[name], shape, defaults[name]))


def _setting(field: FieldInfo, shape: Shape, default: str) -> Iterator[str]:
    text = " ".join((field.description or "").split())
    for line in textwrap.wrap(text, _WIDTH, break_on_hyphens=False):
        yield f"# {line}"
    yield f"# {'Required; takes' if field.is_required() else 'Takes'} {shape.takes}."
    if shape.names[1:]:
        yield f"# Also read from {', '.join(shape.names[1:])}."
    yield f"#{shape.name}={_quoted('' if shape.secret else default)}\n"


def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
