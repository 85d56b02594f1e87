"""The kit for tests."""
