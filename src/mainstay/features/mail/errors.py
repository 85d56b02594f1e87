"""What may go wrong with mail.

Exception
├── MailNotSentError    the provider could not take it now; it is tried again
└── MailRefusedError    the provider will never take it
ValidationFailedError 422
├── MailFieldError      an address, a subject or a body that no mail may have
└── MailTemplateError   an unknown template, or one that lacks a value
"""

from __future__ import annotations

from mainstay.core.errors import FieldError, ValidationFailedError


class MailNotSentError(Exception):
    """The provider could not take the mail now."""


class MailRefusedError(Exception):
    """The provider will not take this mail, however often it is tried."""


class MailFieldError(ValidationFailedError):
    """A field of a mail is not acceptable."""

    code = "mail_field_invalid"
    title = "A field of the mail is not acceptable"

    def __init__(self, field: str, detail: str) -> None:
        fault = FieldError(pointer=f"#/{field}", code=self.code, detail=detail)
        super().__init__(detail, errors=[fault])


class MailTemplateError(LookupError):
    """There is no such template, or it needs a value that it was not given."""
