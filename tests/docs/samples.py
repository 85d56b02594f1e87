"""Transcripts show what one run printed; another run prints other ids, tokens and times.

An expected text is compared as it stands, but for what differs by nature. Ids and tokens are learnt
where they first appear: from then on the page's sample stands for this run's value, in outputs and
in commands alike. Times, durations and versions of Python only have to look like theirs. ``…``
stands for any text, and on a line of its own for any lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_LEARNT: Final = (
    r"(?P<id>\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b)"
    r"|(?P<token>(?<![\w-])[\w-]{43}(?![\w-]))"
)
_VOLATILE: Final = (
    r"(?P<request>req_[0-9a-z]{26})"
    r"|(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)"
    r"|(?P<duration>\b\d+(?:\.\d+)? ?(?:ms|s)\b)"
    r"|(?P<python>Python 3\.\d+\.\d+)"
)
_FORMS: Final = {
    "id": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "token": r"[\w-]{43}",
    "request": r"req_[0-9a-z]{26}",
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z",
    "duration": r"\d+(?:\.\d+)? ?(?:ms|s)",
    "python": r"Python 3\.\d+\.\d+",
}
_PIECE: Final = re.compile(f"{_VOLATILE}|{_LEARNT}|(?P<any>…)")
_ANY_LINES: Final = "(?:.*\n)*?"


class Samples:
    """What the samples of a page stand for in this run; ``known`` from the beginning."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = dict(known)

    def translate(self, text: str) -> str:
        """Put this run's values into a text of the page."""
        for sample in sorted(self._known, key=len, reverse=True):
            text = text.replace(sample, self._known[sample])
        return text

    def compare(self, expected: str, printed: str) -> str | None:
        """Learn from what was printed; what differs, for people, or None."""
        new: dict[str, str] = {}
        pattern = "".join(
            _ANY_LINES if line.strip() == "…" else self._line(line, new) + "\n"
            for line in expected.splitlines()
        )
        found = re.fullmatch(pattern, _trimmed(printed))
        if found is None:
            wanted = self.translate(expected).rstrip("\n")
            return f"expected:\n{wanted}\nprinted:\n{printed}"
        self._known |= {sample: found[name] for sample, name in new.items()}
        return None

    def _line(self, line: str, new: dict[str, str]) -> str:
        done, pattern = 0, ""
        for piece in _PIECE.finditer(line.rstrip()):
            pattern += re.escape(self.translate(line[done : piece.start()]))
            pattern += self._piece(piece, new)
            done = piece.end()
        return pattern + re.escape(self.translate(line[done:].rstrip()))

    def _piece(self, piece: re.Match[str], new: dict[str, str]) -> str:
        kind, text = str(piece.lastgroup), piece[0]
        if kind == "any":
            return ".*?"
        if kind not in {"id", "token"}:
            return _FORMS[kind]
        if text in self._known:
            return re.escape(self._known[text])
        if text in new:
            return f"(?P={new[text]})"
        new[text] = f"sample{len(new)}"
        return f"(?P<{new[text]}>{_FORMS[kind]})"


def _trimmed(text: str) -> str:
    return "".join(line.rstrip() + "\n" for line in text.splitlines())
