"""Administrators and tokens."""

import json
import re

import pytest

PASSWORD = "correct horse battery staple"


def create(mainstay, *arguments, **environment):
    return mainstay.run("createsuperuser", *arguments, **environment)


def test_unattended_and_again(mainstay):
    given = ("--email", "Ada@Example.com", "--username", "ada", "--noinput")
    first = create(mainstay, *given, MAINSTAY_SUPERUSER_PASSWORD=PASSWORD)
    assert (first.returncode, first.stderr) == (0, "")
    assert "Created the administrator" in first.stdout
    again = mainstay.run("createsuperadmin", *given[:-1], "--password", PASSWORD)
    assert again.returncode == 0
    assert "is an administrator already" in again.stdout
    taken = create(
        mainstay, "--email", "bo@example.com", "--username", "ADA", "--password", PASSWORD
    )
    assert taken.returncode == 1
    assert taken.stderr == "The username ADA is taken; choose another with --username.\n"
    link = create(mainstay)
    assert link.returncode == 0
    assert "There is an administrator already" in link.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("--email", "ada@example.com"), 2, "MAINSTAY_SUPERUSER_PASSWORD"),
        (("--email", "nobody", "--password", PASSWORD), 2, "--email 'nobody' is refused"),
        (
            ("--email", "a@example.com", "--username", "a b", "--password", PASSWORD),
            2,
            "--username 'a b' is refused",
        ),
        (("--email", "ada@example.com", "--password", "short"), 1, "at least 12 characters"),
        (("--email", "ada@example.com", "--password", "password123456"), 1, "password"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(mainstay, arguments, status, said):
    done = create(mainstay, *arguments)
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_without_a_terminal_there_is_a_link(mainstay):
    done = create(mainstay, PORT="8123")
    assert done.returncode == 0
    assert re.search(r"^http://127\.0\.0\.1:8123/admin/setup#[\w-]{43}$", done.stdout, re.MULTILINE)
    public = create(mainstay, PUBLIC_URL="https://shop.at")
    assert "\nhttps://shop.at/admin/setup#" in public.stdout


def test_in_production_the_database_must_be_migrated(mainstay, production):
    given = ("--email", "ada@example.com", "--password", PASSWORD)
    early = create(mainstay, *given, **production)
    assert early.returncode == 1
    assert "mainstay migrate" in early.stderr
    mainstay.run("migrate", **production)
    assert create(mainstay, *given, **production).returncode == 0


def test_on_a_terminal_it_asks(mainstay):
    status, said = mainstay.talk(
        [
            ("E-mail: ", "ada@example.com"),
            ("Username", "ada"),
            ("Password: ", "short"),
            ("Repeat for confirmation: ", "short"),
            ("Username", "ada"),
            ("Password: ", PASSWORD),
            ("Repeat for confirmation: ", PASSWORD),
        ],
        "createsuperuser",
    )
    assert status == 0, said
    assert "at least 12 characters" in said
    assert PASSWORD not in said
    assert "Created the administrator ada@example.com (username ada)." in said


def test_a_user_is_not_made_an_administrator_unseen(mainstay):
    with mainstay.serve() as server:
        body = {"email": "eve@example.com", "username": "eve", "password": PASSWORD}
        assert server.get("/api/v1/auth/register", body=body)[0] < 300
        done = create(mainstay, "--email", "eve@example.com", "--password", PASSWORD)
    assert done.returncode == 1
    assert "is a user who is no administrator" in done.stderr


def test_a_token_opens_the_api(mainstay):
    nobody = mainstay.run("token")
    assert nobody.returncode == 1
    assert "There is no administrator yet" in nobody.stderr
    create(mainstay, "--email", "ada@example.com", "--password", PASSWORD)
    unknown = mainstay.run("token", "eve@example.com")
    assert unknown.returncode == 1
    assert "Nobody here has the address" in unknown.stderr
    with mainstay.serve() as server:
        for arguments in ((), ("ADA@example.com", "--ttl", "600")):
            token = mainstay.run("token", *arguments).stdout.strip()
            status, body = server.get("/api/v1/users/me", token=token)
            assert (status, json.loads(body)["email"]) == (200, "ada@example.com")


def test_tokens_are_for_development(mainstay, production):
    mainstay.run("migrate", **production)
    done = mainstay.run("token", **production)
    assert done.returncode == 1
    assert "development only" in done.stderr
