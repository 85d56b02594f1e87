"""`serve` as people run it: what it says, what it refuses, and how it ends."""

import json
import os
import re
import signal
import socket
import time
from pathlib import Path

import pytest

PASSWORD = "correct horse battery staple"
LINK = re.compile(r"http://127\.0\.0\.1:(\d+)/admin/setup#([\w-]{43})")


def test_the_first_start(mainstay):
    with mainstay.serve() as server:
        server.wait_for(lambda: "Ctrl+C stops" in server.said)
        base = f"http://127.0.0.1:{server.port}"
        lines = server.said.splitlines()
        assert lines[0].startswith("Mainstay ")
        assert f"  App        {base}" in lines
        assert f"  API docs   {base}/docs" in lines
        assert "  Create your admin account (link works once, for 30 minutes):" in lines
        assert "  or run: mainstay createsuperuser --email you@example.com" in lines
        assert lines[-1].endswith("mail captured · reload off · Ctrl+C stops")
        assert max(map(len, lines)) <= 80
        port, token = LINK.search(server.said).groups()
        assert port == str(server.port)
        body = {"token": token, "email": "ada@example.com", "password": PASSWORD}
        assert server.get("/admin/setup", body=body)[0] == 201
        assert server.get("/admin/setup", body=body)[0] == 409
        assert server.get("/readyz")[0] == 200
        assert mainstay.run("health", PORT=port).returncode == 0
        assert server.end(signal.SIGTERM) == 0
    assert token not in server.said.split("Ctrl+C stops")[1]
    assert "Traceback" not in server.said
    with mainstay.serve() as server:
        server.wait_for(lambda: "Ctrl+C stops" in server.said)
        assert LINK.search(server.said) is None
        login = {"username": "ada@example.com", "password": PASSWORD}
        assert server.get("/api/v1/auth/login", body=login)[0] == 200
        assert server.end(signal.SIGINT) == 0
    assert "Traceback" not in server.said


@pytest.mark.parametrize("moment", [1.0, 1.5, 2.0])
def test_killed_in_the_first_start_it_starts_again(mainstay, moment):
    with mainstay.serve(wait=False) as server:
        time.sleep(moment)
        server.process.kill()
        server.process.wait()
    with mainstay.serve() as server:
        assert server.get("/readyz") == (200, b'{"status":"up"}')
        assert server.end() == 0


def test_ascii_where_the_output_is(mainstay):
    with mainstay.serve(PYTHONIOENCODING="ascii") as server:
        server.wait_for(lambda: "Ctrl+C stops" in server.said)
        assert server.said.isascii()
        assert " - reload off - Ctrl+C stops" in server.said


def test_a_port_that_was_asked_for_is_not_changed(mainstay):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        for done in (mainstay.run("serve", "--port", port), mainstay.run("serve", PORT=port)):
            assert done.returncode == 1
            assert done.stderr.startswith(f"Port {port} is in use.")


@pytest.mark.parametrize("flag", ["--reload", "--no-reload"])
def test_an_application_with_an_address_of_its_own_is_served_there(shop, flag):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    main = shop.folder / "shop" / "main.py"
    own = f'create_app(overrides={{"PORT": {port}}})'
    main.write_text(main.read_text().replace("create_app()", own))
    with shop.serve(flag, wait=False) as server:
        server.port = port
        server.wait_until_up()
        server.wait_for(lambda: f"  App        http://127.0.0.1:{port}\n" in server.said)


def test_weak_settings_are_refused_all_at_once(mainstay):
    done = mainstay.run("serve", ENVIRONMENT="production", DEBUG="true", WEB_CONCURRENCY="4")
    heading, *reasons = done.stderr.splitlines()
    assert done.returncode == 1
    assert heading == "Mainstay will not start in production:"
    named = ("SECRET_KEY", "DEBUG", "DATABASE_URL", "MAIL_PROVIDER", "PUBLIC_URL", "ALLOWED_HOSTS")
    for name in (*named, "WEB_CONCURRENCY"):
        (reason,) = [line for line in reasons if line.startswith(f"  {name} ")]
        sentence, _, fix = reason.strip().partition("    ")
        assert sentence.endswith(".")
        assert fix.strip()
    assert list(mainstay.folder.iterdir()) == []


