"""The mailbox of captured mail: a list as JSON, and a page that needs no script.

It is there in development with captured mail, for somebody at this machine, and else does not
exist: whoever reads it can take over every account.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from jinja2 import Environment, FileSystemLoader
from sqlalchemy import select
from starlette.responses import HTMLResponse

from mainstay.core.auth import public
from mainstay.core.errors import NotFoundError
from mainstay.core.http.context import context_of, ports_of
from mainstay.core.http.deps import Session
from mainstay.core.http.failures import on_this_machine
from mainstay.core.http.lists import answer_page
from mainstay.core.http.query import EXACT, RANGE, TEXT, ListField, ListQuery, ListSpec, page_model
from mainstay.core.http.query.routes import list_openapi, list_parameters
from mainstay.core.settings import ApplicationSettings, Settings
from mainstay.features.mail.models import MailMessage, MailState
from mainstay.features.mail.ports import MailProvider
from mainstay.features.mail.schemas import CapturedMail, show
from mainstay.kit.ids import canonical_id

MAILBOX: Final = ListSpec(
    name="CapturedMail",
    fields={
        "id": ListField(column=MailMessage.id, operators=EXACT, python_type=UUID),
        "to": ListField(
            column=MailMessage.recipient, operators=(*EXACT, *TEXT), sort=True, search=True
        ),
        "subject": ListField(
            column=MailMessage.subject, operators=(*EXACT, *TEXT), sort=True, search=True
        ),
        "state": ListField(column=MailMessage.state, operators=EXACT, python_type=MailState),
        "created_at": ListField(column=MailMessage.created_at, operators=RANGE, sort=True),
    },
    default_sort="-created_at",
    default_limit=100,
)

MailboxPage: Final = page_model("MailboxPage", CapturedMail)

# A mail's own styles are inline, and its frame inherits this policy: hence 'unsafe-inline', which
# without scripts, forms or any request to elsewhere can do no more than look odd.
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
}
_SHOWN: Final = 50
_PAGES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
_BASE: Final = '<base target="_blank">'


def _opening_links_outside(html: str) -> str:
    """Let the links of a page open in a tab of their own; its frame shows nothing else."""
    if "<head>" in html:
        return html.replace("<head>", "<head>" + _BASE, 1)
    return _BASE + html


_PAGES.filters["opening_links_outside"] = _opening_links_outside


async def developers_only(request: Request, response: Response) -> None:
    """Let through who sits at this machine, in development, while mail is captured.

    Mails hold tokens, so that no cache may keep them.

    Raises:
        NotFoundError: for everybody else.
    """
    ports = ports_of(request.scope)
    developing = ports[Settings][ApplicationSettings].is_development
    captured = ports[MailProvider].name == "capture"
    if not (developing and captured and on_this_machine(context_of(request.scope))):
        raise NotFoundError
    response.headers["Cache-Control"] = "no-store"


router = APIRouter(
    prefix="/admin",
    tags=["mailbox"],
    dependencies=[Depends(public), Depends(developers_only)],
    include_in_schema=False,
)


@router.get("/mailbox.json", response_model=MailboxPage, openapi_extra=list_openapi(MAILBOX))
async def list_(
    query: Annotated[ListQuery, list_parameters(MAILBOX)], request: Request, session: Session
) -> Any:
    """List captured mail, newest first."""
    page = await answer_page(request, session, select(MailMessage), query=query, spec=MAILBOX)
    return page.map(show)


@router.get("/mailbox")
async def page(request: Request, session: Session, message: str | None = None) -> HTMLResponse:
    """Show captured mail: a list, and the newest or the chosen message."""
    newest = select(MailMessage).order_by(MailMessage.created_at.desc(), MailMessage.id.desc())
    rows = (await session.scalars(newest.limit(_SHOWN))).all()
    chosen = rows[0] if rows and message is None else None
    if message is not None and (message_id := canonical_id(message)) is not None:
        chosen = await session.get(MailMessage, message_id)
    settings = ports_of(request.scope)[Settings][ApplicationSettings]
    html = _PAGES.get_template("mailbox.html").render(
        project_name=settings.PROJECT_NAME,
        messages=[show(row) for row in rows],
        shown=show(chosen) if chosen is not None else None,
    )
    return HTMLResponse(html, headers=_HEADERS)
