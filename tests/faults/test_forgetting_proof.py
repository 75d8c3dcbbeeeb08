"""The proof of "forgotten means gone": each thing that is searched for is found before the forget, by the same search."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from ai_memory import Memory
from ai_memory.cli.output.graph_documents import cypher, graphml
from ai_memory.cli.output.graph_picture import draw
from ai_memory.cli.program import main
from ai_memory.index.dense import quantise
from ai_memory.store.neo4j.store import Neo4jStore
from ai_memory.types import Outcome
from tests.support.data_places import STORES, DataPlace, holds
from tests.support.secret_words import secret

FILLING = 1_200
"""Enough memories that the index is saved next to the store."""
TEXT, OLD, COPY, TITLE, AUTHOR, TAG, CONTEXT, SOURCE, FIELD, VALUE, REASON, WHY, ONCE, USER, SESSION = WORDS = [
    secret(number, "p") for number in range(1, 16)
]
NAME, ALIAS = "Maximova", "Leopoldine Traunfellner"
"""Of a person whom only the forgotten memories spell, and of one with whom a person merged her."""
SAID = f"Aurelia {NAME} keeps her {TEXT} in locker 8830 at the harbour"


class Forgotten(NamedTuple):
    """The memories that are to be forgotten, and the bytes of their vectors."""

    ids: list[str]
    float32: list[bytes]
    int8: list[bytes]


@pytest.fixture(params=STORES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> DataPlace:
    return DataPlace(request.param, tmp_path / "data", snapshot_rows=1)


@pytest.fixture
def memory(place: DataPlace) -> Iterator[Memory]:
    """The service on a place that has everything in it, the index saved and the graph read."""
    with place.open() as first:
        first.remember_many([f"filling {secret(number, 'f')}" for number in range(FILLING)])
        assert first.settle(120)
    with place.open() as opened:
        yield opened


@pytest.fixture
def target(memory: Memory) -> Forgotten:
    """A memory with a secret in every field, its earlier revision, the one it superseded, a retired one and copies elsewhere."""
    earlier = str(memory.remember(f"Aurelia {NAME} kept her {OLD} at home", author=AUTHOR).memory_id)
    made = str(
        memory.remember(
            f"a first wording of {SAID}", author=AUTHOR, supersedes=[earlier], idempotency_key=ONCE
        ).memory_id
    )
    memory.revise(
        made,
        text=SAID,
        title=TITLE,
        tags=[TAG],
        context=f"a/{CONTEXT}",
        source=SOURCE,
        attributes={FIELD: VALUE},
        reason=f"because {REASON}",
    )
    memory.relate(made, "entity:Harbour Office", type="NEEDS", attributes={"why": WHY})
    retired = str(memory.remember(f"{COPY}: {SAID}", author=AUTHOR).memory_id)
    memory.retire(retired, reason=f"it repeats {REASON}")
    copies = [
        str(memory.remember(f"{SAID}.", user=USER).memory_id),
        str(memory.remember(f"{ALIAS} is who keeps her {TEXT}.", session=SESSION).memory_id),
    ]
    assert memory.settle(60)
    memory.merge(f"entity:{ALIAS}", [f"entity:Aurelia {NAME}"])
    memory.recall(SAID)
    ids = [earlier, made, retired, *copies]
    store = memory._service._parts.store
    generation = next(each.id for each in store.generations() if each.state == "active")
    keys = [each.key for each in store.live_revisions(limit=10_000) if each.record.id in ids]
    vectors = [vector for row in keys for vector in store.vectors(generation, [(row, 0)]).values()]
    assert len(vectors) == len(keys) >= len(ids)
    return Forgotten(
        ids,
        [vector.astype("<f4").tobytes() for vector in vectors],
        [quantise(vector[None])[0].tobytes() for vector in vectors],
    )


def _forget(memory: Memory, target: Forgotten) -> None:
    for each in target.ids:
        assert memory.forget(each).forgotten == 1


def _documents(memory: Memory) -> dict[str, bytes]:
    """Everything that is made of the graph for people and other programs."""
    whole = memory.graph(limit=300)
    made = {"graphml": graphml(whole), "cypher": cypher(whole)}
    return {name: text.encode() for name, text in (made | ({"picture": draw(whole)} if whole.nodes else {})).items()}


def _export(memory: Memory) -> bytes:
    return json.dumps(list(memory.export()), ensure_ascii=False).encode()


def _stored_vectors(memory: Memory, vectors: list[bytes]) -> int:
    """How many of the vectors a database still has."""
    store = memory._service._parts.store
    assert isinstance(store, Neo4jStore)
    return int(store._connection.read("MATCH (v:Vector) WHERE v.vector IN $all RETURN count(v)", all=vectors)[0][0])


def test_no_word_of_it_is_left(memory: Memory, place: DataPlace, target: Forgotten, tmp_path: Path) -> None:
    wanted = [*WORDS, NAME, ALIAS]
    unseen = {ONCE}  # a key is never kept readable
    before = place.bytes_kept(memory)
    assert set(wanted) - set(holds(before, wanted)) == unseen, "the search finds what is there"
    assert set(wanted) - set(holds(_export(memory), wanted)) == unseen
    assert set(wanted) - set(holds(place.back_up(tmp_path / "before.db"), wanted)) == unseen
    documents = _documents(memory)
    assert {name for name, text in documents.items() if holds(text, [NAME])} == {"graphml", "cypher", "picture"}
    _forget(memory, target)
    assert holds(place.bytes_kept(memory), wanted) == [], "while the service runs"
    assert holds(_export(memory), wanted) == []
    assert holds(place.back_up(tmp_path / "after.db"), wanted) == []
    for name, text in _documents(memory).items():
        assert (name, holds(text, wanted)) == (name, [])
    memory.remember("a write afterwards")
    memory.close()
    assert holds(place.bytes_kept(), wanted) == [], "after it was closed"
    with place.open() as again:
        again.recall(SAID)
        assert holds(place.bytes_kept(again), wanted) == [], "after it was opened again"
        assert not [hit for hit in again.recall(TEXT).hits if hit.matched]
        assert again._service.doctor() == ()


def test_no_number_of_its_vectors_is_left(memory: Memory, place: DataPlace, target: Forgotten, tmp_path: Path) -> None:
    memory._service._parts.follower.save()
    on_disk = place.bytes_kept()
    assert all(codes in on_disk for codes in target.int8), "the saved index has them"
    if place.is_file:
        assert all(numbers in on_disk for numbers in target.float32)
    else:
        assert _stored_vectors(memory, target.float32) == len(target.float32)
    backed = place.back_up(tmp_path / "before.db")
    assert all(numbers in backed for numbers in target.float32)
    _forget(memory, target)
    memory._service._parts.follower.save()
    later = {"data folder": place.bytes_kept(), "backup": place.back_up(tmp_path / "after.db")}
    if not place.is_file:
        assert _stored_vectors(memory, target.float32) == 0
    memory.close()
    later["data folder, closed"] = place.bytes_kept()
    for where, data in later.items():
        assert (where, sum(map(data.count, (*target.float32, *target.int8)))) == (where, 0)
        halves = [numbers[: len(numbers) // 2] for numbers in target.float32]
        assert (where, sum(map(data.count, halves))) == (where, 0), "not even in part"


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_the_files_that_the_commands_write_have_none_of_it(
    memory: Memory, place: DataPlace, target: Forgotten, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def written(suffix: str) -> dict[str, list[str]]:
        files = {
            name: tmp_path / f"{suffix}-{name}" for name in ("export.jsonl", "graph.svg", "graph.graphml", "copy.db")
        }
        common = ["--data-dir", str(place.folder)]
        for words in (
            ["export", *common, "-o", str(files["export.jsonl"])],
            ["graph", *common, "--svg", str(files["graph.svg"])],
            ["graph", *common, "--format", "graphml", "-o", str(files["graph.graphml"])],
            ["backup", *common, str(files["copy.db"])],
        ):
            assert main(words) == 0, capsys.readouterr().err
        return {name: holds(file.read_bytes(), [TEXT, NAME]) for name, file in files.items()}

    memory.close()
    assert all(written("before").values()), "all of them have it before"
    with place.open() as again:
        _forget(again, target)
    assert not any(written("after").values())


# ── it does not come back, and nothing else goes ─────────────────────────────────────────────────────────────────────

_SECRET = "Aurelia Maximova hides the key, No. 8830, under the mat"
VARIANTS = {
    "as it was": _SECRET,
    "shouted": _SECRET.upper() + "!!!",
    "alternating case": "".join(c.upper() if at % 2 else c.lower() for at, c in enumerate(_SECRET)),
    "tabs": _SECRET.replace(" ", "\t"),
    "one word a line": "\n\n".join(_SECRET.split()),
    "thin blanks": _SECRET.replace(" ", "\u2009"),
    "ideographic blanks": _SECRET.replace(" ", "\u3000"),
    "word joiners": _SECRET.replace("e", "e\u2060"),
    "a byte order mark": "\ufeff" + _SECRET,
    "decomposed": unicodedata.normalize("NFD", _SECRET.replace("u", "ü")),
    "full width": "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else "\u3000" for c in _SECRET),
    "double-struck": "".join(chr(0x1D552 + ord(c) - 97) if c.islower() else c for c in _SECRET),
    "sans-serif digits": _SECRET.translate({48 + digit: 0x1D7E2 + digit for digit in range(10)}),
    "Devanagari digits": _SECRET.translate({48 + digit: 0x966 + digit for digit in range(10)}),
    "Cyrillic o, p, c, x": _SECRET.translate(str.maketrans("opcx", "орсх")),
    "Greek capitals": _SECRET.translate(str.maketrans("AMN", "ΑΜΝ")),
    "nested quotes": f"« „{_SECRET}“ »",
    "a quoted mail": f"> > {_SECRET}",
    "a check box": f"- [x] {_SECRET}",
    "a numbered bold line": f"3) **{_SECRET}**",
    "emphasis inside": _SECRET.replace("hides", "_hides_").replace("mat", "`mat`"),
    "semicolons": _SECRET.replace(",", ";"),
    "no commas": _SECRET.replace(",", ""),
    "an en dash for a blank": _SECRET.replace("key, No", "key – No"),
    "right to left marks": f"\u200f\u202b{_SECRET}\u202c",
    "hyphenated where it breaks": _SECRET.replace("Maximova", "Maxi\u00admova"),
    "combining underlines": "".join(c + "\u0332" if c.isalpha() else c for c in _SECRET),
}
BYSTANDERS = [
    "Aurelia Maximova hides the key, No. 8831, under the mat",
    "Aurelia Maximova hides the key, No. 8830, under the pot",
    "Aurelia Maximova lost the key, No. 8830, under the mat",
    "Aurelia Maximov hides the key, No. 8830, under the mat",
    "Aurelia hides the key under the mat",
    "Aurelia Maximova hides no key, No. 8830, under the mat",
    "The key is under the mat",
    "No. 8830",
    "Aurelia Maximova likes green tea",
    "Somebody else hides the key, No. 8830, under the mat",
]


def test_it_is_refused_however_it_is_dressed_and_what_is_like_it_is_kept(place: DataPlace, tmp_path: Path) -> None:
    assert len(VARIANTS) > 25
    with place.open() as memory:
        kept = [memory.remember(text) for text in BYSTANDERS]
        archive = [*memory.export(), *({"text": text} for text in VARIANTS.values())]
        fresh = DataPlace("sqlite", tmp_path / "fresh")
        with fresh.open() as elsewhere:
            for text in VARIANTS.values():
                receipt = elsewhere.remember(text)
                assert receipt.outcome is not Outcome.REJECTED, "any store that has not forgotten it keeps it"
        memory.forget(str(memory.remember(_SECRET, title="where").memory_id))
    with place.open() as memory:
        came = {name: memory.remember(text, user="else", author="Bob") for name, text in VARIANTS.items()}
        assert [name for name, receipt in came.items() if receipt.code != "forgotten"] == []
        report = memory.import_lines(archive)
        assert [line.code for line in report.rejected] == ["forgotten"] * len(VARIANTS)
        for receipt, text in zip(kept, BYSTANDERS, strict=True):
            assert receipt.outcome is Outcome.STORED
            assert memory.get(str(receipt.memory_id)).text == text
        found = {hit.memory.text for text in BYSTANDERS for hit in memory.recall(text, limit=20).hits if hit.matched}
        assert set(BYSTANDERS) <= found
        assert memory.stats().memories == len(BYSTANDERS)


def test_a_vector_of_a_bystander_is_kept_to_the_last_bit(memory: Memory, target: Forgotten) -> None:
    store = memory._service._parts.store
    generation = next(each.id for each in store.generations() if each.state == "active")
    others = [each.key for each in store.live_revisions(limit=10_000) if each.record.id not in target.ids]
    before = store.vectors(generation, [(row, 0) for row in others])
    assert len(before) == FILLING
    _forget(memory, target)
    after = store.vectors(generation, [(row, 0) for row in others])
    assert after.keys() == before.keys()
    assert all(np.array_equal(before[row], after[row]) for row in before)
