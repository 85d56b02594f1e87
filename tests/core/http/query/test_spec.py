"""A list's declaration is checked when it is made."""

from __future__ import annotations

import enum
import uuid
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from mainstay.core.http.query import (
    EXACT,
    NULL,
    RANGE,
    TEXT,
    Condition,
    ListField,
    ListSpec,
    SortKey,
    parse_query,
    parse_search,
)


class Base(DeclarativeBase):
    pass


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Rank(enum.IntEnum):
    LOW = 1
    HIGH = 2


class ByName(TypeDecorator):
    """A color kept as its name."""

    impl = sa.String(10)
    cache_ok = True

    @property
    def python_type(self):
        return Color


class Pen(Base):
    __tablename__ = "pens"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(sa.String(50))
    color: Mapped[Color | None]
    bare: Mapped[str] = mapped_column(sa.Enum("x", "y"))
    named: Mapped[Color] = mapped_column(ByName)
    rank: Mapped[int]
    small: Mapped[int] = mapped_column(sa.SmallInteger)
    width: Mapped[float] = mapped_column(sa.Float)
    exact_width: Mapped[float] = mapped_column(sa.Float(53))
    price: Mapped[Decimal] = mapped_column(sa.Numeric(6, 2))
    sold_at: Mapped[datetime | None] = mapped_column(sa.DateTime(timezone=False))
    story: Mapped[str] = mapped_column(sa.Text)
    tags: Mapped[dict] = mapped_column(sa.JSON)


ID = ListField(column=Pen.id, operators=EXACT)


def pens(*, default_sort="", **fields):
    return ListSpec(name="Pen", fields={"id": ID} | fields, default_sort=default_sort)


def condition(spec, raw):
    return parse_query(spec, raw.encode()).where


def bound(spec, raw):
    found = condition(spec, raw)
    return spec.bound[found.field].value(found.value).value


@pytest.mark.parametrize(
    "name", ["", "Name", "a__b", "_a", "a.", "a..b", "limit", "q", "expand", "and", "a.or", "a b"]
)
def test_names_that_the_language_has_itself_are_refused(name):
    with pytest.raises(ValueError, match="cannot be the name"):
        pens(**{name: ListField(column=Pen.label)})


@pytest.mark.parametrize(
    ("column", "operators"),
    [
        (Pen.id, RANGE),
        (Pen.id, TEXT),
        (Pen.rank, TEXT),
        (Pen.color, RANGE),
        (Pen.sold_at, ("contains",)),
        (Pen.label, ("between",)),
    ],
)
def test_operators_fit_the_type(column, operators):
    with pytest.raises(ValueError, match="cannot have the operators"):
        pens(field=ListField(column=column, operators=operators))


@pytest.mark.parametrize("column", [Pen.color, Pen.width, Pen.story, Pen.bare])
def test_what_databases_order_differently_is_not_sorted_by(column):
    with pytest.raises(ValueError, match="cannot be sorted by"):
        pens(field=ListField(column=column, sort=True))
    with pytest.raises(ValueError, match="cannot be sorted by"):
        pens(field=ListField(column=column), default_sort="field")


def test_double_precision_is_sorted_by():
    assert pens(width=ListField(column=Pen.exact_width, sort=True)).sortable == ("width",)


def test_only_texts_are_searched():
    with pytest.raises(ValueError, match="is no text"):
        pens(rank=ListField(column=Pen.rank, search=True))


def test_unknown_types_are_refused():
    with pytest.raises(TypeError, match="'tags' has a type"):
        pens(tags=ListField(column=Pen.tags))
    with pytest.raises(TypeError):
        pens(made=ListField(column=sa.literal_column("now()")))


def test_the_rest_of_the_declaration_is_checked():
    with pytest.raises(ValueError, match="needs its key 'id'"):
        ListSpec(name="Pen", fields={"label": ListField(column=Pen.label)})
    with pytest.raises(ValueError, match="NOT NULL"):
        ListSpec(name="Pen", fields={"id": ListField(column=Pen.sold_at)})
    with pytest.raises(ValueError, match="default_limit"):
        ListSpec(name="Pen", fields={"id": ID}, default_limit=101)
    with pytest.raises(ValueError, match="cannot be sorted by 'nothing'"):
        pens(default_sort="-nothing")


