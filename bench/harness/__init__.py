"""What measures: servers, load, databases, statistics and the report."""
