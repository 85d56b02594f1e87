"""The linear history of the package."""
