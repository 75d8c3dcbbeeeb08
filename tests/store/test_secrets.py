"""The store's secret next to its file, and the step from stores whose digests could be guessed."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from ai_memory.errors import StoreCorruptError
from ai_memory.store.base import Exclude, Rejected, Stored
from ai_memory.store.chain import GENESIS, chain_digest, relation_hash
from ai_memory.store.copying import copy_store
from ai_memory.store.neo4j.nodes import LOG, log_properties, logged
from ai_memory.store.neo4j.store import Neo4jStore
from ai_memory.store.sqlite.store import open_sqlite_store
from ai_memory.text.normal import content_hash, value_digest
from ai_memory.types import ArchivedTombstone, Relation
from neo4j_server import LINES
from tests.golden.make_store import ILLNESS, KEPT, PIN
from tests.store.test_tombstones import code, everything
from tests.support import neo4j_backend
from tests.support.store_samples import CLOCK, forget, kept, one, relate, related, remember, retire, unrelate

EARLIER = Path(__file__).resolve().parents[1] / "golden" / "store_v3.sql"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def earlier(path: Path) -> Path:
    """A store as version 0.1.0 wrote it."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(EARLIER.read_text("utf-8"))
    connection.close()
    return path


def raw(folder: Path) -> bytes:
    """Every byte in a folder, without the secret."""
    files = (file for file in sorted(folder.rglob("*")) if file.is_file() and not file.name.endswith(".key"))
    return b"".join(file.read_bytes() for file in files)


def guesses() -> list[bytes]:
    """What could be made out of what was forgotten in the earlier store."""
    return [
        value_digest("default", None, None, PIN),
        value_digest("default", "Otto", "Health", ILLNESS),
        bytes.fromhex(content_hash("Otto", "Health", ILLNESS)),
    ]


def digests_of(path: Path) -> list[bytes]:
    """The digests of the log, in order."""
    connection = sqlite3.connect(path)
    found = [digest for (digest,) in connection.execute("SELECT digest FROM log ORDER BY sequence")]
    connection.close()
    return found


# ── the file ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_secret_is_private_and_the_same_for_every_opening(path: Path) -> None:
    with open_sqlite_store(path, clock=CLOCK) as store, open_sqlite_store(path, clock=CLOCK) as other:
        key = path.with_name("store.db.key")
        assert key.stat().st_mode & 0o777 == 0o600
        one(store, forget(kept(store, "secret words")))
        assert code(one(other, remember("Secret words!"))) == "forgotten"
    assert len(bytes.fromhex(key.read_text())) == 32
    assert [file.name for file in path.parent.iterdir() if "part" in file.name] == []


def test_two_stores_have_different_secrets_and_keep_a_text_differently(tmp_path: Path) -> None:
    rows = []
    for name in ("a.db", "b.db"):
        with open_sqlite_store(tmp_path / name, clock=CLOCK) as store:
            one(store, forget(kept(store, PIN)))
        connection = sqlite3.connect(tmp_path / name)
        rows += connection.execute("SELECT digest, sealed FROM tombstones").fetchall()
        connection.close()
    (first, sealed), (second, other) = rows
    assert first != second
    assert sealed != other


def test_a_lost_secret_loses_no_memory_and_doctor_says_what_is_lost(path: Path) -> None:
    key = path.with_name("store.db.key")
    with open_sqlite_store(path, clock=CLOCK) as store:
        kept(store, "kept")
        one(store, forget(kept(store, "secret words")))
    saved = key.read_bytes()
    key.unlink()
    with open_sqlite_store(path, clock=CLOCK) as store:
        found = {problem.check: problem for problem in store.check()}
        assert found.keys() == {"sealed_otherwise", "tombstones_unopened"}
        assert found["tombstones_unopened"].count == 1
        assert all("put back" in str(problem.mend) for problem in found.values())
        assert store.tombstones() == []
        assert isinstance(one(store, remember("secret words")), Stored)
        one(store, forget(kept(store, "other words")))
        assert code(one(store, remember("OTHER words"))) == "forgotten"
    key.write_bytes(saved)
    with open_sqlite_store(path, clock=CLOCK) as store:
        assert code(one(store, remember("Secret words", user="bob"))) == "forgotten"
        assert [(problem.check, problem.count) for problem in store.check() if problem.check != "sealed_otherwise"] == [
            ("forgotten_present", 1),
            ("tombstones_unopened", 1),
        ]
        assert [problem.check for problem in store.repair()] == ["sealed_otherwise"], "what is there is taken as it is"
        assert "sealed_otherwise" not in {problem.check for problem in store.check()}


