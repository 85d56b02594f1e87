"""One typed section of the settings, and all of them together.

A section is a pydantic model and no ``BaseSettings``: that reads for one class at a time and does
not say where a value came from, while precedence, faults, notices and sources are a matter of all
sections here. A section made by hand (``ShopSettings(STRIPE_KEY=...)``) reads no environment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from mainstay.core.settings.faults import Fault
from mainstay.core.settings.markers import VARIABLE
from mainstay.core.settings.shape import Shape, shapes

S = TypeVar("S", bound="Section")


class Section(BaseModel):
    """Base class of a section: fields are named as in the environment, in upper case.

    A text below a field (or ``Field(description=...)``) describes it; ``Names`` in its annotation
    adds names. Lists may be given as text, comma separated or JSON; objects as JSON.

    Raises:
        TypeError: a field's name is not in upper case.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        validate_by_name=True,
        loc_by_alias=False,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse names that the environment cannot hold."""
        super().__pydantic_init_subclass__(**kwargs)
        for name in cls.model_fields:
            if not VARIABLE.fullmatch(name):
                msg = f"{cls.__name__}.{name}: a setting is named in upper case, {name.upper()}."
                raise TypeError(msg)

    @field_validator("*", mode="before")
    @classmethod
    def _decode(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, str) and info.field_name:
            return shapes(cls)[info.field_name].decode(value)
        return value

    @classmethod
    def title(cls) -> str:
        """Give the section's name for people: ``rate limit`` for ``RateLimitSettings``."""
        name = cls.__name__.removesuffix("Settings") or cls.__name__
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower()

    def production_faults(self, settings: Settings) -> Iterable[Fault]:  # noqa: ARG002
        """Give what forbids a start in production; a section with such rules overrides this."""
        return ()

    def __repr_args__(self) -> Iterable[tuple[str, str]]:
        """Show the values with secrets masked."""
        for name, shape in shapes(type(self)).items():
            yield name, shape.show(getattr(self, name))


@dataclass(frozen=True, slots=True)
class Entry:
    """One effective setting as text; ``value`` and ``default`` have secrets masked.

    ``value`` is empty where nothing is set. ``source`` says where it came from: ``environment``,
    ``environment (JWT_SECRET)``, ``.env``, ``file``, ``override``, ``generated`` or ``default``.
    """

    name: str
    value: str
    source: str
    section: str
    description: str
    default: str
    aliases: tuple[str, ...]
    secret: bool


class Settings:
    """All sections: ``settings[ShopSettings]`` is one, ``settings.PORT`` a value of any. Frozen."""

    __slots__ = ("_fields", "_sections", "_sources", "notices")

    _fields: Mapping[str, Section]
    _sections: tuple[Section, ...]
    _sources: Mapping[str, str]
    notices: tuple[str, ...]
    """What people should know and what does not stop a start; without secrets."""

    def __init__(
        self,
        sections: Iterable[Section],
        *,
        sources: Mapping[str, str] | None = None,
        notices: Iterable[str] = (),
    ) -> None:
        own = tuple(sections)
        fields = {name: section for section in own for name in type(section).model_fields}
        for name, value in (
            ("_sections", own),
            ("_fields", fields),
            ("_sources", dict(sources or {})),
            ("notices", tuple(notices)),
        ):
            object.__setattr__(self, name, value)

    @property
    def sections(self) -> tuple[Section, ...]:
        """The sections, in the order in which they were asked for."""
        return self._sections

    def __getitem__(self, kind: type[S]) -> S:
        for section in self._sections:
            if isinstance(section, kind):
                return section
        msg = f"{kind.__name__} is not loaded. Add it to the settings of a feature."
        raise KeyError(msg)

    def __contains__(self, kind: type[Section]) -> bool:
        return any(isinstance(section, kind) for section in self._sections)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self._fields:
            return getattr(self._fields[name], name)
        msg = f"No loaded section declares {name}."
        raise AttributeError(msg)

    def __setattr__(self, name: str, value: object) -> None:
        msg = f"Settings are frozen; {name} cannot be set."
        raise AttributeError(msg)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self._sections, self._sources, self.notices)

    def __repr__(self) -> str:
        return f"Settings({', '.join(map(repr, self._sections))})"

    def entries(self) -> Iterator[Entry]:
        """Yield every setting with its value and source, by section."""
        for section in self._sections:
            defaults = default_texts(type(section))
            for name, shape in shapes(type(section)).items():
                yield Entry(
                    name=name,
                    value=shape.show(getattr(section, name)),
                    source=self._sources.get(name, "default"),
                    section=section.title(),
                    description=type(section).model_fields[name].description or "",
                    default=defaults[name],
                    aliases=shape.names[1:],
                    secret=shape.secret,
                )

    def replaced(
        self, values: Mapping[str, Any], *, source: str, notices: Iterable[str] = ()
    ) -> Settings:
        """Give a copy with some values (of the right types) replaced and notices added."""
        sections = [
            section.model_copy(
                update={name: values[name] for name in type(section).model_fields if name in values}
            )
            for section in self._sections
        ]
        sources = {**self._sources, **dict.fromkeys(values, source)}
        return Settings(sections, sources=sources, notices=(*self.notices, *notices))


def default_texts(kind: type[Section]) -> dict[str, str]:
    """Give the default of each field as text; empty where there is none."""
    values: dict[str, Any] = {}
    for name, field in kind.model_fields.items():
        required = field.is_required()
        values[name] = (
            None
            if required
            else field.get_default(call_default_factory=True, validated_data=dict(values))
        )
    return {name: _shown_default(shape, values[name]) for name, shape in shapes(kind).items()}


def _shown_default(shape: Shape, value: Any) -> str:
    """A default may still be in the form in which it would be set."""
    return shape.public(value) if isinstance(value, str) and value else shape.show(value)


def _rebuild(
    sections: tuple[Section, ...], sources: Mapping[str, str], notices: tuple[str, ...]
) -> Settings:
    return Settings(sections, sources=sources, notices=notices)
