from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, Secret, SecretStr, field_validator, model_validator
from typing_extensions import TypeAliasType

from mainstay.core.settings import (
    Names,
    Section,
    SettingsError,
    Shown,
    Size,
    Takes,
    load,
)

SECRET = "hunter2-is-not-shown"


Words = TypeAliasType("Words", tuple[str, ...])


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(StrEnum):
    LOW = "low"
    HIGH = "high"


class Provider(BaseModel):
    name: str
    client_secret: str
    scopes: list[str] = []


class Guarded(BaseModel):
    name: str
    key: SecretStr


class Kinds(Section):
    FLAG: bool = False
    COUNT: Annotated[int, Field(ge=1, le=9)] = 1
    RATE: Annotated[float, Field(gt=0)] = 1.0
    PRICE: Decimal = Decimal(1)
    WORD: Annotated[str, Field(min_length=2, max_length=4)] = "word"
    CODE: Annotated[str, Field(pattern="^[a-z]+$")] = "a"
    MODE: Literal["Fast", "slow"] = "slow"
    LEVEL_NUMBER: Literal[1, 2] = 1
    COLOUR: Colour = Colour.RED
    LEVEL: Level = Level.LOW
    LIMIT: Size | None = None
    NAMES: list[str] = Field(default=[])
    NUMBERS: tuple[int, ...] = ()
    LIMITS: tuple[Size, ...] = ()
    SOME: Annotated[set[int], Field(max_length=2)] = Field(default=set())
    OPTIONS: dict[str, Any] = Field(default={})
    PROVIDERS: list[Provider] = Field(default=[])
    GUARDED: list[Guarded] = Field(default=[])
    FOLDER: Path | None = None
    WAIT: timedelta = timedelta(seconds=1)
    IDENTITY: uuid.UUID | None = None
    EITHER: int | str = 1
    TEXT_KEY: str = ""
    TOKEN: SecretStr | None = None
    DATABASE_URL: Annotated[str, Takes("a database URL")] = "sqlite://"

    @field_validator("DATABASE_URL")
    @classmethod
    def _known(cls, value: str) -> str:
        if not value.startswith("sqlite"):
            msg = f"{value} is not known"
            raise ValueError(msg)
        return value


def read(environ, *sections, **more):
    return load(sections or [Kinds], environ=environ, env_file=None, **more)


def faults(environ, *sections, **more):
    with pytest.raises(SettingsError) as caught:
        read(environ, *sections, **more)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value.faults


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("FLAG", "yes", True),
        ("FLAG", " Off ", False),
        ("COUNT", " 9 ", 9),
        ("RATE", "0.5", 0.5),
        ("PRICE", "0.10", Decimal("0.10")),
        ("MODE", "FAST", "Fast"),
        ("LEVEL_NUMBER", "2", 2),
        ("COLOUR", "blue", Colour.BLUE),
        ("LEVEL", "high", Level.HIGH),
        ("LIMIT", "1kb", 1024),
        ("NAMES", "a, b", ["a", "b"]),
        ("NAMES", '["a, b"]', ["a, b"]),
        ("NUMBERS", "1,2", (1, 2)),
        ("NUMBERS", "[1, 2]", (1, 2)),
        ("LIMITS", "1kb,2kb", (1024, 2048)),
        ("SOME", "1,1", {1}),
        ("OPTIONS", '{"a": [1]}', {"a": [1]}),
        ("PROVIDERS", '[{"name": "a", "client_secret": "b"}]', None),
        ("FOLDER", "/tmp", Path("/tmp")),  # noqa: S108  (nothing is written there)
        ("WAIT", "PT5M", timedelta(minutes=5)),
        ("EITHER", "x", "x"),
        ("WORD", " ab ", " ab "),
    ],
)
def test_text_is_read_as_the_type_says(name, text, value):
    result = getattr(read({name: text}), name)
    assert result == (value if value is not None else [Provider(name="a", client_secret="b")])


