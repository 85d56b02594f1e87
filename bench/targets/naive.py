"""A backend as the popular FastAPI templates write it: what a request costs there.

Three ``BaseHTTPMiddleware`` classes, a session dependency with ``yield``, ``OAuth2PasswordBearer``
with a signed token, the user by ``session.get`` and a Pydantic response model. Nothing in it is
slower than in the templates: the pool does not ping, the key is parsed once, the token is
stateless, so that no session row is read.
"""

import json
import logging
import os
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response, status
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from pwdlib import PasswordHash
from pydantic import BaseModel, ConfigDict, EmailStr
from sqlalchemy import DateTime, String, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint

ALGORITHM = "HS256"
ACCESS_TOKEN_LIFE = timedelta(minutes=30)
PREFIX = "/api/v1"

engine = create_async_engine(os.environ["DATABASE_URL"])
SessionLocal = async_sessionmaker(engine, expire_on_commit=False)
key = OctKey.import_key(os.environ["SECRET_KEY"])
claims_registry = jwt.JWTClaimsRegistry(sub={"essential": True}, exp={"essential": True})
password_hash = PasswordHash.recommended()
oauth2_scheme = OAuth2PasswordBearer(tokenUrl=f"{PREFIX}/auth/login")
request_id_of: ContextVar[str] = ContextVar("request_id", default="-")
access_log = logging.getLogger("access")
access_log.setLevel(logging.INFO)
access_log.propagate = False
access_log.addHandler(logging.StreamHandler(sys.stdout))


class Base(DeclarativeBase):
    """Declarative base."""


class User(Base):
    """A user's row."""

    __tablename__ = "users"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    email: Mapped[str] = mapped_column(String(255), unique=True, index=True)
    username: Mapped[str] = mapped_column(String(255), unique=True, index=True)
    full_name: Mapped[str | None] = mapped_column(String(255))
    hashed_password: Mapped[str] = mapped_column(String(255))
    is_active: Mapped[bool] = mapped_column(default=True)
    is_superuser: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), onupdate=func.now()
    )


class UserRegister(BaseModel):
    """What a visitor sends."""

    email: EmailStr
    username: str
    password: str
    full_name: str | None = None


class UserPublic(BaseModel):
    """What a caller sees."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    email: EmailStr
    username: str
    full_name: str | None
    is_active: bool
    is_superuser: bool
    created_at: datetime
    updated_at: datetime


class Token(BaseModel):
    """An access token."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 - the name of the scheme


class RequestIdMiddleware(BaseHTTPMiddleware):
    """Give each request an id and echo it."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Take the caller's id or make one."""
        request_id = request.headers.get("X-Request-ID") or str(uuid.uuid4())
        request_id_of.set(request_id)
        response = await call_next(request)
        response.headers["X-Request-ID"] = request_id
        return response


class SecurityHeadersMiddleware(BaseHTTPMiddleware):
    """Set the usual headers on each answer."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Add the headers."""
        response = await call_next(request)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        response.headers["Content-Security-Policy"] = "default-src 'self'"
        return response


class AccessLogMiddleware(BaseHTTPMiddleware):
    """Write one JSON line for each request."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Time the request and log it."""
        start = time.perf_counter()
        response = await call_next(request)
        line = {
            "timestamp": datetime.now(UTC).isoformat(),
            "request_id": request_id_of.get(),
            "method": request.method,
            "path": request.url.path,
            "status": response.status_code,
            "duration_ms": round((time.perf_counter() - start) * 1000, 2),
            "client": request.client.host if request.client else None,
        }
        access_log.info(json.dumps(line))
        return response


async def get_session() -> AsyncIterator[AsyncSession]:
    """Yield the session of the request."""
    async with SessionLocal() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]


async def get_current_user(
    session: SessionDep, token: Annotated[str, Depends(oauth2_scheme)]
) -> User:
    """Return the user whom the token names."""
    try:
        claims = jwt.decode(token, key, algorithms=[ALGORITHM]).claims
        claims_registry.validate(claims)
    except JoseError as error:
        raise HTTPException(
            status.HTTP_401_UNAUTHORIZED, "Could not validate credentials"
        ) from error
    user = await session.get(User, uuid.UUID(claims["sub"]))
    if user is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "User not found")
    if not user.is_active:
        raise HTTPException(status.HTTP_400_BAD_REQUEST, "Inactive user")
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]
auth = APIRouter(prefix="/auth", tags=["auth"])
users = APIRouter(prefix="/users", tags=["users"])


@auth.post("/register", status_code=status.HTTP_201_CREATED, response_model=UserPublic)
async def register(session: SessionDep, body: UserRegister) -> User:
    """Make an account."""
    values = body.model_dump(exclude={"password"})
    user = User(**values, hashed_password=password_hash.hash(body.password))
    session.add(user)
    await session.commit()
    await session.refresh(user)
    return user


@auth.post("/login")
async def login(
    session: SessionDep, form: Annotated[OAuth2PasswordRequestForm, Depends()]
) -> Token:
    """Sign in with an e-mail address and a password."""
    user = await session.scalar(select(User).where(User.email == form.username))
    if user is None or not password_hash.verify(form.password, user.hashed_password):
        raise HTTPException(status.HTTP_400_BAD_REQUEST, "Incorrect email or password")
    claims = {"sub": str(user.id), "exp": int((datetime.now(UTC) + ACCESS_TOKEN_LIFE).timestamp())}
    return Token(access_token=jwt.encode({"alg": ALGORITHM}, claims, key))


@users.get("/me", response_model=UserPublic)
async def read_user_me(current_user: CurrentUser) -> User:
    """Return the caller."""
    return current_user


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Make the tables, close the pool."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


def create() -> FastAPI:
    """Return the application."""
    app = FastAPI(title="Naive", lifespan=lifespan)
    app.add_middleware(AccessLogMiddleware)
    app.add_middleware(SecurityHeadersMiddleware)
    app.add_middleware(RequestIdMiddleware)
    api = APIRouter(prefix=PREFIX)
    api.include_router(auth)
    api.include_router(users)
    app.include_router(api)

    @app.get("/hello")
    async def hello() -> dict[str, str]:
        return {"message": "hello"}

    return app
