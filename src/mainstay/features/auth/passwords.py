"""What a password may be: long enough, not a common one, nothing that names its owner.

NIST SP 800-63B-4, section 3.1.1.2: there are no rules of composition, nothing is trimmed or cut,
and Unicode is normalised once, in the same way whenever a password is set or verified.
"""

from __future__ import annotations

import gzip
import re
import unicodedata
from functools import cache
from importlib.resources import files

from mainstay.core.errors import FieldError, ValidationFailedError

__all__ = ["FLOOR", "MAXIMUM", "check_policy", "common_passwords", "normalise"]

FLOOR = 8
MAXIMUM = 1024

_POINTER = "#/password"
# A decomposed spelling is about twice as long; beyond that, normalising costs too much.
_RAW_MAXIMUM = 2 * MAXIMUM
_PERSONAL_MINIMUM = 4
_UNUSABLE = re.compile("[\0\ud800-\udfff]")


def normalise(password: str, *, pointer: str = _POINTER) -> str:
    """Give the one spelling (NFKC) under which a password is set and verified.

    Raises:
        ValidationFailedError: it holds NUL or half a surrogate pair, or is far too long.
    """
    if len(password) > _RAW_MAXIMUM:
        raise ValidationFailedError(errors=[_too_long(pointer)])
    if _UNUSABLE.search(password):
        detail = "Leave out characters that are not text."
        fault = FieldError(detail=detail, code="invalid_characters", pointer=pointer)
        raise ValidationFailedError(errors=[fault])
    return unicodedata.normalize("NFKC", password)


def check_policy(
    password: str,
    *,
    minimum: int,
    email: str | None = None,
    username: str | None = None,
    product: str | None = None,
    pointer: str = _POINTER,
) -> None:
    """Accept a password as sent, or tell everything that is wrong with it.

    Lengths are code points after normalising: ``minimum``, and never under 8, to 1024. Common
    passwords are compared without letter case, and so are the names: none may be the password,
    or, from four characters on, be in it.

    Raises:
        ValidationFailedError: one entry for each fault, with the codes ``too_short``, ``too_long``,
            ``common_password``, ``contains_personal_information`` or ``invalid_characters``.
    """
    spelled = normalise(password, pointer=pointer)
    folded = spelled.casefold()
    faults = []
    least = max(minimum, FLOOR)
    if len(spelled) < least:
        detail = f"Use at least {least} characters."
        faults.append(
            FieldError(detail=detail, code="too_short", pointer=pointer, params={"min": least})
        )
    if len(spelled) > MAXIMUM:
        faults.append(_too_long(pointer))
    if folded in common_passwords():
        detail = "Choose another one: this is on the lists of common passwords."
        faults.append(FieldError(detail=detail, code="common_password", pointer=pointer))
    if _is_personal(folded, _names(email, username, product)):
        detail = "Leave out your e-mail address, your username and the name of this service."
        faults.append(
            FieldError(detail=detail, code="contains_personal_information", pointer=pointer)
        )
    if faults:
        raise ValidationFailedError(errors=faults)


@cache
def common_passwords() -> frozenset[str]:
    """Load the common passwords, in lower case; read once, at the first use."""
    packed = files("mainstay.features.auth").joinpath("data", "common_passwords.txt.gz")
    return frozenset(gzip.decompress(packed.read_bytes()).decode("ascii").splitlines())


def _too_long(pointer: str) -> FieldError:
    """Say that a password is over the maximum."""
    detail = f"Use at most {MAXIMUM} characters."
    return FieldError(detail=detail, code="too_long", pointer=pointer, params={"max": MAXIMUM})


def _names(email: str | None, username: str | None, product: str | None) -> set[str]:
    """Collect what must not be in the password, spelled as the password is."""
    local = (email or "").rpartition("@")[0] or email
    given = (local, username, product, (product or "").replace(" ", ""))
    return {unicodedata.normalize("NFKC", name).casefold() for name in given if name}


def _is_personal(folded: str, names: set[str]) -> bool:
    """Tell whether a password is one of the names, or has one of four characters or more in it."""
    return any(
        name == folded or (len(name) >= _PERSONAL_MINIMUM and name in folded) for name in names
    )
