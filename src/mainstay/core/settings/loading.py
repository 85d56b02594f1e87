"""Loads all sections at once, and says everything that is wrong with them at once."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mainstay.core.settings.describing import ANYTHING
from mainstay.core.settings.faults import Fault, SettingsError
from mainstay.core.settings.masking import quote, show
from mainstay.core.settings.reading import Found, Reader
from mainstay.core.settings.section import Section, Settings, default_texts
from mainstay.core.settings.shape import Shape, shapes
from mainstay.core.settings.splitting import parse_json, split_list

_OWN_RULES: Final = frozenset({"value_error", "assertion_error"})
_SAID_OF_INPUT: Final = re.compile(r"^Input (?:should be|is not) ")
_FOLLOWS_FROM_ANOTHER: Final = "default_factory_not_called"


def load(
    sections: Sequence[type[Section]],
    *,
    environ: Mapping[str, str] | None = None,
    env_file: Path | None = Path(".env"),
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Load the sections; first wins: overrides, environment, ``.env`` file, default.

    Within a layer ``MAINSTAY_<NAME>`` comes before ``<NAME>`` and ``<NAME>_FILE``, and a field's
    own name before its further names in all layers. ``environ`` is the process's when None. A
    section that another in the list is derived from is left to the derived one.

    Raises:
        SettingsError: with every fault over all sections.
    """
    kinds = _chosen(sections)
    known = _owners(kinds)
    reader = Reader(os.environ if environ is None else environ, env_file, overrides or {})
    faults = [*_unknown_overrides(overrides or {}, known)]
    built: list[Section] = []
    sources: dict[str, str] = {}
    for kind in kinds:
        draft = _Draft.of(kind, reader, known)
        section = draft.build()
        faults += draft.faults
        if section is not None:
            built.append(section)
            sources |= {name: found.source(name) for name, found in draft.found.items()}
    faults = [*reader.faults, *faults]
    if faults:
        raise SettingsError(faults)
    every = [shape for kind in kinds for shape in shapes(kind).values()]
    reader.look_for_unknown(known, [n for shape in every if shape.from_file for n in shape.names])
    return Settings(built, sources=sources, notices=reader.notices)


def _chosen(sections: Sequence[type[Section]]) -> list[type[Section]]:
    kinds = list(dict.fromkeys(sections))
    return [
        kind
        for kind in kinds
        if not any(other is not kind and issubclass(other, kind) for other in kinds)
    ]


def _owners(kinds: Sequence[type[Section]]) -> dict[str, str]:
    """Give the section of every name; refuse a name that two fields claim."""
    owners: dict[str, str] = {}
    faults: list[Fault] = []
    for kind in kinds:
        for shape in shapes(kind).values():
            for name in shape.names:
                owner = f"{kind.__name__}.{shape.name}"
                if name in owners:
                    got = f"two owners, {owners[name]} and {owner}"
                    faults.append(Fault(name, got, "one", "Rename one of them."))
                owners.setdefault(name, owner)
    if faults:
        raise SettingsError(faults)
    return owners


def _unknown_overrides(overrides: Mapping[str, Any], known: Collection[str]) -> Iterator[Fault]:
    for name in overrides:
        if name not in known:
            close = difflib.get_close_matches(name, sorted(known), n=1)
            fix = f"Did you mean {close[0]}?" if close else ""
            yield Fault(name, "a value", "none, as no section declares it", fix)


@dataclass(slots=True)
class _Draft:
    """A section before it is one."""

    kind: type[Section]
    found: dict[str, Found]
    faults: list[Fault]
    unread: set[str]

    @classmethod
    def of(cls, kind: type[Section], reader: Reader, declared: Collection[str]) -> _Draft:
        draft = cls(kind, {}, [], set())
        for name, shape in shapes(kind).items():
            found = reader.find(shape, declared=declared)
            if isinstance(found, Fault):
                draft.faults.append(found)
                draft.unread.add(name)
            elif found is not None:
                draft.found[name] = found
        return draft

    def build(self) -> Section | None:
        """Validate; None with faults where that fails.

        The error is looked at and let go here: it holds the values, and must not be chained.
        """
        try:
            return self.kind(**{name: found.value for name, found in self.found.items()})
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
        first: dict[str, ErrorDetails] = {}
        for detail in details:
            name = str(detail["loc"][0]) if detail["loc"] else ""
            if name not in self.unread and detail["type"] != _FOLLOWS_FROM_ANOTHER:
                first.setdefault(name, detail)
        self.faults += [self._fault(name, detail) for name, detail in first.items()]
        return None

    def _fault(self, name: str, detail: ErrorDetails) -> Fault:
        if not name:
            return Fault(self.kind.__name__, "values that do not agree", self._message(detail))
        shape = shapes(self.kind)[name]
        takes = self._takes(shape, detail)
        found = self.found.get(name)
        if found is None and detail["type"] == "missing":
            return Fault(name, None, takes, f"It takes {takes}.")
        if found is None:
            got = f"the default {default_texts(self.kind)[name]!r}"
            return Fault(name, got, takes, f"Correct it in {self.kind.__name__}.")
        return Fault(found.variable, _got(found.value, shape, detail), takes, found.fix())

    def _takes(self, shape: Shape, detail: ErrorDetails) -> str:
        own_rule = detail["type"] in _OWN_RULES
        message = self._message(detail)
        path = ".".join(str(part) for part in detail["loc"][1:])
        if shape.secret:
            # The words of a rule, and keys of an object, may repeat what was given.
            missing = f" ({path}: {message})" if detail["type"] == "missing" and path else ""
            return shape.takes + missing
        if shape.takes == ANYTHING:
            return _SAID_OF_INPUT.sub("", message)
        if shape.reading == "json" and path:
            return f"{shape.takes} ({path}: {message})"
        return f"{shape.takes}: {message}" if own_rule and not shape.ruled else shape.takes

    def _message(self, detail: ErrorDetails) -> str:
        text = detail["msg"].partition(", ")[2] if detail["type"] in _OWN_RULES else detail["msg"]
        for name, found in self.found.items():
            shape = shapes(self.kind)[name]
            if isinstance(found.value, str) and found.value:
                text = text.replace(found.value, shape.public(found.value))
        return text.rstrip(".")


def _got(value: Any, shape: Shape, detail: ErrorDetails) -> str:
    if shape.secret:
        return quote(value, secret=True) if isinstance(value, str) else "a secret"
    if not isinstance(value, str):
        return quote(show(value), secret=False)
    if shape.reading == "json":
        return _got_json(value)
    place = detail["loc"][1:]
    if shape.reading == "list" and place and isinstance(place[0], int):
        return quote(str(split_list(value)[place[0]]), secret=False)
    return quote(value, secret=False)


def _got_json(text: str) -> str:
    """Objects hold secrets under keys of their own: only what was understood is shown."""
    try:
        return quote(show(parse_json(text)), secret=False)
    except ValueError:
        return f"text of {len(text)} characters"
