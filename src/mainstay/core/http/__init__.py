"""The edge of HTTP: problems, context, middleware, paging, conditional requests."""
