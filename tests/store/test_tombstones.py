"""Tombstones on every backend: what they refuse, what they warn of, how they travel, and that nothing is guessed from them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from ai_memory.clock import ManualClock
from ai_memory.store.base import Duplicate, Exclude, Rejected, Restore, Result, Store, Stored, Unchanged
from ai_memory.store.chain import relation_hash
from ai_memory.store.neo4j.store import Neo4jStore
from ai_memory.store.sqlite.store import open_sqlite_store
from ai_memory.store.tombstones import MAX_SALTS, Trace, archive_salt
from ai_memory.text.normal import content_hash, value_digest
from ai_memory.types import ArchivedTombstone
from tests.support.store_samples import (
    CLOCK,
    START,
    Reopen,
    digest,
    forget,
    kept,
    one,
    relate,
    related,
    remember,
    retire,
    revise,
)
from tests.text.test_retelling import DRESSED, OTHERS, TEXT

pytest_plugins = ["tests.support.store_backends"]

PIN = "4711"
ILLNESS = "Anna Ivers has diabetes"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Store]:
    """Another store, empty."""
    with open_sqlite_store(tmp_path / "elsewhere.db", clock=ManualClock(START)) as store:
        yield store


def code(result: Result) -> str:
    return result.code if isinstance(result, Rejected) else type(result).__name__.lower()


def test_a_forgotten_text_is_refused_in_every_dress_and_others_are_kept(store: Store) -> None:
    one(store, forget(kept(store, TEXT)))
    results = store.write([remember(text) for text in DRESSED.values()])
    assert [name for name, result in zip(DRESSED, results, strict=True) if code(result) != "forgotten"] == []
    results = store.write([remember(text) for text in OTHERS.values()])
    assert [name for name, result in zip(OTHERS, results, strict=True) if not isinstance(result, Stored)] == []


def test_a_forgotten_text_is_refused_with_another_author_title_or_scope_on_every_way_in(store: Store) -> None:
    other = kept(store, "other")
    record = kept(store, TEXT, author="Ann", title="Secrets")
    one(store, forget(record))
    text = f"“{TEXT.upper()}”"
    restored = Restore(revisions=(replace(record, text=text),), dedup_key=digest("r"), at=CLOCK.now())
    results = store.write(
        [
            remember(text),
            remember(text, author="Bob"),
            remember(text, title="Found", tags=("x",), context="a/b"),
            remember(text, user="bob", session="s"),
            remember(text, supersedes=(other.id,)),
            revise(other, text),
            restored,
        ]
    )
    assert list(map(code, results)) == ["forgotten"] * 7
    assert isinstance(one(store, remember(text, namespace="elsewhere")), Stored)


def test_all_revisions_leave_tombstones_and_a_batch_sees_its_own(store: Store) -> None:
    record = kept(store, "the first wording")
    one(store, revise(record, "the second wording"))
    gone, first, second, kept_ = store.write(
        [
            forget(record),
            remember("The first wording."),
            remember("the SECOND wording"),
            remember("the third wording"),
        ]
    )
    assert list(map(code, (gone, first, second, kept_))) == ["stored", "forgotten", "forgotten", "stored"]
    assert store.tombstoned("default", ["THE FIRST WORDING", "the third wording"]) == [True, False]
    assert store.check() == []


def test_what_contains_a_forgotten_text_is_stored_with_a_warning_that_names_it(store: Store) -> None:
    record = kept(store, ILLNESS)
    history = kept(store, f"Note: {ILLNESS}")
    one(store, forget(history))
    one(store, forget(record))
    ways = [
        remember(f"Bob said that {ILLNESS.lower()}, which is a pity"),
        remember(f"Ann: Hello.\nBob: “{ILLNESS}”.\nAnn: Oh."),
        remember("in the title", title=ILLNESS),
        remember("in an attribute", attributes={"notes": [{"what": f"{ILLNESS}!"}]}),
        remember("in the source", source=f"mail: {ILLNESS}"),
    ]
    for result in store.write(ways):
        assert isinstance(result, Stored)
        assert result.contains_forgotten == (record.id,)
    both = one(store, remember(f"First. Note: {ILLNESS}. Last."))
    assert isinstance(both, Stored)
    assert set(both.contains_forgotten) == {record.id, history.id}
    plain = kept(store, "plain")
    revised = one(store, revise(plain, f"plainly, {ILLNESS}"))
    assert isinstance(revised, Stored)
    assert revised.contains_forgotten == (record.id,)
    for text in ("Anna Ivers has a cat", "Anna has diabetes", "has diabetes Anna Ivers", "Anna Ivers has no diabetes"):
        result = one(store, remember(f"I think that {text}"))
        assert isinstance(result, Stored)
        assert result.contains_forgotten == ()


def test_a_restored_history_that_contains_a_forgotten_text_is_warned_of(store: Store, elsewhere: Store) -> None:
    record = kept(store, ILLNESS)
    one(store, forget(record))
    told = kept(elsewhere, f"They say that {ILLNESS}")
    result = one(store, Restore(revisions=(told,), dedup_key=digest("r"), at=CLOCK.now()))
    assert isinstance(result, Stored)
    assert result.contains_forgotten == (record.id,)


def test_short_words_that_were_forgotten_make_no_noise(store: Store) -> None:
    for text in ("Yes.", "Thank you"):
        one(store, forget(kept(store, text)))
    result = one(store, remember("Yes, thank you for the flowers"))
    assert isinstance(result, Stored)
    assert result.contains_forgotten == ()


def test_a_text_is_reinstated_in_any_dress_and_then_forgotten_once_more(store: Store) -> None:
    one(store, forget(kept(store, TEXT)))
    dressed = DRESSED["Cyrillic look-alikes"]
    back = one(store, remember(dressed, reinstate=True))
    assert isinstance(back, Stored)
    assert back.record is not None
    assert store.tombstoned("default", [TEXT]) == [False]
    assert isinstance(one(store, remember(dressed)), Duplicate)
    one(store, forget(back.record))
    assert list(map(code, store.write([remember(TEXT), remember(dressed)]))) == ["forgotten", "forgotten"]


def test_two_openings_see_each_others_tombstones(reopen: Reopen) -> None:
    mine, yours = reopen(), reopen()
    record, other = kept(mine, TEXT), kept(mine, ILLNESS)
    assert code(one(yours, remember("warm up"))) == "stored"
    one(mine, forget(record))
    assert code(one(yours, remember(TEXT.upper()))) == "forgotten"
    one(yours, forget(other))
    assert code(one(mine, remember(ILLNESS + "."))) == "forgotten"
    assert code(one(yours, remember(TEXT, reinstate=True))) == "stored"
    assert code(one(mine, remember(TEXT, user="bob"))) == "stored"
    assert code(one(reopen(), remember(ILLNESS.upper()))) == "forgotten"


def test_a_memory_that_said_it_before_goes_on_and_doctor_finds_what_came_back(store: Store) -> None:
    mine, yours = kept(store, TEXT, user="a"), kept(store, TEXT, user="b")
    one(store, forget(mine))
    assert code(one(store, revise(yours, TEXT.upper(), tags=("x",)))) == "stored"
    assert store.check() == []


# ── nothing is guessed from what is left ───────────────────────────────────────────────────────────────────────────────


def guessed(text: str, *, author: str | None = None, title: str | None = None) -> list[bytes]:
    """The digests of a text that one can make without a store's secret."""
    trace = Trace.of(text)
    plain = bytes.fromhex(content_hash(author, title, text))
    return [plain, value_digest("default", author, title, text), trace.digest, trace.other_digest]


