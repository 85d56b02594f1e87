from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstay.core.db import url as urls
from mainstay.core.db.url import DatabaseUrl, DatabaseUrlError, DriverMissingError

parse = DatabaseUrl.parse


@pytest.mark.parametrize(
    ("text", "backend", "drivername"),
    [
        ("sqlite:///shop.db", "sqlite", "sqlite+aiosqlite"),
        ("sqlite+aiosqlite:///shop.db", "sqlite", "sqlite+aiosqlite"),
        ("sqlite+pysqlite:///shop.db", "sqlite", "sqlite+aiosqlite"),
        ("postgres://h/shop", "postgresql", "postgresql+asyncpg"),
        ("postgresql://h/shop", "postgresql", "postgresql+asyncpg"),
        ("postgresql+asyncpg://h/shop", "postgresql", "postgresql+asyncpg"),
        ("postgresql+psycopg://h/shop", "postgresql", "postgresql+asyncpg"),
        ("postgresql+psycopg2://h/shop", "postgresql", "postgresql+asyncpg"),
        ("PostgreSQL://h/shop", "postgresql", "postgresql+asyncpg"),
        ("mysql://h/shop", "mysql", "mysql+asyncmy"),
        ("mysql+pymysql://h/shop", "mysql", "mysql+asyncmy"),
        ("mysql+asyncmy://h/shop", "mysql", "mysql+asyncmy"),
        ("mariadb://h/shop", "mysql", "mariadb+asyncmy"),
        ("mariadb+mariadbconnector://h/shop", "mysql", "mariadb+asyncmy"),
    ],
)
def test_every_spelling_becomes_the_async_drivers(text, backend, drivername):
    found = parse(text)
    assert (found.backend, found.drivername) == (backend, drivername)


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("sqlite:///shop.db", "shop.db"),
        ("sqlite:///./var/shop.db", "./var/shop.db"),
        ("sqlite:////srv/shop.db", "/srv/shop.db"),
        ("sqlite:///C:/shop.db", "C:/shop.db"),
        ("sqlite:///a b%20c.db?check_same_thread=false", "a b%20c.db"),
    ],
)
def test_files_of_sqlite(text, file):
    assert parse(text).file == Path(file)
    assert not parse(text).in_memory


@pytest.mark.parametrize(
    "text", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite+aiosqlite://"]
)
def test_sqlite_in_memory(text):
    assert parse(text).in_memory
    assert parse(text).file is None
    assert str(parse(text)) == "sqlite:///:memory:"


def test_the_parts_of_a_url():
    found = parse("postgresql://ada:p%40ss%2F@db.example.com:5433/shop?sslmode=require")
    assert found.hosts == (("db.example.com", 5433),)
    assert (found.user, found.password, found.database) == ("ada", "p@ss/", "shop")
    assert found.words == {"sslmode": "require"}


def test_libpqs_words_may_stand_for_parts():
    found = parse("postgresql:///?host=/run/postgresql&port=5433&user=ada&password=x&dbname=shop")
    assert found.hosts == (("/run/postgresql", 5433),)
    assert (found.user, found.password, found.database) == ("ada", "x", "shop")
    assert found.words == {}


def test_no_host_leaves_the_choice_to_the_driver():
    assert parse("postgresql:///shop").hosts == ()
    assert parse("postgresql:///shop?port=5433").hosts == (("localhost", 5433),)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://a:1,[::1]:2,c/shop?target_session_attrs=primary",
        "postgresql:///shop?host=a:1&host=[::1]:2&host=c&target_session_attrs=primary",
    ],
)
def test_several_hosts(text):
    assert parse(text).hosts == (("a", 1), ("::1", 2), ("c", None))


def test_several_hosts_with_ports_apart():
    assert parse("postgresql:///shop?host=a,b&port=1,2").hosts == (("a", 1), ("b", 2))
    assert parse("postgresql:///shop?host=a,b&port=7").hosts == (("a", 7), ("b", 7))


