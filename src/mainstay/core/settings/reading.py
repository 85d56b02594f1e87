"""Where a setting's text is found: the environment, files it names, the ``.env`` file."""

from __future__ import annotations

import difflib
import io
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import NoneType
from typing import Any, Final

from dotenv.parser import parse_stream
from dotenv.variables import parse_variables

from mainstay.core.settings.faults import Fault
from mainstay.core.settings.masking import quote
from mainstay.core.settings.shape import Shape

PREFIX: Final = "MAINSTAY_"
ENVIRONMENT: Final = "environment"
OVERRIDE: Final = "override"
_FILE: Final = "_FILE"
_MAX_FILE_BYTES: Final = 1024 * 1024
_SERVICE_PORT: Final = re.compile(r"(?:tcp|udp|sctp)://\S+", re.IGNORECASE)
_OTHERS_NAMES: Final = re.compile(
    r"""SERVICE_\w+ | PORT_\w+ | TEST_\w+ | SKIP_CHECKS | SUPERUSER_PASSWORD
    | \w+_SERVICE_(?:HOST|PORT)(?:_\w+)? | \w+_PORT_[0-9]+_(?:TCP|UDP|SCTP)(?:_\w+)?""",
    re.VERBOSE,
)
"""What Kubernetes injects for services named mainstay and mainstay-..., tests and commands read."""


@dataclass(frozen=True, slots=True)
class Found:
    """A value as it was found: in which variable, and where; ``path`` if a file held it."""

    value: Any
    variable: str
    layer: str
    path: str | None = None

    def source(self, canonical: str) -> str:
        """Give the source for people; it names the variable where that is not the canonical."""
        kind = self.layer if self.path is None else "file"
        usual = canonical if self.path is None else canonical + _FILE
        return kind if self.variable == usual else f"{kind} ({self.variable})"

    def fix(self) -> str:
        """Say where to put the value right."""
        if self.path is not None:
            return f"Correct the file that {self.variable} names."
        if self.layer == OVERRIDE:
            return f"Correct the value given for {self.variable}."
        return f"Correct it in {'the environment' if self.layer == ENVIRONMENT else self.layer}."


@dataclass(frozen=True, slots=True)
class _Layer:
    name: str
    values: Mapping[str, str]


class Reader:
    """Finds values over all layers; ``faults`` and ``notices`` hold what was met on the way."""

    def __init__(
        self, environ: Mapping[str, str], env_file: Path | None, overrides: Mapping[str, Any]
    ) -> None:
        self.faults: list[Fault] = []
        self.notices: list[str] = []
        self._overrides = overrides
        self._layers = [_Layer(ENVIRONMENT, _folded(environ))]
        if env_file is not None:
            self._layers.append(_Layer(env_file.name, _folded(self._dotenv(env_file, environ))))

    def find(self, shape: Shape, *, declared: Collection[str]) -> Found | Fault | None:
        """Give the value that wins, a fault where it cannot be read, or None.

        An override wins over all; then a field's own name, in any layer, over its further names.
        ``declared`` are the names of all fields: ``KEY_FILE`` may be a field itself.
        """
        for name in shape.names:
            if name in self._overrides:
                return Found(self._overrides[name], name, OVERRIDE)
        found = {name: list(self._candidates(name, shape, declared)) for name in shape.names}
        names = [name for name, candidates in found.items() if candidates]
        self._notice_rivals(names)
        for candidate in (candidate for name in names for candidate in found[name]):
            read = candidate if candidate.path is None else _read_file(candidate, shape)
            if read is not None:
                return read
        return None

    def look_for_unknown(self, known: Collection[str], from_file: Collection[str]) -> None:
        """Add a notice for each prefixed variable that no field reads."""
        readable = {*known, *(name + _FILE for name in from_file)}
        seen = dict.fromkeys(key for layer in self._layers for key in layer.values)
        for key in seen:
            name = key.removeprefix(PREFIX)
            if name == key or name in readable or _OTHERS_NAMES.fullmatch(name):
                continue
            texts = [layer.values[key] for layer in self._layers if key in layer.values]
            if key.endswith("_PORT") and all(map(_SERVICE_PORT.fullmatch, texts)):
                continue
            close = difflib.get_close_matches(name, sorted(readable), n=1)
            hint = f" Did you mean {PREFIX}{close[0]}?" if close else ""
            self.notices.append(f"{key} is not a setting and changes nothing.{hint}")

    def _notice_rivals(self, names: list[str]) -> None:
        # FastAPI's own command sets its names: nobody wrote them, so they are no mistake.
        rivals = names[:1] + [name for name in names[1:] if not name.startswith("FASTAPI_")]
        if len(rivals) > 1:
            used, *rest = rivals
            self.notices.append(f"{used} and {' and '.join(rest)} are both set; {used} is used.")

    def _candidates(self, name: str, shape: Shape, declared: Collection[str]) -> Iterator[Found]:
        for layer in self._layers:
            for variable in (PREFIX + name, name):
                text = layer.values.get(variable)
                if text is None or (not text.strip() and shape.empty_is_unset):
                    continue
                if variable.endswith("_PORT") and _SERVICE_PORT.fullmatch(text):
                    continue  # Kubernetes' word on a service of that name
                yield Found(text, variable, layer.name)
            if not shape.from_file or name + _FILE in declared:
                continue
            for variable in (PREFIX + name + _FILE, name + _FILE):
                if path := layer.values.get(variable):
                    yield Found(None, variable, layer.name, path)

    def _dotenv(self, path: Path, environ: Mapping[str, str]) -> dict[str, str]:
        """Read the file as python-dotenv does for pydantic-settings, ``${NAME}`` included."""
        values: dict[str, str] = {}
        if path.is_dir():  # some keep a virtual environment under that name
            return values
        try:
            text = path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            return values
        except (OSError, UnicodeDecodeError) as error:
            self.faults.append(_unreadable(str(path), error))
            return values
        for binding in parse_stream(io.StringIO(text)):
            if binding.error:
                line = binding.original.line
                self.notices.append(f"{path.name} line {line} cannot be read and is left out.")
            elif binding.key and binding.value is not None:
                known = {**environ, **values}
                atoms = parse_variables(binding.value)
                values[binding.key] = "".join(atom.resolve(known) for atom in atoms)
        return values


def _folded(values: Mapping[str, str]) -> dict[str, str]:
    """Give the names in upper case; where one is there in both, the upper-case one stands."""
    return {
        name.upper(): value
        for name, value in values.items()
        if name == name.upper() or name.upper() not in values
    }


def _read_file(found: Found, shape: Shape) -> Found | Fault | None:
    path = Path(str(found.path))
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_FILE_BYTES + 1)
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return _unreadable(str(path), error, name=found.variable)
    if len(data) > _MAX_FILE_BYTES:
        return _unreadable(str(path), None, name=found.variable)
    text = text.rstrip("\r\n")
    return replace(found, value=text) if text or not shape.empty_is_unset else None


def _unreadable(path: str, error: Exception | None, *, name: str | None = None) -> Fault:
    reason = {
        UnicodeDecodeError: "is not UTF-8 text",
        NoneType: f"has more than {_MAX_FILE_BYTES} bytes",
        FileNotFoundError: "is not there",
        IsADirectoryError: "is a folder",
        PermissionError: "may not be read",
    }.get(type(error), "cannot be read")
    got = f"{quote(path, secret=False)}, which {reason}" if name else f"a file that {reason}"
    return Fault(name or path, got, "the path of a text file" if name else "UTF-8 text")