@pytest.mark.parametrize(
    ("name", "text", "got", "takes"),
    [
        ("FLAG", "maybe", "'maybe'", "true or false"),
        ("COUNT", "eighty", "'eighty'", "a whole number from 1 to 9"),
        ("COUNT", "10", "'10'", "a whole number from 1 to 9"),
        ("RATE", "0", "'0'", "a number above 0"),
        ("WORD", "", "''", "text of length 2 or more and of length 4 or less"),
        ("CODE", "A", "'A'", "text that matches ^[a-z]+$"),
        ("MODE", "x", "'x'", "Fast or slow"),
        ("COLOUR", "x", "'x'", "red or blue"),
        ("LIMIT", "x", "'x'", "a size such as 512kb, 10mb or 1gb"),
        ("NUMBERS", "1,x", "'x'", "a comma separated or JSON list, each a whole number"),
        ("NAMES", "[1]", "'1'", "a comma separated or JSON list"),
        ("NAMES", "['a']", "\"['a']\"", "a comma separated or JSON list: not JSON"),
        ("LIMITS", "1kb,x", "'x'", "a comma separated or JSON list, each a size such as 512kb"),
        ("SOME", "1,2,3", "'1,2,3'", "a comma separated or JSON list of length 2 or less"),
        ("OPTIONS", "x", "text of 1 characters", "a JSON object: not JSON"),
        ("OPTIONS", "[]", "''", "a JSON object"),
        ("WAIT", "soon", "'soon'", "a duration such as 00:05:00 or PT5M"),
        ("IDENTITY", "x", "'x'", "a valid UUID"),
        ("DATABASE_URL", "mysql://a:b@h", "'mysql://a:********@h'", "a database URL"),
    ],
)
def test_a_fault_says_what_was_got_and_what_is_taken(name, text, got, takes):
    (fault,) = faults({name: text})
    assert (fault.name, fault.got) == (name, got)
    assert fault.takes.startswith(takes)
    assert fault.fix == "Correct it in the environment."


def test_an_object_in_a_list_is_pointed_at_and_its_secrets_are_masked():
    text = f'[{{"client_secret": "{SECRET}"}}]'
    (fault,) = faults({"PROVIDERS": text})
    assert fault.takes == "a JSON list of objects (0.name: Field required)"
    assert fault.got == """'[{"client_secret": "********"}]'"""


def test_the_fault_names_the_variable_that_was_read_and_where(tmp_path):
    class Own(Section):
        PREFIX: Annotated[int, Names("OLD_PREFIX")] = 1

    path = tmp_path / ".env"
    path.write_text("MAINSTAY_OLD_PREFIX=x")
    with pytest.raises(SettingsError) as caught:
        load([Own], environ={}, env_file=path)
    (fault,) = caught.value.faults
    assert (fault.name, fault.fix) == ("MAINSTAY_OLD_PREFIX", "Correct it in .env.")
    (fault,) = faults({}, Own, overrides={"PREFIX": [SECRET]})
    assert fault.fix == "Correct the value given for PREFIX."


def test_all_faults_over_all_sections_come_at_once(tmp_path):
    class Other(Section):
        NEEDED: SecretStr
        SIZE: Size = 1

    path = tmp_path / "short"
    path.write_text("x")
    found = faults({"COUNT": "x", "FLAG": "x", "SIZE": "x", "TOKEN_FILE": "/nowhere"}, Kinds, Other)
    assert {fault.name for fault in found} == {"COUNT", "FLAG", "SIZE", "NEEDED", "TOKEN_FILE"}
    text = str(SettingsError(found))
    assert len(text.splitlines()) == 1 + len(found)
    assert "NEEDED is not set." in text


def test_an_unreadable_required_setting_is_one_fault():
    class Needs(Section):
        API_KEY: SecretStr

    (fault,) = faults({"API_KEY_FILE": "/nowhere"}, Needs)
    assert fault.name == "API_KEY_FILE"


def test_a_wrong_default_is_laid_to_the_section():
    class Wrong(Section):
        AMOUNT: int = "many"  # type: ignore[assignment]

    (fault,) = faults({}, Wrong)
    assert (fault.name, fault.got) == ("AMOUNT", "the default 'many'")
    assert fault.fix == "Correct it in Wrong."


def test_rules_of_a_section_speak_for_themselves_without_secrets():
    class Ruled(Section):
        AMOUNT: int = 1
        EVEN: int = 0
        PASSWORD: SecretStr | None = None
        LINK: str = ""

        @field_validator("EVEN")
        @classmethod
        def _even(cls, value: int) -> int:
            if value % 2:
                msg = "must be even."
                raise ValueError(msg)
            return value

        @field_validator("PASSWORD")
        @classmethod
        def _strong(cls, value: SecretStr) -> SecretStr:
            if value and value.get_secret_value() == SECRET:
                msg = f"{SECRET} is weak"
                raise ValueError(msg)
            return value

        @model_validator(mode="after")
        def _agree(self) -> Ruled:
            if self.AMOUNT == 2 and self.PASSWORD:
                msg = f"AMOUNT 2 goes with no {self.PASSWORD.get_secret_value()} and {self.LINK}"
                raise ValueError(msg)
            return self

    (fault,) = faults({"EVEN": "3"}, Ruled)
    assert fault.takes == "a whole number: must be even"
    (fault,) = faults({"PASSWORD": SECRET}, Ruled)
    assert (fault.got, fault.takes) == (f"a secret of {len(SECRET)} characters", "text")
    link = f"redis://:{SECRET}@h"
    (fault,) = faults({"AMOUNT": "2", "PASSWORD": "abc" + SECRET, "LINK": link}, Ruled)
    assert (fault.name, fault.takes) == (
        "Ruled",
        "AMOUNT 2 goes with no ******** and redis://:********@h",
    )


