"""The kinds of values that fields have: parsing them, binding them, carrying them in a cursor.

A kind parses the text of a query parameter and the member of a JSON body to the same value; what
does not fit raises ``ValueFaultError``, whose text never repeats the value.
"""

from __future__ import annotations

import math
import re
import unicodedata
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar, Final

from mainstay.core.http.query.faults import ValueFaultError
from mainstay.kit.ids import canonical_id

MAX_TEXT: Final = 1000
"""Characters of a text in a condition."""

_FORBIDDEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CLEAN: Final = r"^[^\u0000-\u001f\u007f-\u009f]*$"
_INT: Final = re.compile(r"-?[0-9]{1,20}")
_FLOAT: Final = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?")


class Kind:
    """A kind of value. ``schema`` is its JSON schema; ``json_types`` is what a body may send."""

    name: ClassVar[str]
    article: ClassVar[str]
    json_types: tuple[type, ...] = (str,)

    def __init__(self, **schema: Any) -> None:
        self.schema: Mapping[str, Any] = schema

    def parse(self, text: str) -> Any:
        """Parse the text of a query parameter."""
        raise NotImplementedError

    def parse_json(self, value: object) -> Any:
        """Parse a member of a JSON body, which must have the right JSON type."""
        if type(value) not in self.json_types:
            raise ValueFaultError(f"{self.name}_type", f"Must be {self.article}.")
        return self.parse(self._as_text(value))

    def bind(self, value: Any) -> Any:
        """Turn a parsed value into what the column takes."""
        return value

    def dump(self, value: Any) -> Any:
        """Turn a value from a row, never None, into one for a cursor (JSON)."""
        return value

    def load(self, value: Any) -> Any:
        """Turn a value from a cursor, never None, into what the column takes."""
        return value

    def _as_text(self, value: Any) -> str:
        return str(value)


class TextKind(Kind):
    """Text: NFC, without control characters, NUL or lone surrogates."""

    name, article = "string", "a string"

    def __init__(self) -> None:
        super().__init__(type="string", maxLength=MAX_TEXT, pattern=_CLEAN)

    def parse(self, text: str) -> str:
        """Check the characters and normalise (Unicode Annex 15, form C)."""
        if len(text) > MAX_TEXT:
            raise ValueFaultError(
                "string_too_long", f"Must be {MAX_TEXT} characters or less.", max_length=MAX_TEXT
            )
        if text.isascii() and text.isprintable():
            return text
        if _FORBIDDEN.search(text):
            raise ValueFaultError("string_control_character", "Must hold no control characters.")
        return unicodedata.normalize("NFC", text)


class OpaqueKind(Kind):
    """A string that is passed on as it is."""

    name, article = "string", "a string"

    def __init__(self) -> None:
        super().__init__(type="string")

    def parse(self, text: str) -> str:
        """Give the text."""
        return text


class IdKind(Kind):
    """An id: a UUID. A malformed one names no row, so it parses to None instead of a fault."""

    name, article = "string", "a string"

    def __init__(self, *, native: bool = False) -> None:
        super().__init__(type="string")
        self._native = native

    def parse(self, text: str) -> str | None:
        """Give the canonical lower-case form, or None."""
        return canonical_id(text)

    def bind(self, value: str) -> Any:
        """Give a ``uuid.UUID`` to columns that take one, else the text."""
        return uuid.UUID(value) if self._native else value

    def dump(self, value: Any) -> str:
        """Give the text."""
        return str(value)

    def load(self, value: str) -> Any:
        """Give what the column takes."""
        return self.bind(value)


class IntKind(Kind):
    """An integer between bounds, both included: what the column can hold."""

    name, article = "int", "an integer"
    json_types = (int,)

    def __init__(self, low: int, high: int) -> None:
        self._low, self._high = low, high
        super().__init__(type="integer", minimum=low, maximum=high)

    def parse(self, text: str) -> int:
        """Parse ASCII digits and check the bounds."""
        if not _INT.fullmatch(text):
            raise ValueFaultError("int_parsing", "Must be an integer.")
        value = int(text)
        if value < self._low:
            raise ValueFaultError(
                "greater_than_equal", f"Must be {self._low} or more.", ge=self._low
            )
        if value > self._high:
            raise ValueFaultError(
                "less_than_equal", f"Must be {self._high} or less.", le=self._high
            )
        return value

    def _as_text(self, value: Any) -> str:
        bounded = max(min(value, self._high + 1), self._low - 1)
        return str(bounded)