def everything(store: Store, folder: Path) -> bytes:
    """All that the store keeps: the bytes of its files without the secret's, or all properties of all nodes."""
    if isinstance(store, Neo4jStore):
        rows = store._connection.read(
            "MATCH (n) RETURN properties(n) AS p UNION ALL MATCH ()-[x]->() RETURN properties(x) AS p"
        )
        return repr(rows).encode()
    files = (file for file in sorted(folder.rglob("*")) if file.is_file() and not file.name.endswith(".key"))
    return b"".join(file.read_bytes() for file in files)


def test_no_digest_of_a_forgotten_text_or_relation_can_be_guessed(store: Store, tmp_path: Path) -> None:
    record = kept(store, PIN)
    other = kept(store, ILLNESS, author="Otto", title="Health")
    edge = related(store, relate(record.id, other.id, attributes={"code": "0815"}))
    one(store, revise(other, f"{ILLNESS} of type 2"))
    one(store, retire(record))
    plain = [*guessed(PIN), *guessed(ILLNESS, author="Otto", title="Health"), bytes.fromhex(relation_hash(edge))]
    plain += [bytes.fromhex(each.content_hash) for each in (record, other)]
    before = everything(store, tmp_path)
    assert any(each in before or each.hex().encode() in before for each in plain), (
        "the search finds a digest that is there"
    )
    for each in (record, other):
        one(store, forget(each))
    left = everything(store, tmp_path)
    assert [each.hex() for each in plain if each in left or each.hex().encode() in left] == []
    assert store.check() == []


