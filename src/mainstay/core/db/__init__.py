"""Models, engines, sessions and the unit of work."""

from mainstay.core.db.base import (
    Base,
    BaseModel,
    Id,
    JsonDocument,
    Line,
    MalformedIdError,
    Timestamp,
)

__all__ = ["Base", "BaseModel", "Id", "JsonDocument", "Line", "MalformedIdError", "Timestamp"]
