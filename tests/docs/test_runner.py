"""What runs the pages finds what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.docs.reading import Block, blocks_of
from tests.docs.running import BlockError, paths_of, turns_of
from tests.docs.samples import Samples

Run = Callable[[list[Block]], None]
ONE = "01a1fa05-0bd1-7684-ab6a-692f8dec3257"
TWO = "01a1fa1a-18d9-7098-a850-2aea6c12c929"
LATER = "2026-11-20T17:56:16.728224Z"


def block(kind: str, text: str) -> Block:
    return Block("page.md", 3, kind, text)


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("python", "assert 1 + 1 == 3\n", r'"page.md", line 3'),
        ("python", "import warnings\nwarnings.warn('old', DeprecationWarning)\n", "old"),
        ("text", "printed by nobody\n", "no Python block"),
        ("text", "src/\n└── nowhere.py\n", "src/nowhere.py"),
        ("json", '{"a": }\n', "JSONDecodeError"),
        ("toml", "a = \n", "TOMLDecodeError"),
        ("ini", "PORT=http\n", "takes a whole number"),
        ("ini", "PROT=8000\n", "MAINSTAY_PROT is not a setting"),
        ("ini", "not a line\n", "no line"),
        ("console", "$ echo one\ntwo\n", "expected:\ntwo\nprinted:\none"),
        ("console", "$ false\n", "failed"),
        ("console", "$ false | true\n", "failed"),
        ("console", "$ echo $NOWHERE\n", "failed"),
        ("console", "one\n", "begins with a command"),
        ("console", "^C\n", "nothing is in the foreground"),
        ("console", "$ PORT=http mainstay serve\nMainstay\n", "PORT got 'http'"),
        ("sh", "false\ntrue\n", "failed"),
        ("python", "# book.py\nTITLE = 'x'\n", "no command comes after"),
        ("python", "# book.py\nTITLE = \n", "SyntaxError"),
    ],
)
def test_that_a_wrong_block_is_found(run_page: Run, kind: str, text: str, reason: str) -> None:
    with pytest.raises(BlockError) as caught:
        run_page([block(kind, text)])
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("```\nls\n```\n", "kind ''"),
        ("```bash\nls\n```\n", "kind 'bash'"),
        ("- item\n\n  ```sh\n  ls\n  ```\n", "kind 'sh'"),
        ("~~~ruby\n~~~\n", "kind 'ruby'"),
        ("```sh\nls\n", "not closed"),
    ],
)
def test_that_a_page_with_a_block_that_cannot_run_is_refused(
    tmp_path: Path, text: str, reason: str
) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=reason):
        blocks_of(page)


def test_that_the_blocks_of_a_page_share_names_files_and_variables(run_page: Run) -> None:
    run_page(
        [
            block("python", "count = 3\n"),
            block("python", "print(count + 1)\n"),
            block("text", "4\n"),
            block("console", "$ mkdir shelf && cd shelf\n"),
            block("python", "# books/first.py\nprint('Emma')\n"),
            block(
                "console", "$ BOOK=$(python books/first.py)\n$ echo $BOOK |\n>   tr a-z A-Z\nEMMA\n"
            ),
        ]
    )


def test_that_a_printed_text_is_compared(run_page: Run) -> None:
    with pytest.raises(BlockError, match="printed"):
        run_page([block("python", "print('one')\n"), block("text", "two\n")])


def test_that_a_transcript_is_read_in_turns() -> None:
    text = "$ first \\\n>   --long\nout\n\nmore\n$ second\n^C\n"
    turns = [("first \\\n  --long", "out\n\nmore"), ("second", ""), ("^C", "")]
    assert list(turns_of(block("console", text))) == turns


def test_that_a_tree_is_read_as_paths() -> None:
    tree = "src/a/\n├── b.py     what it is\n├── c/       more\n│   ├── d.py, e.py   both\n└── f/\n"
    assert list(paths_of(tree)) == [
        "src/a/",
        "src/a/b.py",
        "src/a/c/",
        "src/a/c/d.py",
        "src/a/c/e.py",
        "src/a/f/",
    ]


def test_that_samples_stand_for_what_this_run_printed() -> None:
    samples = Samples({":8000": ":49152"})
    assert samples.compare(f'"id": "{ONE}"', f'"id": "{TWO}"') is None
    assert (
        samples.translate(f"curl localhost:8000/users/{ONE}") == f"curl localhost:49152/users/{TWO}"
    )
    assert samples.compare(f"{ONE} at :8000", f"{TWO} at :49152") is None
    assert samples.compare(ONE, ONE) is not None


def test_that_a_sample_stands_for_one_value_only() -> None:
    assert Samples({}).compare(f"{ONE} {ONE}", f"{ONE} {TWO}") is not None
    assert Samples({}).compare(f"{ONE} {ONE}", f"{TWO} {TWO}") is None


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("at 2026-11-20T17:56:16.728224Z", "at 2030-01-01T00:00:00.000000Z"),
        ("GET /users  200  4 ms", "GET /users  200  118 ms"),
        ("Python 3.13.9", "Python 3.11.2"),
        ("3 passed in 2.31s", "3 passed in 0.9s"),
        ("key: …", "key: anything at all"),
        ("{\n    …\n}", "{\n    a\n    b\n}"),
        ("{\n    …\n}", "{\n}"),
    ],
)
def test_that_what_differs_by_nature_may_differ(expected: str, printed: str) -> None:
    assert Samples({}).compare(expected, printed) is None


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("status 403", "status 401"),
        ("one\ntwo", "one"),
        ("one", "one\ntwo"),
        ("", "anything"),
        ("something", ""),
        ("4 passed in 2.31s", "3 passed in 2.31s"),
        ("a.c", "abc"),
        (f"at {LATER}", "at noon"),
    ],
)
def test_that_all_else_is_compared(expected: str, printed: str) -> None:
    assert Samples({}).compare(expected, printed) is not None
