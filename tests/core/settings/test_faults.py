from __future__ import annotations

from mainstay.core.errors import ProblemError
from mainstay.core.settings import Fault, SettingsError, failure_text

SECRET = Fault(
    "SECRET_KEY", None, "a secret", "Run `mainstay secret` and put the result in SECRET_KEY."
)
DATABASE = Fault("DATABASE_URL", None, "a URL", "Example: postgresql+asyncpg://user:pass@host/shop")


def test_the_whole_failure_reads_as_in_the_documentation():
    assert failure_text([SECRET, DATABASE], "production") == (
        "Mainstay will not start in production:\n"
        "  SECRET_KEY is not set.      Run `mainstay secret` and put the result in SECRET_KEY.\n"
        "  DATABASE_URL is not set.    Example: postgresql+asyncpg://user:pass@host/shop"
    )


def test_a_fault_without_a_fix_is_one_sentence():
    fault = Fault("PORT", "'eighty'", "a whole number from 1 to 65535")
    assert fault.sentence == "PORT got 'eighty', takes a whole number from 1 to 65535."
    assert failure_text([fault]) == f"Mainstay will not start:\n  {fault.sentence}"


def test_the_error_holds_its_faults_and_is_no_problem_of_a_request():
    error = SettingsError([SECRET], environment="staging")
    assert error.faults == (SECRET,)
    assert error.environment == "staging"
    assert str(error).startswith("Mainstay will not start in staging:")
    assert not isinstance(error, ProblemError)
