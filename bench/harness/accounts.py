"""Accounts for the measured routes, made over HTTP as a visitor would."""

import json
import secrets
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from harness.client import Request, check

REGISTER = "/api/v1/auth/register"
LOGIN = "/api/v1/auth/login"
ME = "/api/v1/users/me"


@dataclass(frozen=True)
class Account:
    """One user; the token is empty until the sign-in."""

    email: str
    password: str
    token: str = ""

    def me(self) -> Request:
        """Return the request for the own user."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return Request(path=ME, headers=headers, contains=self.email)


def register(port: int, *, count: int) -> list[Account]:
    """Register and sign in ``count`` users."""
    return [_registered(port) for _ in range(count)]


def new_account() -> Account:
    """Return an account that nobody has yet, without a token."""
    return Account(f"visitor{secrets.token_hex(6)}@example.com", secrets.token_urlsafe(18))


def register_request(account: Account) -> Request:
    """Return the account's registration."""
    name = account.email.partition("@")[0]
    payload = {"email": account.email, "username": name, "password": account.password}
    return Request(
        path=REGISTER,
        method="POST",
        headers={"Content-Type": "application/json"},
        bodies=(json.dumps(payload),),
        status=201,
    )


def login_request(accounts: list[Account]) -> Request:
    """Return sign-ins of the accounts in turn, in the OAuth2 form."""
    return Request(
        path=LOGIN,
        method="POST",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        bodies=tuple(
            urlencode({"username": account.email, "password": account.password})
            for account in accounts
        ),
        contains="access_token",
    )


def _registered(port: int) -> Account:
    account = new_account()
    check(port, register_request(account))
    answer = json.loads(check(port, login_request([account])))
    return replace(account, token=answer["access_token"])