@pytest.mark.parametrize(
    "environ",
    [
        {"TOKEN": SECRET, "COUNT": "x"},
        {"TEXT_KEY": SECRET, "COUNT": "x"},
        {"DATABASE_URL": f"mysql://ada:{SECRET}@db"},
        {"DATABASE_URL": f"mysql//ada:{SECRET}@db"},
        {"GUARDED": f'[{{"key": "{SECRET}"}}]'},
        {"GUARDED": f'[{{"name": 1, "key": "{SECRET}"}}]'},
        {"GUARDED": SECRET},
        {"PROVIDERS": f'[{{"client_secret": "{SECRET}"}}'},
        {"PROVIDERS": f'[{{"client_secret": "{SECRET}"}}]'},
        {"MAINSTAY_TOKN": SECRET, "COUNT": "x"},
    ],
)
def test_no_fault_holds_a_secret(environ):
    found = faults(environ)
    assert SECRET not in f"{SettingsError(found)} {found!r}"


def test_no_entry_repr_or_notice_holds_a_secret():
    settings = read(
        {
            "TOKEN": SECRET,
            "TEXT_KEY": SECRET,
            "DATABASE_URL": f"sqlite://ada:{SECRET}@db?password={SECRET}",
            "GUARDED": f'[{{"name": "a", "key": "{SECRET}"}}]',
            "PROVIDERS": f'[{{"name": "a", "client_secret": "{SECRET}"}}]',
            "OPTIONS": f'{{"api_token": "{SECRET}"}}',
            "MAINSTAY_TOKN": SECRET,
        }
    )
    assert settings.TEXT_KEY == SECRET
    shown = [
        repr(settings),
        str(settings[Kinds]),
        *settings.notices,
        *map(repr, settings.entries()),
    ]
    assert SECRET not in "\n".join(shown)
    assert settings.notices


def test_a_secret_of_another_type_is_not_shown_either():
    (fault,) = faults({}, overrides={"TOKEN": [SECRET]})
    assert (fault.name, fault.got) == ("TOKEN", "a secret")


def test_a_fault_in_a_file_is_put_right_there(tmp_path):
    path = tmp_path / "value"
    path.write_text("mysql://h")
    (fault,) = faults({"DATABASE_URL_FILE": str(path)})
    assert fault.got == "'mysql://h'"
    assert fault.fix == "Correct the file that DATABASE_URL_FILE names."


def test_less_usual_annotations_are_understood():
    class Unusual(Section):
        WORDS: Words | None = None
        ANYTHING: Any = None
        NESTED_WORDS: dict[str, tuple[int, ...]] | None = None
        LOCK: Secret[int] | None = None

    environ = {
        "WORDS": "a,b",
        "ANYTHING": "[x",
        "NESTED_WORDS": '{"a": [1]}',
        "LOCK": "4711",
    }
    settings = read(environ, Unusual)
    assert (settings.WORDS, settings.ANYTHING) == (("a", "b"), "[x")
    assert settings.NESTED_WORDS == {"a": (1,)}
    assert "4711" not in repr(list(settings.entries()))
    (fault,) = faults({"LOCK": "x4711"}, Unusual)
    assert fault.got == "a secret of 5 characters"


def test_aliases_of_pydantic_change_nothing():
    class Aliased(Section):
        AMOUNT: int = Field(default=1, alias="amount_of")

    assert read({"AMOUNT": "2"}, Aliased).AMOUNT == 2
    (fault,) = faults({"AMOUNT": "x"}, Aliased)
    assert fault.name == "AMOUNT"


def test_two_sections_that_claim_a_name_are_refused_with_both_named():
    class One(Section):
        SHARED: int = 1

    class Two(Section):
        OWN: Annotated[int, Names("SHARED")] = 1

    (fault,) = faults({}, One, Two)
    assert fault.name == "SHARED"
    assert "One.SHARED" in fault.got
    assert "Two.OWN" in fault.got


def test_a_section_may_be_asked_for_twice_and_a_derived_one_takes_its_place():
    class Derived(Kinds):
        COUNT: int = 5
        PAGES: list[str] = Field(default=[])

    settings = read({"PAGES": "a,b"}, Kinds, Kinds, Derived)
    assert settings.sections == (settings[Derived],)
    assert settings[Kinds] is settings[Derived]
    assert (settings.COUNT, settings.PAGES) == (5, ["a", "b"])


def test_values_are_shown_by_their_own_marker():
    class Marked(Section):
        LIMIT: Size = 2048
        WORDS: Annotated[tuple[str, ...], Shown(" ".join)] = ("a", "b")

    shown = {entry.name: entry.value for entry in read({}, Marked).entries()}
    assert shown == {"LIMIT": "2kb", "WORDS": "a b"}
