from __future__ import annotations

import copy
import pickle
from typing import Annotated

import pytest
from pydantic import Field, SecretStr, ValidationError

from mainstay.core.settings import Entry, Names, Section, Settings, load


class ShopSettings(Section):
    STRIPE_KEY: SecretStr | None = None
    """Charges cards."""

    PAGE_SIZE: Annotated[int, Names("PER_PAGE"), Field(description="Rows a page.")] = 20


class RateLimitSettings(Section):
    LIMIT: int = 5


class Missing(Section):
    OTHER: int = 1


@pytest.fixture
def settings():
    environ = {"PER_PAGE": "7", "STRIPE_KEY": "sk_live"}
    return load([ShopSettings, RateLimitSettings], environ=environ, env_file=None)


def test_a_section_is_had_by_its_type_and_a_value_by_its_name(settings):
    assert settings[ShopSettings].PAGE_SIZE == 7
    assert settings.PAGE_SIZE == 7
    assert settings.LIMIT == 5
    assert ShopSettings in settings
    assert Missing not in settings


def test_what_is_not_there_is_an_error_that_names_it(settings):
    with pytest.raises(KeyError, match="Missing is not loaded"):
        settings[Missing]
    with pytest.raises(AttributeError, match="OTHER"):
        settings.OTHER  # noqa: B018
    with pytest.raises(AttributeError):
        settings._nothing  # noqa: B018


def test_nothing_can_be_changed(settings):
    with pytest.raises(AttributeError, match="frozen"):
        settings.LIMIT = 6
    with pytest.raises(ValidationError, match="frozen"):
        settings[RateLimitSettings].LIMIT = 6


def test_entries_say_everything(settings):
    key, page, limit = settings.entries()
    assert key == Entry(
        name="STRIPE_KEY",
        value="********",
        source="environment",
        section="shop",
        description="Charges cards.",
        default="",
        aliases=(),
        secret=True,
    )
    assert page == Entry(
        name="PAGE_SIZE",
        value="7",
        source="environment (PER_PAGE)",
        section="shop",
        description="Rows a page.",
        default="20",
        aliases=("PER_PAGE",),
        secret=False,
    )
    assert (limit.section, limit.source) == ("rate limit", "default")


def test_settings_survive_copies_and_processes(settings):
    sent = pickle.loads(pickle.dumps(settings))  # noqa: S301  (our own bytes)
    for other in (copy.copy(settings), copy.deepcopy(settings), sent):
        assert list(other.entries()) == list(settings.entries())


def test_values_can_be_replaced_in_a_copy(settings):
    other = settings.replaced({"LIMIT": 9}, source="generated", notices=["new"])
    assert (settings.LIMIT, other.LIMIT, other.notices) == (5, 9, ("new",))
    assert [entry.source for entry in other.entries()][-1] == "generated"


def test_a_section_made_by_hand_reads_nothing(monkeypatch):
    monkeypatch.setenv("PAGE_SIZE", "50")
    assert Settings([ShopSettings()]).PAGE_SIZE == 20
    assert ShopSettings(PAGE_SIZE="30").PAGE_SIZE == 30


def test_a_wrong_value_by_hand_does_not_print_it():
    with pytest.raises(ValidationError) as caught:
        ShopSettings(PAGE_SIZE="hunter2")
    assert "hunter2" not in str(caught.value)


def test_a_name_that_the_environment_cannot_hold_is_refused():
    with pytest.raises(TypeError, match=r"Small.name: a setting is named in upper case, NAME"):

        class Small(Section):
            name: str = ""

    with pytest.raises(ValueError, match="upper case"):
        Names("small")
