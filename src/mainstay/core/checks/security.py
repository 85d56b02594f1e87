"""The S rows: secrets, sign-in, and who may call what."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from mainstay.core.checks.records import Finding, check
from mainstay.core.checks.values import application, counted, setting, some
from mainstay.core.http.access import routes_with_access
from mainstay.core.http.application import Application
from mainstay.core.settings.secret import MIN_BYTES, weakness

if TYPE_CHECKING:
    from mainstay.core.ports import Ports

LONGEST_ACCESS_MINUTES: Final = 60
LEAST_PASSWORD: Final = 15
_CHANGING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_HOUR: Final = 60
_GIT_TIMEOUT: Final = 5.0
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@check("S001", deploy=True, boot=True)
async def secret_key(ports: Ports) -> Finding | None:
    """The secret key is long and not a known one."""
    key = application(ports).SECRET_KEY
    fix = "set SECRET_KEY to the output of `mainstay secret`."
    if key is None:
        return Finding("SECRET_KEY is missing.", fix)
    weak = weakness(key.get_secret_value())
    if weak is None:
        return None
    return Finding(f"SECRET_KEY is {weak}; it takes {MIN_BYTES} random bytes.", fix)


@check("S002", deploy=True, boot=True)
async def environment(ports: Ports) -> Finding | None:
    """The environment is not development."""
    if not application(ports).is_development:
        return None
    return Finding('ENVIRONMENT is "development".', "set ENVIRONMENT=production.")


@check("S003", deploy=True, boot=True)
async def debug(ports: Ports) -> Finding | None:
    """Error pages show nothing of the inside."""
    if not application(ports).DEBUG:
        return None
    return Finding("Debug is on: error pages show code and settings.", "set DEBUG=false.")


@check("S008", deploy=True, boot=True)
async def cors_wildcard(ports: Ports) -> Finding | None:
    """CORS names its origins."""
    if "*" not in application(ports).CORS_ORIGINS:
        return None
    return Finding(
        "CORS allows every origin and sends credentials.",
        "list CORS_ORIGINS, such as https://app.example.com.",
    )


@check("S009", level="warning", deploy=True)
async def cors_insecure(ports: Ports) -> Finding | None:
    """CORS origins are https, and not this machine."""
    named = [origin for origin in application(ports).CORS_ORIGINS if origin != "*"]
    loose = [o for o in named if o.startswith("http://") or urlsplit(o).hostname in _LOCAL]
    if not loose:
        return None
    return Finding(
        f"CORS_ORIGINS contains http:// or localhost: {some(loose)}.",
        "leave out what only development needs, and use https:// for the others.",
    )


@check("S011", level="warning", deploy=True)
async def access_token_life(ports: Ports) -> Finding | None:
    """Access tokens are short-lived."""
    minutes = setting(ports, "ACCESS_TOKEN_EXPIRE_MINUTES")
    if minutes is None or minutes <= LONGEST_ACCESS_MINUTES:
        return None
    life = f"{minutes / _HOUR:g} h" if minutes % (_HOUR // 2) == 0 else f"{minutes:g} min"
    return Finding(
        f"Access tokens live {life}; stolen tokens work that long.",
        "set ACCESS_TOKEN_EXPIRE_MINUTES=15; clients renew them by their refresh token.",
    )


@check("S013", level="warning", deploy=True)
async def unproven_addresses(ports: Ports) -> Finding | None:
    """Whoever signs up proves the address."""
    if not setting(ports, "REGISTRATION_ENABLED"):
        return None
    if setting(ports, "REQUIRE_EMAIL_VERIFICATION") is not False:
        return None
    return Finding(
        "Anyone can sign up and sign in without proving the address.",
        "set REQUIRE_EMAIL_VERIFICATION=true, or REGISTRATION_ENABLED=false.",
    )


@check("S014", level="warning", deploy=True)
async def password_length(ports: Ports) -> Finding | None:
    """Passwords are as long as NIST SP 800-63B-4 asks."""
    least = setting(ports, "PASSWORD_MIN_LENGTH")
    if least is None or least >= LEAST_PASSWORD:
        return None
    return Finding(
        f"Passwords may be {least} characters. NIST asks {LEAST_PASSWORD} "
        "(or 8 with a second factor).",
        f"set PASSWORD_MIN_LENGTH={LEAST_PASSWORD} where no second factor is required.",
    )


@check("S015", level="warning", deploy=True)
async def password_hasher(ports: Ports) -> Finding | None:
    """Passwords are hashed by argon2id."""
    hasher = setting(ports, "PASSWORD_HASHER")
    if hasher is None or hasher == "argon2id":
        return None
    return Finding(
        "Password hashing is weaker than argon2id m=19 MiB t=2 p=1.",
        "set PASSWORD_HASHER=argon2id; hashes are upgraded as people sign in.",
    )


@check("S016")
async def undeclared_routes(ports: Ports) -> Finding | None:
    """Every route that changes data says who may call it."""
    open_routes = [
        f"{method} {path}"
        for path, methods, access in routes_with_access(ports[Application])
        if not access.declared
        for method in sorted(methods & _CHANGING)
    ]
    if not open_routes:
        return None
    change = "changes" if len(open_routes) == 1 else "change"
    return Finding(
        f"{counted(len(open_routes), 'route')} {change} data without a permission: "
        f"{some(open_routes)}.",
        "add Depends(has_permissions(...)) or get_current_user to each, or Depends(public).",
    )


@check("S018", level="info", deploy=True)
async def public_docs(ports: Ports) -> Finding | None:
    """The documentation of the API is not public."""
    if application(ports).API_DOCS == "off":
        return None
    return Finding(
        "/docs and /openapi.json are public.", "set API_DOCS=off if outsiders need not see them."
    )


@check("S019")
async def env_in_git(ports: Ports) -> Finding | None:  # noqa: ARG001
    """The settings file is not in the repository."""
    if not await asyncio.to_thread(tracked_by_git, Path(".env")):
        return None
    return Finding(
        ".env is tracked by git.",
        "run `git rm --cached .env`, add .env to .gitignore, and replace the secrets in it.",
    )


@check("S021", level="warning", deploy=True)
async def login_throttling(ports: Ports) -> Finding | None:
    """Guessing passwords is slowed down."""
    threshold = setting(ports, "ACCOUNT_LOCKOUT_THRESHOLD")
    if threshold is None or threshold > 0 or setting(ports, "RATE_LIMIT_ENABLED"):
        return None
    return Finding(
        "No login lockout or rate limit on /auth/login.",
        "set ACCOUNT_LOCKOUT_THRESHOLD=5 and RATE_LIMIT_ENABLED=true.",
    )


def tracked_by_git(file: Path) -> bool:
    """Say whether a file is under version control; not so where there is no git."""
    git = shutil.which("git")
    if git is None or not file.exists():
        return False
    asked = [git, "ls-files", "--error-unmatch", file.name]
    folder = file.absolute().parent
    done = subprocess.run(asked, cwd=folder, capture_output=True, check=False, timeout=_GIT_TIMEOUT)  # noqa: S603
    return done.returncode == 0


SECURITY: Final = (
    secret_key,
    environment,
    debug,
    cors_wildcard,
    cors_insecure,
    access_token_life,
    unproven_addresses,
    password_length,
    password_hasher,
    undeclared_routes,
    public_docs,
    env_in_git,
    login_throttling,
)
