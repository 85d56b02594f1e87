"""The commands, a module a kind. Only what `--help` needs is imported with them."""
