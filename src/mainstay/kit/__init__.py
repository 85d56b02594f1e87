"""Pure helpers: no I/O, no framework, no settings."""
