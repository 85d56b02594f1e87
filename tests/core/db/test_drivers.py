from __future__ import annotations

import ssl
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text

from mainstay.core.db.drivers import CONNECT_TIMEOUT, Terms, connect_arguments
from mainstay.core.db.engine import Database
from mainstay.core.db.settings import DatabaseSettings
from mainstay.core.db.url import DatabaseUrl, DatabaseUrlError

pytestmark = pytest.mark.anyio


def arguments(url, **terms):
    return connect_arguments(DatabaseUrl.parse(url), Terms(**terms))


def test_sqlite_has_no_arguments_from_the_url():
    assert arguments("sqlite:///shop.db") == {}


def test_postgresql_gets_its_parts_apart_from_the_dsn():
    found = arguments("postgresql://ada:s%3Fcret@h:5433/shop?sslmode=require")
    assert (found["user"], found["password"], found["database"]) == ("ada", "s?cret", "shop")
    assert (found["host"], found["port"]) == (["h"], [5433])
    assert "cret" not in found["dsn"]


def test_libpqs_words_reach_asyncpg_as_they_are():
    found = arguments(
        "postgresql://h/s?sslmode=verify-full&sslrootcert=/a b.pem&sslcert=/c&sslkey=/k"
        "&target_session_attrs=read-write&connect_timeout=3&application_name=shop"
    )
    words = parse_qs(urlsplit(found["dsn"]).query)
    assert words == {
        "sslmode": ["verify-full"],
        "sslrootcert": ["/a b.pem"],
        "sslcert": ["/c"],
        "sslkey": ["/k"],
        "target_session_attrs": ["read-write"],
    }
    assert found["timeout"] == 3
    assert found["server_settings"]["application_name"] == "shop"


def test_a_server_that_is_away_is_noticed_soon():
    assert arguments("postgresql://h/s")["timeout"] == CONNECT_TIMEOUT
    assert arguments("mysql://h/s")["connect_timeout"] == CONNECT_TIMEOUT


def test_statements_end_on_the_server_first():
    found = arguments("postgresql://h/s", statement_timeout=30)
    assert found["server_settings"]["statement_timeout"] == "30000"
    assert found["command_timeout"] > 30
    assert "command_timeout" not in arguments("postgresql://h/s")


def test_options_become_settings_of_the_session():
    found = arguments(
        "postgresql://h/s?options=-c%20search_path%3Dshop%20-cjit%3Don%20--work_mem%3D8MB"
    )
    settings = found["server_settings"]
    assert (settings["search_path"], settings["jit"], settings["work_mem"]) == ("shop", "on", "8MB")


@pytest.mark.parametrize("options", ["-d 5", "nonsense", "-c", "-c%20x"])
def test_other_options_are_refused(options):
    with pytest.raises(DatabaseUrlError, match="-c name=value"):
        arguments(f"postgresql://h/s?options={options}")


def test_pgbouncer_gets_no_startup_settings_and_no_named_statements():
    found = arguments("postgresql://h/s", statement_timeout=30, pgbouncer=True)
    assert set(found["server_settings"]) == {"application_name", "timezone"}
    assert found["statement_cache_size"] == found["prepared_statement_cache_size"] == 0
    assert found["prepared_statement_name_func"]() == ""
    assert found["command_timeout"] == 30


def test_the_systems_trust_in_postgresql():
    found = arguments("postgresql://h/s?sslmode=verify-full&sslrootcert=system")
    assert found["ssl"].check_hostname
    assert found["ssl"].verify_mode is ssl.CERT_REQUIRED
    assert "dsn" not in found


def test_a_socket_of_mysql():
    assert arguments("mysql:///s?unix_socket=/run/my.sock")["unix_socket"] == "/run/my.sock"
    assert arguments("mysql:///s?host=/run/my.sock")["unix_socket"] == "/run/my.sock"


@pytest.mark.parametrize(
    ("query", "verify", "names"),
    [
        ("ssl_mode=require", ssl.CERT_NONE, False),
        ("ssl_mode=verify-ca", ssl.CERT_REQUIRED, False),
        ("ssl_mode=verify-full", ssl.CERT_REQUIRED, True),
        ("ssl_mode=verify-full&ssl_check_hostname=false", ssl.CERT_REQUIRED, False),
    ],
)
def test_encryption_of_mysql(query, verify, names):
    context = arguments(f"mysql://h/s?{query}")["ssl"]
    assert (context.verify_mode, context.check_hostname) == (verify, names)


def test_no_encryption_of_mysql_unless_asked_for():
    assert arguments("mysql://h/s")["ssl"] is None
    assert arguments("mysql://h/s?ssl_mode=disable")["ssl"] is None


def test_a_certificate_that_cannot_be_read_is_told(tmp_path):
    broken = tmp_path / "ca.pem"
    broken.write_text("no certificate")
    for path in (broken, tmp_path / "missing.pem"):
        with pytest.raises(DatabaseUrlError, match="certificate that cannot be read"):
            arguments(f"mysql://h/s?ssl_ca={path}")


QUESTIONS = {
    "sqlite": """SELECT (SELECT journal_mode FROM pragma_journal_mode),
        (SELECT foreign_keys FROM pragma_foreign_keys),
        (SELECT timeout FROM pragma_busy_timeout),
        (SELECT synchronous FROM pragma_synchronous)""",
    "postgresql": """SELECT current_setting('TimeZone'), current_setting('statement_timeout'),
        current_setting('jit'), current_setting('application_name')""",
    "mariadb": """SELECT @@time_zone, @@max_statement_time, @@sql_mode LIKE '%STRICT_TRANS%',
        @@character_set_connection, @@tx_isolation""",
}
ANSWERS = {
    "sqlite": ("wal", 1, 10000, 1),
    "postgresql": ("UTC", "7s", "off", "mainstay"),
    "mariadb": ("+00:00", 7.0, 1, "utf8mb4", "READ-COMMITTED"),
}


async def test_connections_are_set_up(database_url, database_kind):
    database = Database(DatabaseSettings(DATABASE_URL=database_url, DB_QUERY_TIMEOUT=7))
    async with database.engine.connect() as connection:
        found = (await connection.execute(text(QUESTIONS[database_kind]))).one()
    await database.dispose()
    assert tuple(found) == ANSWERS[database_kind]


async def test_a_url_for_mysql_reaches_mariadb(mariadb_url):
    url = mariadb_url.replace("mariadb://", "mysql+pymysql://", 1)
    database = Database(DatabaseSettings(DATABASE_URL=url))
    async with database.engine.connect():
        assert database.engine.dialect.is_mariadb
    await database.dispose()


async def test_the_first_host_that_answers_is_taken(postgresql_url):
    url = postgresql_url.replace("127.0.0.1:5432", "127.0.0.1:1,127.0.0.1:5432")
    database = Database(DatabaseSettings(DATABASE_URL=url))
    await database.ping()
    async with database.engine.connect():
        pass
    await database.dispose()
