"""Lists through HTTP, by the example of users, on each database."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from mainstay.testing.backend import Account, Backend

pytestmark = pytest.mark.anyio

Check = Callable[..., dict[str, Any]]
PEOPLE: list[dict[str, Any]] = [
    {"username": "ada", "first_name": "Ada", "last_name": "Lovelace", "language": "en"},
    {"username": "bela", "first_name": "Béla", "last_name": "Bartók", "language": "hu"},
    {"username": "carl", "first_name": "Carl", "last_name": None, "language": "de"},
    {"username": "dora", "first_name": None, "last_name": "Maar", "language": "fr"},
    {"username": "emmy", "first_name": "emmy", "last_name": "Noether", "language": "de"},
    {"username": "fifty_percent", "first_name": "100%", "last_name": "a_b", "language": "en"},
]
LINK = re.compile(r'<([^>]+)>; rel="(\w+)"')


class People:
    """A backend with people in it, and somebody who may list them."""

    def __init__(self, backend: Backend, admin: Account) -> None:
        self.backend = backend
        self.path = f"{backend.api}/users"
        self.headers = admin.headers

    async def get(self, query: str = "", path: str | None = None) -> Any:
        url = path or (f"{self.path}?{query}" if query else self.path)
        return await self.backend.client.get(url, headers=self.headers)

    async def names(self, query: str) -> list[str]:
        answer = await self.get(query)
        assert answer.status_code == 200, answer.text
        return [item["username"] for item in answer.json()["items"]]


@pytest.fixture
async def people(backend: Backend) -> People:
    admin = await backend.register(username="zz_admin", first_name="Zoe", language="xx")
    await backend.give_roles(admin, "admin")
    async with backend.assembly.units.transaction() as session:
        for number, person in enumerate(PEOPLE):
            await backend.users.create(
                session,
                email=f"{person['username']}@example.com",
                how="test",
                created_at=datetime(2026, 1, number + 1, 12, tzinfo=UTC),
                is_active=number % 2 == 0,
                **person,
            )
    return People(backend, admin)


def links(answer: Any) -> dict[str, str]:
    return {rel: target for target, rel in LINK.findall(answer.headers["link"])}


async def test_filters(people: People) -> None:
    expected = {
        "username=ada": ["ada"],
        "username=ADA": [],
        "username__ne=ada&language=en": ["fifty_percent"],
        "username__in=ada,carl,nobody": ["ada", "carl"],
        "language__notin=en,de,hu,xx": ["dora"],
        "language=de&is_active=true": ["carl", "emmy"],
        "is_active=false": ["bela", "dora", "fifty_percent"],
        "first_name__contains=mmy": ["emmy"],
        "first_name__contains=EMMY": [],
        "first_name__icontains=EMMY": ["emmy"],
        "first_name__icontains=b%C3%A9": ["bela"],
        "first_name__startswith=C": ["carl"],
        "first_name__startswith=c": [],
        "first_name__contains=%25": ["fifty_percent"],
        "last_name__contains=_": ["fifty_percent"],
        "first_name__contains=_": [],
        "first_name__isnull=true": ["dora"],
        "last_name__isnull=true&username__ne=zz_admin": ["carl"],
        "last_login_at__isnull=false": ["zz_admin"],
        "created_at__lt=2026-01-03T12:00:00Z": ["ada", "bela"],
        "created_at__lte=2026-01-03T13:00:00%2B01:00": ["ada", "bela", "carl"],
        "created_at__gte=2026-01-05T00:00:00Z&created_at__lt=2026-02-01T00:00:00Z": [
            "emmy",
            "fifty_percent",
        ],
    }
    for query, found in expected.items():
        assert await people.names(f"{query}&sort=username") == found, query


async def test_search_finds_all_words_in_any_field(people: People) -> None:
    expected = {
        "q=lovelace": ["ada"],
        "q=LOVE%20ada": ["ada"],
        "q=ada%20noether": [],
        "q=example.com&limit=3": ["ada", "bela", "carl"],
        "q=%25": ["fifty_percent"],
        "q=b%C3%A9la": ["bela"],
        "q=zzz-nobody": [],
    }
    for query, found in expected.items():
        assert await people.names(f"{query}&sort=username") == found, query


async def test_sort(people: People) -> None:
    by_name = ["ada", "bela", "carl", "dora", "emmy", "fifty_percent", "zz_admin"]
    assert await people.names("sort=username") == by_name
    assert await people.names("sort=-username") == by_name[::-1]
    by_age = ["zz_admin", *reversed(by_name[:-1])]
    assert await people.names("") == by_age
    assert await people.names("sort=-created_at,username") == by_age
    # Null is the greatest of all, and the order of letters one, on every database.
    assert await people.names("sort=first_name&is_active=false") == [
        "fifty_percent",
        "bela",
        "dora",
    ]
    assert (await people.names("sort=-first_name&is_active=false"))[0] == "dora"


async def test_pages_by_offset(people: People) -> None:
    seen: list[str] = []
    url: str | None = f"{people.path}?sort=username&limit=3&offset=0"
    pages = []
    while url is not None:
        answer = await people.get(path=url)
        page = answer.json()["page"]
        pages.append((page["offset"], page["total"], page["has_more"]))
        seen += [item["username"] for item in answer.json()["items"]]
        assert links(answer)["first"] == f"{people.path}?sort=username&limit=3"
        assert ("prev" in links(answer)) == (page["offset"] > 0)
        url = links(answer).get("next")
    assert pages == [(0, 7, True), (3, 7, True), (6, 7, False)]
    assert seen == await people.names("sort=username")


async def test_pages_by_cursor_both_ways(people: People) -> None:
    everybody = await people.names("sort=-first_name")
    seen: list[str] = []
    answer = await people.get("sort=-first_name&limit=2")
    while True:
        items, page = answer.json()["items"], answer.json()["page"]
        seen += [item["username"] for item in items]
        if not page["has_more"]:
            break
        assert f"cursor={page['next_cursor']}" in links(answer)["next"]
        answer = await people.get(path=links(answer)["next"])
        assert answer.json()["page"]["total"] is None
        assert answer.json()["page"]["offset"] is None
    assert seen == everybody
    back = await people.get(path=links(answer)["prev"])
    assert [item["username"] for item in back.json()["items"]] == everybody[-3:-1]


async def test_cursors_hold_when_rows_come_and_go(people: People) -> None:
    first = await people.get("sort=username&limit=2")
    await people.backend.register(username="aaa_newcomer")
    second = await people.get(path=links(first)["next"])
    assert [item["username"] for item in second.json()["items"]] == ["carl", "dora"]


async def test_totals_are_counted_where_they_are_wanted(people: People) -> None:
    cursor = (await people.get("limit=1")).json()["page"]["next_cursor"]
    for query, total in (
        ("limit=1", 7),
        ("limit=1&total=false", None),
        ("limit=1&total=true", 7),
        ("limit=1&language=de", 2),
        (f"limit=1&cursor={cursor}", None),
        (f"limit=1&cursor={cursor}&total=true", 7),
    ):
        assert (await people.get(query)).json()["page"]["total"] == total, query


async def test_limits(people: People, problem_of: Check) -> None:
    page = (await people.get()).json()["page"]
    assert (page["limit"], page["offset"]) == (25, 0)
    for limit in (1, 100):
        assert (await people.get(f"limit={limit}")).json()["page"]["limit"] == limit
    for limit in ("0", "-1", "101", "x", "1.5", "", "99999999999999999999"):
        document = problem_of(await people.get(f"limit={limit}"), 422, "validation_failed")
        assert [error["parameter"] for error in document["errors"]] == ["limit"]
    assert (await people.get("offset=10000")).json()["items"] == []
    document = problem_of(await people.get("offset=10001"), 422, "offset_too_large")
    assert "cursor" in document["errors"][0]["detail"]
    problem_of(await people.get("offset=-1"), 422, "validation_failed")


async def test_unknown_parameters_are_named_with_a_guess(people: People, problem_of: Check) -> None:
    for query, parameter, guess in (
        ("usrname=ada", "usrname", "username"),
        ("username__icontain=a", "username__icontain", "username__icontains"),
        ("limits=3", "limits", "limit"),
        ("password_hash=x", "password_hash", None),
        ("user_data=x", "user_data", None),
    ):
        document = problem_of(await people.get(query), 422, "unknown_parameter")
        (error,) = document["errors"]
        assert (error["parameter"], error["code"]) == (parameter, "unknown_parameter")
        assert ("Did you mean" in error["detail"]) == (guess is not None), query
        if guess is not None:
            assert f"Did you mean {guess}?" in error["detail"]


async def test_what_cannot_be_sorted_by_is_told_with_what_can(
    people: People, problem_of: Check
) -> None:
    for field in ("password_hash", "bio", "-nonsense", ""):
        document = problem_of(await people.get(f"sort={field}"), 422, "sort_field_unknown")
        assert "username" in str(document["errors"])


async def test_wrong_values_are_422(people: People, problem_of: Check) -> None:
    for query in (
        "is_active=maybe",
        "created_at__gt=yesterday",
        "created_at__gt=2026-13-01T00:00:00Z",
        "last_name__isnull=perhaps",
        "total=maybe",
        "q=" + "x" * 2000,
        "username__in=" + ",".join(["a"] * 101),
        "username=a&username=b",
    ):
        document = problem_of(await people.get(query), 422, "validation_failed")
        assert document["errors"][0]["parameter"] == query.partition("=")[0]


async def test_cursors_belong_to_their_list(people: People, problem_of: Check) -> None:
    cursor = (await people.get("sort=username&limit=2")).json()["page"]["next_cursor"]
    problem_of(await people.get(f"cursor={cursor}&offset=2"), 400, "pagination_conflict")
    for query in (
        f"sort=-username&limit=2&cursor={cursor}",
        f"sort=username&limit=2&language=de&cursor={cursor}",
        f"sort=username&limit=2&q=a&cursor={cursor}",
        f"sort=username&limit=2&cursor={cursor[:-2]}xx",
        "sort=username&cursor=nonsense",
        "sort=username&cursor=",
    ):
        answer = await people.get(query)
        assert answer.status_code in {400, 422}, query
        problem_of(answer, answer.status_code)
    elsewhere = f"{people.backend.api}/audit/logs?cursor={cursor}"
    problem_of(await people.get(path=elsewhere), 400, "cursor_mismatch")
    another_limit = await people.names(f"sort=username&limit=3&cursor={cursor}")
    assert another_limit == ["carl", "dora", "emmy"]


async def test_secrets_are_never_listed(people: People) -> None:
    (item, *_) = (await people.get("limit=1")).json()["items"]
    assert not {"password_hash", "app_data", "version", "email_key"} & set(item)
    assert "argon2" not in (await people.get()).text
