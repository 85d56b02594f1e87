"""What the audit trail brings."""

from __future__ import annotations

from mainstay.core.feature import Feature, Mount, Permission
from mainstay.features.audit.models import AuditLog
from mainstay.features.audit.recorder import subscriber
from mainstay.features.audit.router import READ, activity_router, router

feature = Feature(
    name="audit",
    models=(AuditLog,),
    routers=(Mount(router=router, prefix="/audit"), Mount(router=activity_router, prefix="/auth")),
    permissions=(Permission(name=READ, description="Read the audit trail.", lowest_role="admin"),),
    subscribers=(subscriber,),
)
