from __future__ import annotations

import multiprocessing
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from mainstay.kit.ids import NIL_ID, canonical_id, is_id, new_id


def test_ids_grow_within_a_process():
    ids = [new_id() for _ in range(10_000)]
    assert ids == sorted(set(ids))


def test_an_id_is_a_canonical_version_7():
    text = new_id()
    assert is_id(text)
    assert str(UUID(text)) == text
    assert UUID(text).version == 7


def _make(connection):
    connection.send([new_id() for _ in range(100)])


def test_forked_processes_make_different_ids():
    context = multiprocessing.get_context("fork" if hasattr(__import__("os"), "fork") else "spawn")
    pipes = [context.Pipe() for _ in range(3)]
    workers = [context.Process(target=_make, args=(sender,)) for _, sender in pipes]
    for worker in workers:
        worker.start()
    made = [text for receiver, _ in pipes for text in receiver.recv()]
    for worker in workers:
        worker.join()
    assert len(set(made)) == 300


@given(st.uuids())
def test_every_uuid_has_one_canonical_form(value):
    assert canonical_id(str(value).upper()) == str(value)
    assert is_id(str(value))


@given(st.text(max_size=60))
def test_other_text_is_no_id(text):
    found = canonical_id(text)
    assert found is None or found == str(UUID(text))


def test_spellings_that_only_python_takes_are_refused():
    for text in (f"{{{NIL_ID}}}", f"urn:uuid:{NIL_ID}", NIL_ID.replace("-", ""), f"{NIL_ID}\n", ""):
        assert canonical_id(text) is None
        assert not is_id(text)