class BoolKind(Kind):
    """``true`` or ``false``."""

    name, article = "bool", "true or false"
    json_types = (bool,)

    def __init__(self) -> None:
        super().__init__(type="boolean")

    def parse(self, text: str) -> bool:
        """Parse the two words, in any case."""
        match text.lower():
            case "true":
                return True
            case "false":
                return False
        raise ValueFaultError("bool_parsing", "Must be true or false.")

    def dump(self, value: Any) -> bool:
        """Give a bool, also where the database gave 0 or 1."""
        return bool(value)


class DecimalKind(Kind):
    """A decimal number without exponent, within the digits before and after the point."""

    name, article = "decimal", "a decimal number"
    json_types = (str, int, float)

    def __init__(self, *, digits: int = 38, places: int = 18) -> None:
        fraction = rf"(?:\.[0-9]{{1,{places}}})?" if places else ""
        self._pattern = re.compile(rf"-?[0-9]{{1,{digits}}}{fraction}")
        self._rule = {"max_digits": digits + places, "decimal_places": places}
        super().__init__(type="string", pattern=f"^{self._pattern.pattern}$")

    def parse(self, text: str) -> Decimal:
        """Parse exactly; nothing is rounded."""
        if not self._pattern.fullmatch(text):
            places = self._rule["decimal_places"]
            detail = f"Must be a decimal number with at most {places} decimal places."
            raise ValueFaultError("decimal_parsing", detail, **self._rule)
        return Decimal(text)

    def dump(self, value: Any) -> str:
        """Give all digits."""
        return str(value)

    def load(self, value: str) -> Decimal:
        """Give the same digits back."""
        return Decimal(value)


class FloatKind(Kind):
    """A finite number."""

    name, article = "float", "a number"
    json_types = (int, float)

    def __init__(self) -> None:
        super().__init__(type="number")

    def parse(self, text: str) -> float:
        """Parse; infinite and undefined numbers are refused."""
        value = float(text) if _FLOAT.fullmatch(text) else math.inf
        if math.isinf(value):
            raise ValueFaultError("float_parsing", "Must be a finite number.")
        return value

    def _as_text(self, value: Any) -> str:
        return str(value) if isinstance(value, float) or value.bit_length() < 128 else ""  # noqa: PLR2004


class ChoiceKind(Kind):
    """One of some values: of an enumeration, or of an SQL enum without a class.

    ``choices`` maps the values on the wire, all strings or all integers, to the parsed ones;
    ``stored`` maps those to what the column takes, where it does not take them as they are.
    """

    name, article = "enum", "one of the known values"

    def __init__(
        self, choices: Mapping[Any, Any], *, stored: Callable[[Any], Any] | None = None
    ) -> None:
        kinds = {type(value) for value in choices}
        if kinds not in ({str}, {int}):
            msg = "Choices must be all strings or all integers."
            raise TypeError(msg)
        self._choices = choices
        self._by_text = {str(value): choice for value, choice in choices.items()}
        self._stored = stored
        self.json_types = tuple(kinds)
        super().__init__(type="string" if str in kinds else "integer", enum=list(choices))

    def parse(self, text: str) -> Any:
        """Find the choice."""
        if text not in self._by_text:
            detail = f"Must be one of: {', '.join(self._by_text)}."
            raise ValueFaultError("enum", detail, allowed=list(self._choices))
        return self._by_text[text]

    def bind(self, value: Any) -> Any:
        """Give what the column takes."""
        return value if self._stored is None else self._stored(value)

    def dump(self, value: Any) -> Any:
        """Give the value on the wire."""
        return getattr(value, "value", value)

    def load(self, value: Any) -> Any:
        """Give what the column takes."""
        return self.bind(self._choices[value])