@pytest.mark.parametrize("content", ["", "no digits", "ab" * 31])
def test_a_file_that_is_no_secret_is_named_and_not_overwritten(path: Path, content: str) -> None:
    open_sqlite_store(path, clock=CLOCK).close()
    key = path.with_name("store.db.key")
    key.write_text(content)
    with pytest.raises(StoreCorruptError, match=r"store\.db\.key holds no secret"):
        open_sqlite_store(path, clock=CLOCK)
    assert key.read_text() == content


def test_a_backup_has_the_secret_in_a_file_of_its_own(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere" / "copy.db"
    target.parent.mkdir()
    with open_sqlite_store(path, clock=CLOCK) as store:
        one(store, forget(kept(store, "secret words")))
        store.backup(target)
    assert {file.name: file.stat().st_mode & 0o777 for file in target.parent.iterdir()} == {
        "copy.db": 0o600,
        "copy.db.key": 0o600,
    }
    with open_sqlite_store(target, clock=CLOCK) as copy:
        assert code(one(copy, remember("SECRET WORDS"))) == "forgotten"
        assert copy.check() == []


def test_a_copied_store_refuses_the_same_under_a_secret_of_its_own(path: Path, tmp_path: Path) -> None:
    with open_sqlite_store(path, clock=CLOCK) as store:
        one(store, forget(kept(store, "secret words")))
        brought = ArchivedTombstone(namespace="default", salt="1" * 32, digest="2" * 32, other_digest="3" * 32)
        one(store, Exclude(tombstone=brought, at=CLOCK.now()))
        with open_sqlite_store(tmp_path / "copy.db", clock=CLOCK, half_filled=True) as copy:
            copy_store(store, copy)
        with open_sqlite_store(tmp_path / "copy.db", clock=CLOCK) as copy:
            assert copy.tombstones() == store.tombstones()
            assert code(one(copy, remember("SECRET WORDS"))) == "forgotten"
            assert code(one(copy, Exclude(tombstone=brought, at=CLOCK.now()))) == "unchanged"
            assert copy.check() == []
    assert path.with_name("store.db.key").read_bytes() != (tmp_path / "copy.db.key").read_bytes()


def test_reading_alone_makes_no_secret(path: Path) -> None:
    open_sqlite_store(path, clock=CLOCK).close()
    path.with_name("store.db.key").unlink()
    with open_sqlite_store(path, clock=CLOCK, read_only=True) as store:
        assert [problem.check for problem in store.check()] == ["sealed_otherwise"], (
            "nothing can be compared without it"
        )
    assert not path.with_name("store.db.key").exists()


# ── stores of earlier versions ─────────────────────────────────────────────────────────────────────────────────────────


def test_an_earlier_store_keeps_no_digest_that_can_be_guessed(earlier: Path) -> None:
    assert all(guess in raw(earlier.parent) for guess in guesses()), "the earlier store has them"
    before = digests_of(earlier)
    with open_sqlite_store(earlier, clock=CLOCK) as store:
        assert store.check() == []
        assert [guess.hex() for guess in guesses() if guess in raw(earlier.parent)] == []
    left = raw(earlier.parent)
    assert [guess.hex() for guess in guesses() if guess in left] == []
    assert [digest.hex() for digest in before if digest in left] == [], "the old chain's digests could be tried as well"
    assert [file.name for file in earlier.parent.iterdir() if file.name.endswith(".bak")] == []


def test_an_earlier_store_keeps_its_memories_log_and_tombstones(earlier: Path) -> None:
    with open_sqlite_store(earlier, clock=CLOCK) as store:
        texts = [revision.record.text for revision in store.live_revisions()]
        assert set(texts) == {*KEPT, PIN}
        entries = store.log()
        assert len(entries) == len(digests_of(earlier)) == 16
        assert GENESIS.hex() not in {entry.digest for entry in entries}
        assert store.stats("default").tombstones == 2
        as_before = store.write([remember(PIN, namespace="elsewhere", user="x"), remember("new")])
        assert list(map(code, as_before)) == ["stored", "stored"]
        pin = one(store, remember(PIN))
        assert isinstance(pin, Rejected)
        assert pin.code == "forgotten"
        illness = one(store, remember(f"{ILLNESS}\n", author="Otto", title="Health"))
        assert code(illness) == "forgotten"
        assert code(one(store, remember(PIN, reinstate=True))) == "stored"
        assert store.tombstoned("default", [PIN]) == [False]
        assert store.check() == []


def test_what_was_changed_in_an_earlier_store_is_still_found(earlier: Path) -> None:
    connection = sqlite3.connect(earlier)
    connection.execute("UPDATE log SET actor = 'mallory' WHERE sequence = 5")
    connection.commit()
    connection.close()
    with open_sqlite_store(earlier, clock=CLOCK) as store:
        (problem,) = [problem for problem in store.check() if problem.check == "chain"]
        assert "log entry 5" in problem.message


def test_an_earlier_store_without_anything_forgotten_is_copied_first(earlier: Path) -> None:
    connection = sqlite3.connect(earlier)
    connection.executescript("DELETE FROM tombstones; DELETE FROM log WHERE action = 'forgotten'")
    connection.close()
    open_sqlite_store(earlier, clock=CLOCK).close()
    assert [file.name for file in earlier.parent.iterdir() if file.name.endswith(".bak")] != []


def test_an_interrupted_step_leaves_the_earlier_store_as_it_was(earlier: Path) -> None:
    from ai_memory.store.sqlite import schema

    def broken(*_: object) -> bool:
        raise KeyboardInterrupt

    steps = [
        step if step.then is None else schema.Migration(step.version, step.script, broken)
        for step in schema.shipped_migrations()
    ]
    with pytest.raises(KeyboardInterrupt):
        open_sqlite_store(earlier, clock=CLOCK, migrations=steps)
    with open_sqlite_store(earlier, clock=CLOCK) as store:
        assert store.check() == []


# ── the same on a server ───────────────────────────────────────────────────────────────────────────────────────────────

PLAIN = (
    "MATCH (r:Revision) REMOVE r.salt SET r.value_digest = '00'",
    "MATCH (l:Relation) REMOVE l.salt",
    "MATCH (t:Tombstone) REMOVE t.sealed, t.salt, t.digest",
    "DROP CONSTRAINT ai_memory_tombstone_digest IF EXISTS",
    "DROP INDEX ai_memory_tombstone_sequence IF EXISTS",
    "CREATE CONSTRAINT ai_memory_tombstone IF NOT EXISTS FOR (t:Tombstone) REQUIRE (t.namespace, t.value_digest) IS UNIQUE",
    "MATCH (s:Store) REMOVE s.secret, s.buried, s.lifted SET s.schema = 2",
)
"""A graph as version 0.1.0 wrote it, but for its log."""


def as_before(store: Neo4jStore, values: dict[str, bytes]) -> None:
    """Turn the graph into one of version 0.1.0; `values` are the value digests of what was forgotten, by the memory's id."""
    connection = store._connection

    def change(query: str, **parameters: Any) -> None:
        connection.write(lambda transaction: transaction.run(query, parameters).consume())

    for memory_id, digest in values.items():
        change(
            "MATCH (g:LogEntry {memory_id: $id, action: 'forgotten'}) MATCH (t:Tombstone {sequence: g.sequence}) "
            "SET t.value_digest = $digest",
            id=memory_id,
            digest=digest.hex(),
        )
    edges = {edge.id: relation_hash(edge) for edge in store.export() if isinstance(edge, Relation)}
    hashes = {revision.key: revision.record.content_hash for revision in store.live_revisions()}
    before = GENESIS
    for row in connection.read(f"MATCH (g:LogEntry) RETURN {LOG} ORDER BY g.sequence"):
        entry, _ = logged(row)
        plain = hashes.get(entry.sequence) or edges.get(entry.relation_id or "")
        if entry.action == "retired":
            plain = hashes[json.loads(entry.retired_keys or "")[0]]
        elif entry.action == "remembered":
            plain = plain or content_hash("Otto", "Health", ILLNESS)
        entry = replace(entry, content_hash=plain)
        before = chain_digest(before, entry)
        change(
            "MATCH (g:LogEntry {sequence: $sequence}) SET g = $row",
            sequence=entry.sequence,
            row=log_properties(entry, before),
        )
    change("MATCH (s:Store) SET s.digest = $digest", digest=before.hex())
    for statement in PLAIN:
        connection.change_schema(statement)


@pytest.mark.parametrize("line", LINES)
def test_an_earlier_graph_keeps_no_digest_that_can_be_guessed(line: str) -> None:
    server = neo4j_backend.server(line)
    neo4j_backend.clean(server)
    try:
        with neo4j_backend.open_on(server, CLOCK) as store:
            first, second = kept(store, KEPT[0]), kept(store, KEPT[1])
            edge = related(store, relate(first.id, second.id, attributes={"note": "sold by Otto"}))
            one(store, unrelate(edge))
            one(store, retire(second))
            gone = kept(store, ILLNESS, author="Otto", title="Health")
            one(store, forget(gone))
            as_before(store, {gone.id: value_digest("default", "Otto", "Health", ILLNESS)})
        with neo4j_backend.open_on(server, CLOCK) as store:
            assert store.rewritten
            left = everything(store, Path())
            assert [guess.hex() for guess in guesses() if guess.hex().encode() in left] == []
            assert relation_hash(edge).encode() not in left
            assert store.check() == []
            assert code(one(store, remember(f"{ILLNESS}\n", author="Otto", title="Health"))) == "forgotten"
            assert code(one(store, remember("new"))) == "stored"
        with neo4j_backend.open_on(server, CLOCK) as store:
            assert not store.rewritten
    finally:
        neo4j_backend.clean(server)
