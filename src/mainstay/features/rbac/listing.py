"""The lists of roles and permissions: what they can be filtered, sorted and searched by."""

from __future__ import annotations

from typing import Final

from mainstay.core.http.query import EXACT, RANGE, TEXT, ListField, ListSpec, page_model
from mainstay.features.rbac.models import DeclaredPermission, Role
from mainstay.features.rbac.schemas import PermissionRead, RoleRead

ROLES: Final = ListSpec(
    name="Role",
    fields={
        "id": ListField(column=Role.id, operators=EXACT),
        "name": ListField(column=Role.name, operators=(*EXACT, *TEXT), sort=True, search=True),
        "description": ListField(column=Role.description, search=True),
        "rank": ListField(column=Role.rank, operators=(*EXACT, *RANGE), sort=True),
        "built_in": ListField(column=Role.built_in, operators=("eq",)),
        "created_at": ListField(column=Role.created_at, operators=RANGE, sort=True),
        "updated_at": ListField(column=Role.updated_at, operators=RANGE, sort=True),
    },
    default_sort="rank,name",
)

RolePage: Final = page_model("RolePage", RoleRead)

PERMISSIONS: Final = ListSpec(
    name="Permission",
    key="name",
    fields={
        "name": ListField(
            column=DeclaredPermission.name, operators=(*EXACT, *TEXT), sort=True, search=True
        ),
        "feature": ListField(column=DeclaredPermission.feature, operators=EXACT, sort=True),
        "description": ListField(column=DeclaredPermission.description, search=True),
    },
    default_sort="name",
)

PermissionPage: Final = page_model("PermissionPage", PermissionRead)
