"""The mailbox: for a developer at this machine, and for nobody else."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mainstay.core.mail import Mailer
from mainstay.testing.backend import serving

pytestmark = pytest.mark.anyio

LINK = "https://shop.test/reset-password?token=abc&x=1"


async def send(backend: Any, **values: Any) -> str:
    mailer = backend.assembly.ports[Mailer]
    facts = {"to": "ada@example.com", "subject": "Hello", "text": "Hello, Ada."} | values
    async with backend.assembly.units.transaction() as session:
        return await mailer.send_message(session, **facts)


async def reset(backend: Any, username: str = "ada") -> str:
    mailer = backend.assembly.ports[Mailer]
    async with backend.assembly.units.transaction() as session:
        return await mailer.send(
            session,
            template="password_reset",
            to="ada@example.com",
            context={"url": LINK, "username": username},
        )


async def test_it_lists_mail_newest_first(backend: Any) -> None:
    first, second = await send(backend), await reset(backend)
    answer = await backend.client.get("/admin/mailbox.json")
    assert answer.status_code == 200
    body = answer.json()
    assert [item["id"] for item in body["items"]] == [second, first]
    assert body["page"]["total"] == 2
    newest = body["items"][0]
    assert (newest["to"], newest["subject"]) == (
        "ada@example.com",
        "Mainstay: reset your password",
    )
    assert newest["links"] == [LINK]
    assert LINK in newest["text"]
    assert newest["state"] in {"queued", "sending", "sent"}
    assert newest["created_at"].endswith("Z")


async def test_captured_mail_stays_readable_once_it_was_taken(backend: Any) -> None:
    await reset(backend)
    await backend.run_jobs()
    (item,) = (await backend.client.get("/admin/mailbox.json")).json()["items"]
    assert item["state"] == "sent"
    assert item["links"] == [LINK]


async def test_it_can_be_filtered(backend: Any) -> None:
    await send(backend)
    bo = await send(backend, to="bo@example.com")
    answer = await backend.client.get("/admin/mailbox.json?to=bo@example.com")
    assert [item["id"] for item in answer.json()["items"]] == [bo]


async def test_the_page_shows_the_newest_and_the_chosen_mail(backend: Any) -> None:
    first = await send(backend, subject="First & <b>best</b>")
    await reset(backend)
    newest = await backend.client.get("/admin/mailbox")
    assert newest.status_code == 200
    assert newest.headers["content-type"] == "text/html; charset=utf-8"
    assert newest.headers["cache-control"] == "no-store"
    assert "<h2>Mainstay: reset your password</h2>" in newest.text
    assert f'<a href="{LINK.replace("&", "&amp;")}"' in newest.text
    chosen = await backend.client.get(f"/admin/mailbox?message={first}")
    assert "<h2>First &amp; &lt;b&gt;best&lt;/b&gt;</h2>" in chosen.text


async def test_an_empty_mailbox_and_an_unknown_mail_say_so(backend: Any) -> None:
    assert "No mail yet" in (await backend.client.get("/admin/mailbox")).text
    await send(backend)
    for message in ("nonsense", "01980000-0000-7000-8000-000000000000"):
        page = await backend.client.get(f"/admin/mailbox?message={message}")
        assert page.status_code == 200
        assert "no message with this id" in page.text


async def test_the_page_runs_no_script_and_asks_nobody(backend: Any) -> None:
    await send(backend, html='<script>alert(1)</script><img src="https://evil.test/x.png">"\'')
    page = await backend.client.get("/admin/mailbox")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "img-src data:;" in policy
    assert "frame-ancestors 'none'" in policy
    assert "<script" not in page.text
    assert not re.search(r"<(link|img|script|form)\b", page.text)
    (frame,) = re.findall(r"<iframe[^>]*>", page.text)
    assert 'srcdoc="' in frame
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in frame


async def test_the_links_of_a_mail_open_in_a_tab_of_their_own(backend: Any) -> None:
    await reset(backend)
    page = await backend.client.get("/admin/mailbox")
    assert "&lt;head&gt;&lt;base target=&#34;_blank&#34;&gt;" in page.text
    await send(backend, html="<p>no head</p>")
    page = await backend.client.get("/admin/mailbox")
    assert 'srcdoc="&lt;base target=&#34;_blank&#34;&gt;&lt;p&gt;no head' in page.text


async def test_a_mail_cannot_leave_its_frame(backend: Any) -> None:
    await send(backend, html='"></iframe><h2>taken over</h2>')
    page = await backend.client.get("/admin/mailbox")
    assert "<h2>taken over</h2>" not in page.text


async def test_M3_a_link_that_is_no_web_address_is_not_shown(backend: Any) -> None:
    await send(backend, html='<a href="javascript:alert(1)">x</a>', text="y")
    assert 'href="javascript:' not in (await backend.client.get("/admin/mailbox")).text


PATHS = ("/admin/mailbox", "/admin/mailbox.json")


@pytest.mark.parametrize("path", PATHS)
async def test_it_is_not_there_for_others(app: Any, path: str) -> None:
    async with serving(app, peer=("192.0.2.7", 1)) as backend:
        answer = await backend.client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Forwarded-Host", "Forwarded"])
async def test_it_is_not_there_through_a_proxy(backend: Any, path: str, header: str) -> None:
    answer = await backend.client.get(path, headers={header: "127.0.0.1"})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "settings",
    [
        {"ENVIRONMENT": "staging"},
        {"MAIL_PROVIDER": "console"},
        {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": 9},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", PATHS)
async def test_it_is_not_there_where_mail_is_real(backend: Any, path: str) -> None:
    assert (await backend.client.get(path)).status_code == 404
