"""Templates: ours, a project's in their place, and what users wrote in them."""

from __future__ import annotations

from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from mainstay.features.mail import MailTemplates
from mainstay.features.mail.errors import MailTemplateError
from mainstay.features.mail.plaintext import links_in
from mainstay.features.mail.templating import duration

URL = "https://shop.test/go?token=abc&next=1"
LIFETIME = timedelta(minutes=30)
SAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "account_locked": ("your account was locked", {"url": URL, "lifetime": LIFETIME}),
    "email_change": ("confirm your new e-mail address", {"url": URL, "lifetime": LIFETIME}),
    "email_change_notice": ("your e-mail address is being changed", {"new_email": "b@x.test"}),
    "invitation": ("you are invited", {"url": URL, "inviter": "Bo", "lifetime": 7 * 24 * 60}),
    "password_change_success": ("your password was changed", {}),
    "password_reset": ("reset your password", {"url": URL, "lifetime": 30}),
    "password_reset_success": ("your password was changed", {}),
    "registration_attempt": ("you already have an account", {"url": URL}),
    "security_notice": ("a new API key", {"summary": "a new API key was made"}),
    "two_factor_code": ("your sign-in code", {"code": "123456", "lifetime": 10}),
    "verify_email": ("verify your e-mail", {"url": URL, "lifetime": 1440}),
}
NEEDED = {"url", "code", "new_email", "summary"}
OPTIONAL_URL = {"account_locked", "registration_attempt"}


class Reader(HTMLParser):
    """Which elements and attributes there are."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def templates(folder: Path | None = None) -> MailTemplates:
    return MailTemplates(folder, project_name="Shop & Co", public_url="https://shop.test")


def test_every_template_has_a_sample_here() -> None:
    assert templates().names() == sorted(SAMPLES)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_mail_has_a_subject_html_and_text(name: str) -> None:
    subject, context = SAMPLES[name]
    mail = templates().render(name, {"username": "ada", **context})
    assert mail.subject.startswith("Shop & Co: ")
    assert subject in mail.subject
    assert "Shop &amp; Co" in mail.html
    assert "Shop & Co" in mail.text
    assert "Hello ada," in mail.text
    assert "<" not in mail.text
    assert "\n\n\n" not in mail.text


@pytest.mark.parametrize("name", SAMPLES)
def test_links_and_codes_are_in_both_parts(name: str) -> None:
    _, context = SAMPLES[name]
    mail = templates().render(name, context)
    if "url" in context:
        assert mail.text.count(URL) == 1
        assert links_in(mail.html, mail.text) == [URL]
    if "code" in context:
        assert context["code"] in mail.html
        assert context["code"] in mail.text
        assert context["code"] not in mail.subject


@pytest.mark.parametrize("name", SAMPLES)
def test_styles_are_in_the_elements_and_nothing_is_fetched(name: str) -> None:
    html = templates().render(name, SAMPLES[name][1]).html
    assert "<style" not in html
    assert 'style="' in html
    assert not any(word in html for word in ("<script", "<img", "<link", "url(", "@import"))


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_needed_and_missing_is_an_error(name: str) -> None:
    needed = NEEDED & SAMPLES[name][1].keys()
    if name in OPTIONAL_URL:
        needed -= {"url"}
    for missing in needed:
        context = {k: v for k, v in SAMPLES[name][1].items() if k != missing}
        with pytest.raises(MailTemplateError, match=f"'{missing}' is undefined"):
            templates().render(name, context)


@pytest.mark.parametrize("name", SAMPLES)
def test_all_else_may_be_missing(name: str) -> None:
    context = {k: v for k, v in SAMPLES[name][1].items() if k in NEEDED}
    assert "Hello," in templates().render(name, context).text


@pytest.mark.parametrize("name", SAMPLES)
def test_M3_what_users_wrote_is_escaped_and_never_run(name: str) -> None:
    evil = '<script>alert(1)</script>{{ 7 * 7 }}{% raw %}"onload="x'
    context = {k: evil if isinstance(v, str) else v for k, v in SAMPLES[name][1].items()}
    mail = templates().render(name, {"username": evil, **context})
    reader = Reader()
    reader.feed(mail.html)
    assert "script" not in reader.tags
    assert "onload" not in reader.attributes
    assert reader.tags & {"h1", "table", "body"}
    assert "49" not in mail.text
    assert evil in mail.text


def test_M2_a_subject_is_one_line_whatever_is_put_in() -> None:
    mail = templates().render("security_notice", {"summary": "a\r\nBcc: bo@example.com"})
    assert mail.subject == "Shop & Co: a Bcc: bo@example.com"


@pytest.mark.parametrize(
    "name", ["nothing", "../secrets", "a/b", "", "_parts", "base_template.txt"]
)
def test_M3_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(MailTemplateError):
        templates().render(name, {})


def test_a_template_may_be_named_with_its_ending() -> None:
    assert "changed" in templates().render("password_change_success.html", {}).subject


def test_a_project_replaces_a_template_and_adds_one(tmp_path: Path) -> None:
    (tmp_path / "password_reset.html").write_text(
        '{% extends "base_template.html" %}{% block title %}New password{% endblock %}'
        "{% block content %}<p>Go to {{ url }}, {{ project_name }}</p>{% endblock %}"
    )
    (tmp_path / "order.html").write_text("<title>Your order {{ number }}</title><p>Thanks!</p>")
    own = templates(tmp_path)
    mail = own.render("password_reset", {"url": URL})
    assert mail.subject == "New password"
    assert f"Go to {URL}, Shop & Co" in mail.text
    assert own.render("order", {"number": 7}).subject == "Your order 7"
    assert "order" in own.names()


def test_a_project_replaces_the_layout_of_all(tmp_path: Path) -> None:
    (tmp_path / "base_template.html").write_text(
        "<title>{% block title %}{% endblock %}</title>OUR LOOK{% block header %}{% endblock %}"
        "{% block content %}{% endblock %}"
    )
    mail = templates(tmp_path).render("verify_email", {"url": URL})
    assert mail.text.startswith("OUR LOOK")
    assert mail.subject == "Shop & Co: verify your e-mail address"


def test_a_text_template_beside_the_html_is_used(tmp_path: Path) -> None:
    (tmp_path / "order.html").write_text("<title>Order</title><p>HTML</p>")
    (tmp_path / "order.txt").write_text("Order of {{ name }}\n")
    assert templates(tmp_path).render("order", {"name": "<Ada>"}).text == "Order of <Ada>"


def test_a_template_without_title_has_the_projects_name_as_subject(tmp_path: Path) -> None:
    (tmp_path / "order.html").write_text("<p>Thanks!</p>")
    assert templates(tmp_path).render("order", {}).subject == "Shop & Co"


@pytest.mark.parametrize(
    ("span", "told"),
    [
        (timedelta(days=7), "7 days"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(seconds=45), "45 seconds"),
        (timedelta(0), "0 seconds"),
        (30, "30 minutes"),
        (1440, "1 day"),
        (0.5, "30 seconds"),
    ],
)
def test_spans_are_told_in_whole_units(span: timedelta | float, told: str) -> None:
    assert duration(span) == told