# ── archives ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_tombstones_of_an_archive_refuse_in_another_store(store: Store, elsewhere: Store) -> None:
    for text in (PIN, TEXT):
        one(store, forget(kept(store, text)))
    one(store, forget(kept(store, "another wall", namespace="other")))
    archived = store.tombstones()
    assert archived == sorted(archived, key=place)
    assert {each.salt for each in archived} == {archive_salt(store.store_id).hex()}
    assert store.tombstones("other") == [each for each in archived if each.namespace == "other"]
    results = elsewhere.write([Exclude(tombstone=each, at=CLOCK.now()) for each in archived])
    assert list(map(code, results)) == ["stored"] * 3
    results = elsewhere.write([remember(text) for text in (f"“{PIN}”", *DRESSED.values())])
    assert {code(result) for result in results} == {"forgotten"}
    assert code(one(elsewhere, remember("Another wall.", namespace="other"))) == "forgotten"
    assert code(one(elsewhere, remember("another wall"))) == "stored"
    assert elsewhere.tombstones() == archived, "they go on to the next archive as they came"
    again = elsewhere.write([Exclude(tombstone=each, at=CLOCK.now()) for each in archived])
    assert list(map(code, again)) == ["unchanged"] * 3
    assert elsewhere.check() == []
    assert code(one(elsewhere, remember(TEXT, reinstate=True))) == "stored"
    assert len(elsewhere.tombstones()) == 2


def place(each: ArchivedTombstone) -> tuple[str, str, str]:
    return each.namespace, each.salt, each.digest


def test_a_store_knows_its_own_tombstones_again(store: Store) -> None:
    one(store, forget(kept(store, TEXT)))
    archived = store.tombstones()
    assert [code(one(store, Exclude(tombstone=each, at=CLOCK.now()))) for each in archived] == ["unchanged"]
    moved = replace(archived[0], namespace="copy")
    assert code(one(store, Exclude(tombstone=moved, at=CLOCK.now()))) == "stored"
    assert code(one(store, remember(TEXT.lower(), namespace="copy"))) == "forgotten"


def test_a_namespace_takes_tombstones_of_a_limited_number_of_stores(store: Store) -> None:
    made = [
        ArchivedTombstone(namespace="default", salt=f"{number:032x}", digest="0" * 32, other_digest="0" * 32)
        for number in range(MAX_SALTS + 1)
    ]
    digests = [replace(each, digest=f"{number:032x}") for number, each in enumerate(made)]
    results = store.write([Exclude(tombstone=each, at=CLOCK.now()) for each in digests])
    assert list(map(code, results)) == ["stored"] * MAX_SALTS + ["invalid_input"]


def test_unchanged_is_for_equal_tombstones_alone(store: Store) -> None:
    first = ArchivedTombstone(namespace="default", salt="1" * 32, digest="2" * 32, other_digest="2" * 32)
    results = store.write(
        [Exclude(tombstone=each, at=CLOCK.now()) for each in (first, first, replace(first, digest="3" * 32))]
    )
    assert [type(result) for result in results] == [Stored, Unchanged, Stored]
    assert store.stats("default").tombstones == 2
