"""Mail templates: Jinja, HTML escaped, a missing value an error, styles put into the elements.

Every template gets ``project_name`` and ``public_url``. The packaged ones take:

| template | needs | may have |
|---|---|---|
| password_reset | url | username, lifetime |
| password_reset_success, password_change_success | | username |
| verify_email | url | username, lifetime |
| email_change (to the new address) | url | username, lifetime |
| email_change_notice (to the old one) | new_email | username |
| invitation | url | username, inviter, lifetime |
| registration_attempt | | username, url |
| two_factor_code | code | username, lifetime |
| account_locked | | username, url, lifetime |
| security_notice | summary | username |

``lifetime`` is a ``timedelta``, or a number of minutes. The subject is the page's title. The text
part is made of the HTML; a ``.txt`` beside the ``.html`` that is used stands in its place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import css_inline
from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateNotFound,
    UndefinedError,
    select_autoescape,
)

from mainstay.features.mail.errors import MailTemplateError
from mainstay.features.mail.plaintext import html_to_text, title_of

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGED: Final = Path(__file__).parent / "templates" / "mail"

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,98}", re.IGNORECASE)
_LAYOUT: Final = "base_template"
_UNITS: Final = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail's subject and its two bodies."""

    subject: str
    html: str
    text: str


def duration(value: timedelta | float) -> str:
    """Give a span in its largest whole unit: ``30 minutes``. A bare number is one of minutes."""
    span = value if isinstance(value, timedelta) else timedelta(minutes=value)
    seconds = round(span.total_seconds())
    for name, size in _UNITS:
        if seconds % size == 0 and seconds >= size:
            count = seconds // size
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "0 seconds"


class MailTemplates:
    """The packaged templates, and before them those of a project's folder."""

    def __init__(self, folder: Path | None, *, project_name: str, public_url: str | None) -> None:
        self._folders = [path for path in (folder, PACKAGED) if path is not None]
        self._environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(path) for path in self._folders]),
            autoescape=select_autoescape(("html",), default_for_string=True, default=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["duration"] = duration
        self._environment.globals["project_name"] = project_name
        self._environment.globals["public_url"] = public_url
        self._inliner = css_inline.CSSInliner(load_remote_stylesheets=False)

    def names(self) -> list[str]:
        """Give the names that ``render`` takes, sorted; without layouts and parts."""
        found = {path.stem for folder in self._folders for path in folder.glob("*.html")}
        return sorted(name for name in found if _NAME.fullmatch(name) and name != _LAYOUT)

    def render(self, name: str, context: Mapping[str, Any]) -> Rendered:
        """Make a mail of a template, with or without ``.html``, and values for its variables.

        Raises:
            MailTemplateError: there is no such template, or it needs a value that is not there.
        """
        stem = name.removesuffix(".html")
        if not _NAME.fullmatch(stem):
            msg = "There is no mail template of this name."
            raise MailTemplateError(msg)
        try:
            page = self._environment.get_template(f"{stem}.html")
            html = page.render(**context)
            text = self._own_text(stem, page.filename, context)
        except TemplateNotFound as error:
            msg = f'There is no mail template "{error.name}".'
            raise MailTemplateError(msg) from None
        except UndefinedError as error:
            msg = f'The mail template "{stem}" needs more than it was given: {error.message}.'
            raise MailTemplateError(msg) from None
        subject = title_of(html) or str(self._environment.globals["project_name"])
        return Rendered(subject, self._inliner.inline(html), text or html_to_text(html))

    def _own_text(self, stem: str, page: str | None, context: Mapping[str, Any]) -> str | None:
        """Render the text template of the folder that the HTML came from."""
        if page is None or not Path(page).with_suffix(".txt").is_file():
            return None
        return self._environment.get_template(f"{stem}.txt").render(**context)
