"""The commands on the stock application, and in a project."""

import json
import re
import stat

import pytest


def test_secret(mainstay):
    keys = {mainstay.run(name).stdout.strip() for name in ("secret", "secret-key")}
    assert len(keys) == 2
    assert all(re.fullmatch(r"[\w-]{64}", key) for key in keys)
    assert list(mainstay.folder.iterdir()) == []


def test_secret_write(mainstay):
    done = mainstay.run("secret", "--write")
    env = mainstay.folder / ".env"
    key = env.read_text().strip().removeprefix("SECRET_KEY=")
    assert done.returncode == 0
    assert len(key) == 64
    assert key not in done.stdout
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    again = mainstay.run("secret", "--write")
    assert again.returncode == 1
    assert "--force" in again.stderr
    assert key in env.read_text()
    assert mainstay.run("secret", "--write", "--force").returncode == 0
    assert key not in env.read_text()


def test_config_names_value_and_source(mainstay):
    (mainstay.folder / ".env").write_text("PROJECT_NAME=Shop\n")
    done = mainstay.run(
        "config", JWT_SECRET="x" * 40, API_V1_STR="/v2", DATABASE_URL="postgresql://u:hidden@h/d"
    )
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert done.returncode == 0
    assert lines["PROJECT_NAME"].split() == ["PROJECT_NAME", "Shop", ".env"]
    assert lines["API_V1_PREFIX"].split() == ["API_V1_PREFIX", "/v2", "environment", "(API_V1_STR)"]
    assert lines["SECRET_KEY"].split()[2:] == ["environment", "(JWT_SECRET)"]
    assert lines["PORT"].split() == ["PORT", "8000", "default"]
    assert "hidden" not in done.stdout
    assert "x" * 10 not in done.stdout


def test_config_of_one_name_and_as_json(mainstay):
    one = mainstay.run("config", "jwt_secret", "--json", JWT_SECRET="x" * 40)
    (entry,) = json.loads(one.stdout)["settings"]
    assert (entry["name"], entry["secret"]) == ("SECRET_KEY", True)
    assert "x" * 10 not in one.stdout
    diff = mainstay.run("config", "--diff", PORT="9000")
    assert [line.split()[:2] for line in diff.stdout.splitlines()] == [["PORT", "9000"]]
    unknown = mainstay.run("config", "PROT")
    assert unknown.returncode == 2
    assert "Did you mean PORT?" in unknown.stderr


def test_all_wrong_settings_are_named_at_once(mainstay):
    for command in (["config"], ["serve"], ["migrate"]):
        done = mainstay.run(*command, PORT="abc", DB_POOL_SIZE="many", MAIL_PORT="99999999")
        assert done.returncode == 1
        assert all(name in done.stderr for name in ("PORT got", "DB_POOL_SIZE got", "MAIL_PORT"))
        assert "Traceback" not in done.stderr
        assert done.stdout == ""


def test_routes(shop):
    found = json.loads(shop.run("routes", "--json").stdout)
    by_path = {(route["method"], route["path"]): route for route in found}
    hello = by_path["GET", "/hello"]
    me = by_path["GET", "/api/v1/users/me"]
    login = by_path["POST", "/api/v1/auth/login"]
    assert (hello["access"], hello["owner"]) == ("public", "project")
    assert (me["access"], me["owner"]) == ("signed in", "users")
    assert (login["limit"], login["operation"]) == ("5/min", "auth.login")
    open_ones = shop.run("routes", "--unprotected").stdout
    assert "/hello" in open_ones
    assert "/users/me" not in open_ones


def test_inspect(mainstay):
    def owners(what):
        done = mainstay.run("inspect", what, "--json")
        assert done.returncode == 0
        return {part["name"]: part.get("owner") for part in json.loads(done.stdout)}

    assert {"users", "auth", "sessions"} <= set(owners("features"))
    assert owners("permissions")["users:read"] == "users"
    settings = owners("settings")
    assert (settings["PORT"], settings["MAIL_PORT"]) == ("core", "mail")
    assert owners("health")["database"] == "core"
    assert owners("jobs")["sessions.purge"] == "sessions"
    assert "ratelimit" in mainstay.run("inspect", "middleware").stdout


