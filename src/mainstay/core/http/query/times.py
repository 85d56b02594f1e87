"""The kinds of values that are times: moments and dates."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from mainstay.core.http.query.faults import ValueFaultError
from mainstay.core.http.query.values import Kind

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATETIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,12})?"
    r"(?:[Zz]|[-+ ][0-9]{2}:[0-9]{2})"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class DateTimeKind(Kind):
    """A time with its offset (RFC 3339), taken to UTC. Naive times of the database are UTC."""

    name, article = "datetime", "a time with its offset, such as 2026-01-31T12:00:00Z"

    def __init__(self, *, naive: bool = False) -> None:
        super().__init__(type="string", format="date-time")
        self._naive = naive

    def parse(self, text: str) -> datetime:
        """Parse; a ``+`` that a URL has turned into a space is understood."""
        if not _DATETIME.fullmatch(text):
            raise ValueFaultError("datetime_parsing", f"Must be {self.article} (RFC 3339).")
        if text[-6] == " ":
            text = f"{text[:-6]}+{text[-5:]}"
        try:
            return _to_utc(datetime.fromisoformat(text.upper()))
        except ValueError:
            raise ValueFaultError("datetime_parsing", "There is no such time.") from None

    def bind(self, value: datetime) -> datetime:
        """Leave the offset out for columns without one."""
        return value.replace(tzinfo=None) if self._naive else value

    def dump(self, value: datetime) -> int:
        """Give microseconds since 1970."""
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return (aware - _EPOCH) // _MICROSECOND

    def load(self, value: int) -> datetime:
        """Give the time back, to the microsecond."""
        return self.bind(_EPOCH + value * _MICROSECOND)


class DateKind(Kind):
    """A date, ``YYYY-MM-DD``."""

    name, article = "date", "a date such as 2026-01-31"

    def __init__(self) -> None:
        super().__init__(type="string", format="date")

    def parse(self, text: str) -> date:
        """Parse the one form."""
        try:
            if _DATE.fullmatch(text):
                return date.fromisoformat(text)
        except ValueError:
            pass
        raise ValueFaultError("date_parsing", f"Must be {self.article}.")

    def dump(self, value: date) -> str:
        """Give the text."""
        return value.isoformat()

    def load(self, value: str) -> date:
        """Give the date back."""
        return date.fromisoformat(value)


def _to_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        return _FIRST if value.year == _FIRST.year else _LAST