def test_the_limit_is_the_resources_own():
    spec = ListSpec(name="Pen", fields={"id": ID}, default_limit=5, max_limit=10)
    assert parse_query(spec, b"").limit == 5
    assert parse_query(spec, b"limit=10").limit == 10


def test_the_default_sort_is_completed():
    spec = pens(label=ListField(column=Pen.label), default_sort="label,-id")
    assert spec.default_order == (SortKey("label"), SortKey("id", True))
    assert pens().default_order == (SortKey("id"),)


def test_values_are_bound_as_their_columns_take_them():
    spec = pens(
        color=ListField(column=Pen.color, operators=EXACT),
        bare=ListField(column=Pen.bare, operators=EXACT),
        named=ListField(column=Pen.named, operators=EXACT),
        rank=ListField(column=Pen.rank, operators=EXACT, python_type=Rank),
        label=ListField(column=Pen.label, operators=EXACT, python_type=Color),
        sold_at=ListField(column=Pen.sold_at, operators=RANGE),
        price=ListField(column=Pen.price, operators=RANGE),
    )
    text = "00000000-0000-7000-8000-000000000001"
    assert bound(spec, f"id={text.upper()}") == uuid.UUID(text)
    assert bound(spec, "color=red") is Color.RED
    assert bound(spec, "bare=x") == "x"
    assert bound(spec, "named=red") is Color.RED
    assert bound(spec, "rank=2") == 2
    assert bound(spec, "label=blue") == "blue"
    assert bound(spec, "sold_at__gt=2026-01-01T01:00:00%2B01:00") == datetime(
        2026, 1, 1, tzinfo=UTC
    ).replace(tzinfo=None)
    assert bound(spec, "price__lt=1234.5") == Decimal("1234.5")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("small=32768", "less_than_equal"),
        ("price=12345", "decimal_parsing"),
        ("price=1.005", "decimal_parsing"),
    ],
)
def test_numbers_that_the_column_cannot_hold_are_refused(raw, code):
    spec = pens(
        small=ListField(column=Pen.small, operators=EXACT),
        price=ListField(column=Pen.price, operators=EXACT),
    )
    with pytest.raises(Exception, match="1 problem") as caught:
        parse_query(spec, raw.encode())
    assert caught.value.errors[0].code == code


def test_a_full_field_allows_all_that_its_type_has():
    assert ListField.full(Pen.label) == ListField(
        column=Pen.label, operators=EXACT + RANGE + TEXT, sort=True
    )
    assert ListField.full(Pen.sold_at).operators == EXACT + RANGE + NULL
    assert ListField.full(Pen.color).sort is False
    assert ListField.full(Pen.label, python_type=uuid.UUID).operators == EXACT
    with pytest.raises(TypeError):
        ListField.full(Pen.tags)


def test_expressions_are_fields_too():
    spec = pens(
        shout=ListField(
            column=sa.func.upper(Pen.label, type_=sa.String), operators=("eq",), sort=True
        )
    )
    assert spec.bound["shout"].nullable
    assert condition(spec, "shout=PEN") == Condition("shout", "eq", "PEN")


def test_camel_case_is_documented_and_snake_case_taken_besides():
    spec = ListSpec(
        name="Pen",
        fields={
            "id": ID,
            "sold_at": ListField(column=Pen.sold_at, operators=("gte",), sort=True),
            "maker.full_name": ListField(column=Pen.label, operators=("eq",)),
        },
        camel=True,
    )
    wanted = condition(spec, "sold_at__gte=2026-01-01T00:00:00Z")
    assert condition(spec, "soldAt__gte=2026-01-01T00:00:00Z") == wanted
    body = {"where": {"soldAt": {"gte": "2026-01-01T00:00:00Z"}}, "sort": "-soldAt"}
    assert parse_search(spec, body).where == wanted
    assert parse_search(spec, body).sort[0] == SortKey("sold_at", True)
    assert condition(spec, "maker.fullName=x").field == "maker.full_name"
    assert spec.sortable == ("soldAt",)
    with pytest.raises(Exception, match="1 problem") as caught:
        parse_query(spec, b"soldAt__gte=x")
    assert caught.value.errors[0].parameter == "soldAt__gte"


def test_the_routes_own_parameters_are_left_to_it():
    spec = ListSpec(name="Pen", fields={"id": ID}, also=frozenset({"expand"}))
    assert parse_query(spec, b"expand=maker") == parse_query(spec, b"")
    with pytest.raises(Exception, match="1 problem"):
        parse_query(spec, b"fields=id")
