"""The list of users: what it can be filtered, sorted and searched by."""

from __future__ import annotations

from typing import Final

from mainstay.core.http.query import EXACT, NULL, RANGE, TEXT, ListField, ListSpec, page_model
from mainstay.features.users.models import User
from mainstay.features.users.schemas import UserRead

USERS: Final = ListSpec(
    name="User",
    fields={
        "id": ListField(column=User.id, operators=EXACT),
        "username": ListField(
            column=User.username, operators=(*EXACT, *TEXT), sort=True, search=True
        ),
        "email": ListField(column=User.email, operators=(*EXACT, *TEXT), sort=True, search=True),
        "first_name": ListField(
            column=User.first_name, operators=(*TEXT, *NULL), sort=True, search=True
        ),
        "last_name": ListField(
            column=User.last_name, operators=(*TEXT, *NULL), sort=True, search=True
        ),
        "is_active": ListField(column=User.is_active, operators=("eq",)),
        "email_verified": ListField(column=User.email_verified, operators=("eq",)),
        "two_fa_enabled": ListField(column=User.two_fa_enabled, operators=("eq",)),
        "language": ListField(column=User.language, operators=EXACT),
        "last_login_at": ListField(column=User.last_login_at, operators=(*RANGE, *NULL), sort=True),
        "created_at": ListField(column=User.created_at, operators=RANGE, sort=True),
        "updated_at": ListField(column=User.updated_at, operators=RANGE, sort=True),
    },
    default_sort="-created_at",
)

UserPage: Final = page_model("UserPage", UserRead)
