"""The audit trail: who did what, when and from where, written with the change itself."""

from mainstay.features.audit.feature import feature
from mainstay.features.audit.models import AuditLog, AuditRowChangedError

__all__ = ["AuditLog", "AuditRowChangedError", "feature"]
