"""What is wrong with a list request, gathered whole and then raised as one problem."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from mainstay.core.errors import (
    FieldError,
    OffsetTooLargeError,
    SortFieldUnknownError,
    UnknownFieldError,
    UnknownParameterError,
    ValidationFailedError,
)

MAX_FAULTS: Final = 20
"""Faults that are reported of one request."""

_MAX_SUGGESTIONS: Final = 5
_LONGEST_NAME: Final = 64
_BY_PRECEDENCE: Final[tuple[type[ValidationFailedError], ...]] = (
    UnknownParameterError,
    UnknownFieldError,
    SortFieldUnknownError,
    OffsetTooLargeError,
)


class ValueFaultError(ValueError):
    """A value is not what its field takes. ``params`` holds the rule's own numbers."""

    def __init__(self, code: str, detail: str, **params: Any) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.params = params


class Faults:
    """Gathers faults. The code of the answer is the most basic one among them."""

    def __init__(self) -> None:
        self._errors: list[FieldError] = []
        self._suggestions = _MAX_SUGGESTIONS

    @property
    def full(self) -> bool:
        """Whether no more faults would be reported."""
        return len(self._errors) >= MAX_FAULTS

    def add(self, place: Mapping[str, str], fault: ValueFaultError) -> None:
        """Note a fault at ``place``: ``{"parameter": name}`` or ``{"pointer": "#/..."}``."""
        if not self.full:
            self._errors.append(
                FieldError(detail=fault.detail, code=fault.code, params=fault.params, **place)
            )

    def unknown(self, place: Mapping[str, str], name: str, *, known: Iterable[str]) -> None:
        """Note an unknown name; the first few get a suggestion."""
        parameter = "parameter" in place
        thing = "parameter" if parameter else "field"
        self.add(place, ValueFaultError(f"unknown_{thing}", self._detail(thing, name, known=known)))

    def _detail(self, thing: str, name: str, *, known: Iterable[str]) -> str:
        close: list[str] = []
        if self._suggestions and len(name) <= _LONGEST_NAME:
            self._suggestions -= 1
            close = get_close_matches(name, list(known), n=1)
        return f"Unknown {thing}." + (f" Did you mean {close[0]}?" if close else "")

    def raise_any(self) -> None:
        """Raise all that was noted.

        Raises:
            ValidationFailedError: there was a fault.
        """
        if not self._errors:
            return
        codes = {error.code for error in self._errors}
        kind = next((k for k in _BY_PRECEDENCE if k.code in codes), ValidationFailedError)
        count = len(self._errors)
        detail = f"{count} problem{'s' if count > 1 else ''} in the request."
        raise kind(detail, errors=self._errors)