def test_staging_wants_a_key_of_its_own(mainstay):
    done = mainstay.run("serve", ENVIRONMENT="staging", SECRET_KEY="changethis")
    assert done.returncode == 1
    assert done.stderr.startswith("Mainstay will not start in staging:\n  SECRET_KEY got")
    assert "changethis" not in done.stderr


@pytest.mark.parametrize("redis", [{}, {"REDIS_URL": "redis://127.0.0.1:1"}])
def test_several_processes_are_refused_with_the_reason(mainstay, redis):
    done = mainstay.run("serve", "--workers", "2", **redis)
    assert done.returncode == 1
    assert "more than one process needs Redis" in done.stderr


def test_production_wants_its_migrations_applied(mainstay, production):
    refused = mainstay.run("serve", **production)
    assert refused.returncode == 1
    assert "migrations are not applied" in refused.stderr
    assert "mainstay migrate" in refused.stderr
    with mainstay.serve(RUN_MIGRATIONS="true", **production) as server:
        assert server.get("/readyz")[0] == 200
        status, _ = server.get("/api/v1/health")
        assert status == 400  # of no served host
        assert server.end() == 0
    lines = [json.loads(line) for line in server.said.splitlines()]
    assert lines[0]["event"] == "server.started"
    assert "request" in [line["event"] for line in lines]
    with mainstay.serve(**production) as server:
        assert server.get("/readyz")[0] == 200


def test_reload_is_refused_where_there_is_nothing_to_watch(mainstay):
    done = mainstay.run("serve", "--reload")
    assert done.returncode == 2
    assert "no project" in done.stderr


def test_reload_is_refused_in_production(shop, production):
    shop.run("migrate", **production)
    done = shop.run("serve", "--reload", **production)
    assert done.returncode == 1
    assert "Reload is on." in done.stderr


def test_readiness_turns_red_before_the_end(mainstay):
    with mainstay.serve(SHUTDOWN_DELAY_SECONDS="3") as server:
        server.process.send_signal(signal.SIGTERM)
        server.wait_for(lambda: server.get("/readyz")[0] == 503)
        assert json.loads(server.get("/readyz")[1])["down"] == ["shutdown"]
        assert server.get("/livez")[0] == 200
        health = mainstay.run("health", PORT=str(server.port))
        assert (health.returncode, health.stderr) == (1, "Not ready: shutdown.\n")
        assert server.process.wait(30) == 0


def children(pid):
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in found.split()]


def is_there(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def hello(server):
    try:
        return server.get("/hello")[1]
    except OSError:
        return b""


def test_a_project_is_reloaded_when_it_changes(shop):
    main = shop.folder / "shop" / "main.py"
    text = main.read_text()
    with shop.serve() as server:
        server.wait_for(lambda: "reload on" in server.said)
        assert hello(server) == b'"one"'
        main.write_text(text.replace('"one"', '"two"'))
        server.wait_for(lambda: hello(server) == b'"two"')
        assert "shop/main.py changed, reloading" in server.said
        main.write_text("a fault(")
        server.wait_for(lambda: "starts again when a file changes" in server.said)
        assert "shop.main cannot be imported" in server.said
        main.write_text(text)
        server.wait_for(lambda: hello(server) == b'"one"')
        os.killpg(server.process.pid, signal.SIGINT)  # Ctrl+C reaches all of them
        assert server.process.wait(30) == 0
    assert "Traceback (most recent call last)" not in server.said.replace(
        "cannot be imported:\nTraceback (most recent call last)", ""
    )


@pytest.mark.parametrize("sig", [signal.SIGKILL, signal.SIGTERM])
def test_no_child_outlives_its_parent(shop, sig):
    with shop.serve() as server:
        left = children(server.process.pid)
        assert left
        server.end(sig)
        server.wait_for(lambda: not any(map(is_there, left)))


def test_a_project_that_cannot_start_ends_the_command(shop):
    (shop.folder / "shop" / "main.py").write_text("a fault(")
    done = shop.run("serve", "--no-reload")
    assert done.returncode == 1
    assert "shop.main cannot be imported" in done.stderr
    again = shop.run("serve")
    assert again.returncode == 1
    assert "shop.main cannot be imported" in again.stderr