def test_migrations_and_back(mainstay):
    before = json.loads(mainstay.run("migrations", "--json").stdout)
    assert not any(each["applied"] for each in before)
    plan = mainstay.run("migrate", "--plan")
    assert plan.stdout.splitlines()[-1] == f"{len(before)} migrations would be applied."
    done = mainstay.run("migrate")
    assert done.returncode == 0
    assert f"Applied {len(before)} migrations." in done.stdout
    assert mainstay.run("migrate").stdout == "There is nothing to apply.\n"
    assert mainstay.run("migrate", "-1").returncode == 0
    after = json.loads(mainstay.run("migrations", "--json").stdout)
    assert [each["applied"] for each in after].count(False) == 1
    unknown = mainstay.run("migrate", "nonsense")
    assert unknown.returncode == 1
    assert 'There is no revision "nonsense"' in unknown.stderr


def test_going_back_in_production_takes_a_flag(mainstay, production):
    assert mainstay.run("migrate", **production).returncode == 0
    refused = mainstay.run("migrate", "-1", **production)
    assert refused.returncode == 1
    assert "--yes" in refused.stderr
    assert "will be lost" in refused.stdout
    assert mainstay.run("migrate", "-1", "--yes", **production).returncode == 0


def test_makemigrations_takes_a_project(mainstay):
    done = mainstay.run("makemigrations", "-m", "books")
    assert done.returncode == 1
    assert "no project" in done.stderr


def test_makemigrations_check(mainstay):
    pending = mainstay.run("makemigrations", "--check")
    assert pending.returncode == 1
    assert "not applied" in pending.stderr
    mainstay.run("migrate")
    agreed = mainstay.run("makemigrations", "--check")
    assert (agreed.returncode, agreed.stderr) == (0, "")


def test_check(mainstay, production):
    done = mainstay.run("check", "--json")
    assert done.returncode in {0, 3}
    assert {r["id"] for r in json.loads(done.stdout)["results"]} >= {"S016"}
    deploy = mainstay.run("check", "--deploy", "--tag", "S0")
    assert deploy.returncode == 3
    assert "S002" in deploy.stdout
    assert "D001" not in deploy.stdout
    strict = mainstay.run(
        "check", "--deploy", "--tag", "S011", "--fail-level", "info", **production
    )
    assert strict.returncode == 0


def test_log_lines_do_not_get_into_what_is_printed(mainstay):
    done = mainstay.run("check", "--deploy", "--tag", "S00", "--json", MAINSTAY_SKIP_CHECKS="S001")
    states = {result["id"]: result["state"] for result in json.loads(done.stdout)["results"]}
    assert states["S001"] == "skipped"
    assert "check.skipped" in done.stderr


def test_check_in_a_project_with_weak_settings(shop):
    done = shop.run("check", "--deploy", "--tag", "S001", ENVIRONMENT="production")
    assert done.returncode == 3
    assert "SECRET_KEY" in done.stdout


def test_env_example_names_every_setting(mainstay):
    text = mainstay.run("env-example").stdout
    for line in mainstay.run("config").stdout.splitlines():
        assert f"\n#{line.split()[0]}=" in text


def test_a_database_that_is_away_is_named_without_its_password(mainstay):
    url = "postgresql://shop:hidden@127.0.0.1:1/orders"
    for command in (["migrate"], ["migrations"], ["serve"], ["createsuperuser"]):
        done = mainstay.run(*command, DATABASE_URL=url)
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert "postgresql://shop@127.0.0.1:1/orders" in line
        assert "hidden" not in done.stderr + done.stdout


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:1/readyz"])
def test_health_without_a_server(mainstay, url):
    done = mainstay.run("health", "--url", url)
    assert done.returncode == 1
    assert "Nobody answers" in done.stderr
    assert mainstay.run("health", "--url", "nonsense").returncode == 2


def test_production_migrates_only_a_database_that_is_named(mainstay):
    done = mainstay.run("migrate", ENVIRONMENT="production")
    assert done.returncode == 1
    assert "DATABASE_URL is not set" in done.stderr
    assert list(mainstay.folder.iterdir()) == []
