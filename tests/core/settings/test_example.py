from __future__ import annotations

import io
from typing import Annotated

from dotenv import dotenv_values
from pydantic import SecretStr

from mainstay.core.settings import (
    ApplicationSettings,
    Names,
    Section,
    Size,
    env_example,
    load,
)

SECRET = "hunter2-is-not-shown"


class ShopSettings(Section):
    STRIPE_KEY: SecretStr
    """Charges cards."""

    TEST_KEY: SecretStr | None = SecretStr(SECRET)
    GREETING: str = 'say "hi" \\ # \n twice'
    LIMIT: Annotated[Size, Names("OLD_LIMIT")] = 2048
    TAGS: tuple[str, ...] = ("a b", "c,d")


SECTIONS = [ApplicationSettings, ShopSettings]


def uncommented(text):
    return "\n".join(
        line[1:] for line in text.splitlines() if line.startswith("#") and line[1:2].isupper()
    )


def test_every_setting_is_there_commented_out_and_described():
    text = env_example(SECTIONS)
    assert all(line.startswith("#") or not line for line in text.splitlines())
    for kind in SECTIONS:
        for name, field in kind.model_fields.items():
            assert f"\n#{name}=" in text
            assert (field.description or "") in " ".join(text.replace("\n# ", " ").split("\n"))
    assert "# Also read from OLD_LIMIT." in text
    assert "# Required; takes text.\n#STRIPE_KEY=" in text
    assert SECRET not in text


def test_uncommenting_all_changes_nothing(tmp_path):
    path = tmp_path / ".env"
    path.write_text(uncommented(env_example(SECTIONS)))
    key = {"STRIPE_KEY": "sk"}
    default = load(SECTIONS, environ=key, env_file=None)
    settings = load(SECTIONS, environ=key, env_file=path)
    assert settings.sections == default.sections
    assert settings.notices == ()
    assert any(entry.source == ".env" for entry in settings.entries())


def test_other_tools_read_it_too():
    values = dotenv_values(
        stream=io.StringIO(uncommented(env_example(SECTIONS))), interpolate=False
    )
    assert values["GREETING"] == 'say "hi" \\ # \n twice'
    assert values["TAGS"] == '["a b", "c,d"]'
    assert values["LIMIT"] == "2kb"
