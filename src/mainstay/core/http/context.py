"""What the edge knows of a request, kept in the ASGI scope for all that follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from mainstay.core.origin import Origin

if TYPE_CHECKING:
    from starlette.types import Scope

    from mainstay.core.db.unit import UnitOfWork, Units
    from mainstay.core.principal import Principal

SCOPE_KEY = "mainstay"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class RequestContext:
    """One request's own state.

    ``headers`` are the request's, lower-case names; of a repeated one the last. ``extra_headers``
    are added to whatever answer leaves. ``peer`` is the other end of the connection, which
    ``origin.ip`` is not behind a trusted proxy. ``idempotent`` says that a key protects a repeat.
    The unit of work is made when it is first asked for.
    """

    __slots__ = (
        "_unit",
        "_units",
        "extra_headers",
        "headers",
        "idempotent",
        "method",
        "origin",
        "peer",
        "principal",
        "started",
    )

    def __init__(
        self,
        *,
        method: str,
        headers: dict[bytes, bytes],
        origin: Origin,
        peer: str | None,
        units: Units,
        started: float,
    ) -> None:
        self.method = method
        self.headers = headers
        self.origin = origin
        self.started = started
        self.extra_headers: list[tuple[bytes, bytes]] = []
        self.principal: Principal | None = None
        self.peer = peer
        self.idempotent = False
        self._units = units
        self._unit: UnitOfWork | None = None

    @property
    def request_id(self) -> str:
        """The request's id, as echoed in ``X-Request-ID``."""
        return self.origin.request_id

    @property
    def client_ip(self) -> str | None:
        """The caller's address, after the trusted proxies."""
        return self.origin.ip

    @property
    def unit(self) -> UnitOfWork:
        """The request's one unit of work."""
        if self._unit is None:
            self._unit = self._units.unit(write=self.method not in SAFE_METHODS)
            self._unit.principal = self.principal
        return self._unit

    @property
    def opened_unit(self) -> UnitOfWork | None:
        """The unit of work, if anything asked for it."""
        return self._unit

    def sign_in(self, principal: Principal) -> None:
        """Note who acts in this request."""
        self.principal = principal
        self.origin.actor_id = principal.id
        self.origin.session_id = principal.session_id
        if self._unit is not None:
            self._unit.act_as(principal)

    def begin_again(self) -> None:
        """Forget what a first try left, before the request is replayed.

        A request counts once against a limit, so that what was said of that stays.
        """
        self._unit = None
        self.principal = None
        self.origin.actor_id = None
        self.origin.session_id = None
        self.extra_headers = [field for field in self.extra_headers if b"ratelimit" in field[0]]

    def bearer(self) -> str | None:
        """Give the bearer token of the ``Authorization`` header (RFC 6750, section 2.1)."""
        value = self.headers.get(b"authorization")
        if value is None or value[:7].lower() != b"bearer ":
            return None
        return value[7:].strip().decode("latin-1") or None


def context_of(scope: Scope) -> RequestContext:
    """Give the context that the edge put into the scope.

    Raises:
        LookupError: the application is served without its edge.
    """
    try:
        return cast("RequestContext", scope[SCOPE_KEY])
    except KeyError:
        msg = "There is no request context: this application was not made by create_app()."
        raise LookupError(msg) from None


def ports_of(scope: Scope) -> Any:
    """Give the ports of the application that serves this scope."""
    return scope["app"].state.mainstay.ports