@pytest.mark.parametrize(
    ("query", "mode"),
    [
        ("sslmode=verify-full", "verify-full"),
        ("ssl=require", "require"),
        ("ssl=true", "require"),
        ("ssl=false", "disable"),
        ("sslmode=PREFER", "prefer"),
    ],
)
def test_encryption_of_postgresql(query, mode):
    assert parse(f"postgresql://h/shop?{query}").words["sslmode"] == mode


@pytest.mark.parametrize(
    ("query", "mode"),
    [
        ("ssl_mode=VERIFY_IDENTITY", "verify-full"),
        ("ssl-mode=REQUIRED", "require"),
        ("ssl=1", "require"),
        ("sslmode=verify-ca", "verify-ca"),
    ],
)
def test_encryption_of_mysql(query, mode):
    assert parse(f"mysql://h/shop?{query}").words["ssl_mode"] == mode


def test_words_without_effect_are_dropped():
    assert parse("postgresql://h/s?channel_binding=require&pgbouncer=true").words == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is no URL"),
        ("shop.db", "is no URL"),
        ("http://example.com/", "http://"),
        ("oracle://h/shop", "oracle://"),
        ("sqlite://var/shop.db", "three slashes"),
        ("sqlite:///file:shop.db?uri=true", "has 'uri'"),
        ("sqlite:///file:shop.db", "plain path"),
        ("postgresql://u:p@ss@h/shop", "%40"),
        ("postgresql://h:port/shop", "a port that is none"),
        ("postgresql://h:99999/shop", "a port that is none"),
        ("postgresql://h:0/shop", "a port that is none"),
        ("postgresql://h/shop?ssl_mode=require", "'ssl_mode'"),
        ("postgresql://h/shop?sslmode=verify-fully", "none of disable, allow"),
        ("postgresql://h/shop?connect_timeout=soon", "whole number"),
        ("postgresql:///shop?host=a,b,c&port=1,2", "as many ports"),
        ("mysql://h/shop?target_session_attrs=primary", "not known for MySQL"),
    ],
)
def test_nonsense_is_told_readably(text, says):
    with pytest.raises(DatabaseUrlError, match=r"^(is|has|starts|names|holds) ") as caught:
        parse(text)
    assert says in str(caught.value)


def test_a_password_is_never_shown():
    found = parse("postgresql://ada:hunter2@h/shop?sslpassword=hunter2&password=hunter2")
    assert "hunter2" not in f"{found} {found!r}"
    assert str(found) == "postgresql://ada@h/shop"


@given(st.text(max_size=80))
def test_any_text_is_a_url_or_a_readable_error(text):
    with suppress(DatabaseUrlError):
        assert parse(f"postgresql://u:hunter2@{text}").backend == "postgresql"


NAMES = st.text(st.characters(categories=("Ll", "Nd"), max_codepoint=127), min_size=1, max_size=12)
SECRETS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)


@given(NAMES, SECRETS, NAMES, st.integers(1, 65535) | st.none(), NAMES)
def test_what_is_quoted_comes_back(user, password, host, port, name):
    place = host if port is None else f"{host}:{port}"
    found = parse(f"postgres://{user}:{quote(password, safe='')}@{place}/{name}")
    assert (found.user, found.password or "", found.database) == (user, password, name)
    assert found.hosts == ((host, port),)


@pytest.mark.parametrize(
    ("text", "extra"), [("postgres://h/s", "postgres"), ("mysql://h/s", "mysql")]
)
def test_a_missing_driver_says_which_extra_to_install(text, extra, monkeypatch):
    monkeypatch.setattr(urls, "find_spec", lambda _: None)
    with pytest.raises(DriverMissingError, match=rf"pip install 'mainstay\[{extra}\]'"):
        parse(text).require_driver()


def test_an_installed_driver_is_no_matter():
    parse("sqlite:///shop.db").require_driver()


def test_the_same_place_with_another_database():
    assert str(parse("mariadb://u:p@h:1/a").with_database("b")) == "mariadb://u@h:1/b"
