"""Vector generations: built beside the active one, switched to, taken back, pruned; and what is refused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from ai_memory.clock import SystemClock
from ai_memory.embed.deterministic import HashingEmbedder
from ai_memory.embed.matryoshka import CutEmbedder
from ai_memory.errors import (
    ConflictError,
    EmbedderMismatchError,
    EmbedderUnavailableError,
    InvalidInputError,
    MemoryServiceError,
    NotFoundError,
)
from ai_memory.operations.generations import (
    ACTIVATE_GENERATION,
    CANCEL_REEMBED,
    PRUNE_GENERATIONS,
    TAKE_BACK,
    ActivateGenerationRequest,
    CancelReembedRequest,
    PruneGenerationsRequest,
    TakeBackRequest,
)
from ai_memory.operations.reading import RECALL, RecallRequest
from ai_memory.operations.watching import HEALTH, HealthRequest
from ai_memory.python.methods import Methods
from ai_memory.service.background.embedder import active_generation, binding, pin
from ai_memory.service.background.follower import Follower, SwitchedError
from ai_memory.service.service import Service
from ai_memory.store.base import Store, VectorRow
from ai_memory.store.sqlite.store import open_sqlite_store
from tests.support.cutting_embedder import WHOLE, Shelf, reembed, status, wait_for

TEXTS = [
    f"{what} {number}" for number in range(40) for what in ("the house is green", "cats sleep", "ships sail to sea")
]
LONG = " ".join(f"A sentence about subject {number}, long enough to be cut into passages." for number in range(60))
QUESTIONS = ("which colour has the house 7", "a ship 12", "sleeping cats", "subject 30")


class Bench:
    """A service on a store of its own, with what it was made of."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.shelf = Shelf()
        self.store: Store
        self.service: Service
        self.memory: Methods
        self.open()

    def open(self) -> None:
        self.store = open_sqlite_store(self.folder / "memory.db", clock=SystemClock())
        self.service = Service(
            self.store, self.shelf.of_store, choose=self.shelf.chosen, build_lock=self.folder / "build.lock"
        )
        self.memory = Methods(self.service)

    def fill(self, texts: list[str]) -> None:
        self.memory.remember_many(texts)
        assert self.service.settle(60)

    def hashes(self) -> list[str]:
        """What the service answers to the questions, by meaning."""
        answers = [self.memory.recall(query=question) for question in QUESTIONS]
        assert all(answer.searched.by_meaning for answer in answers)
        return [answer.answer_hash for answer in answers]

    def states(self) -> list[tuple[int, str]]:
        return [(each.embedder.dimension, each.state) for each in self.store.generations()]

    def vectors(self, dimension: int) -> dict[tuple[int, int], bytes]:
        """Every vector of a generation by key and passage."""
        (found,) = [each for each in self.store.generations() if each.embedder.dimension == dimension]
        rows, _ = self.store.vector_rows(found.id, limit=100_000)
        return {(row.key, row.passage): row.vector.tobytes() for row in rows}


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[str], Bench]]:
    """Makes benches; at the end every store agrees with itself."""
    made: list[Bench] = []

    def another(name: str) -> Bench:
        made.append(Bench(tmp_path / name))
        return made[-1]

    yield another
    for bench in made:
        assert bench.service.doctor() == ()
        bench.service.close()


@pytest.fixture
def bench(make: Callable[[str], Bench]) -> Bench:
    """A store with some memories, one of several passages, all with vectors of 64 values."""
    bench = make("store")
    bench.fill([*TEXTS, LONG])
    return bench


def _remember(bench: Bench, text: str) -> str:
    memory_id = bench.memory.remember(text=text).memory_id
    assert memory_id is not None
    return memory_id


# ── building and switching ───────────────────────────────────────────────────────────────────────────────────────────────


def test_another_embedder_answers_as_if_it_had_made_the_store(bench: Bench, make: Callable[[str], Bench]) -> None:
    before = bench.hashes()
    reembed(bench.service, model="hashing", dimension=48)
    build = wait_for(bench.service)
    assert (build.state, build.done, build.total, build.error) == ("done", 121, 121, None)
    assert bench.states() == [(WHOLE, "retired"), (48, "active")]

    clean = make("clean")
    clean.shelf.whole = HashingEmbedder(48)  # type: ignore[assignment]  # it was never of another dimension
    clean.fill([*TEXTS, LONG])
    assert bench.vectors(48) == clean.vectors(48)
    ours, theirs = _cosines(bench), _cosines(clean)
    assert len(ours.keys() & theirs.keys()) > 20
    assert {pair: ours[pair] for pair in ours.keys() & theirs.keys()} == {
        pair: theirs[pair] for pair in ours.keys() & theirs.keys()
    }
    assert bench.hashes() != before, "another embedder says something else, else this test shows nothing"


def _cosines(bench: Bench) -> dict[tuple[str, str], float | None]:
    """By question and text: how near they are, as an answer's trace says it."""
    return {
        (question, hit.memory.text): hit.trace.cosine
        for question in QUESTIONS
        for hit in bench.memory.recall(query=question, explain=True).hits
        if hit.trace is not None
    }


def test_a_smaller_dimension_needs_no_model(bench: Bench) -> None:
    """The vectors are cut from those that are there, and are what the model would have given."""
    made = bench.shelf.whole.documents
    reembed(bench.service, dimension=16)
    assert wait_for(bench.service).state == "done"
    assert bench.shelf.whole.documents == made
    assert bench.states() == [(WHOLE, "retired"), (16, "active")]
    stored = bench.vectors(16)
    assert len(stored) == len(bench.vectors(WHOLE)) > 121
    cutter = CutEmbedder(bench.shelf.whole, 16)
    revisions = {revision.record.text: revision.key for revision in bench.store.live_revisions()}
    for text in TEXTS:
        assert stored[revisions[text], 0] == cutter.embed_documents([text])[0].tobytes()
    assert all(abs(np.linalg.norm(np.frombuffer(vector, "<f4")) - 1) < 1e-6 for vector in stored.values())
    assert bench.hashes()


def test_it_is_taken_back_without_a_model_and_again(bench: Bench) -> None:
    large = bench.hashes()
    reembed(bench.service, dimension=16)
    wait_for(bench.service)
    small = bench.hashes()
    made = bench.shelf.whole.documents
    bench.memory.take_back()
    assert (bench.states(), bench.hashes()) == ([(WHOLE, "active"), (16, "retired")], large)
    bench.memory.take_back()
    assert (bench.states(), bench.hashes()) == ([(WHOLE, "retired"), (16, "active")], small)
    bench.memory.take_back(generation=1)
    assert bench.hashes() == large
    anchors = bench.shelf.whole.documents - made
    assert anchors <= 3 * 32, "nothing but recall's anchor sentences was embedded"


def test_taking_back_makes_what_was_written_since(bench: Bench) -> None:
    reembed(bench.service, dimension=16)
    wait_for(bench.service)
    forgotten = _remember(bench, "a thing to forget")
    _remember(bench, "whales sing in the deep")
    assert bench.service.settle(60)
    bench.memory.forget(id=forgotten)
    bench.memory.take_back()
    assert wait_for(bench.service).state == "done"
    assert bench.states() == [(WHOLE, "active"), (16, "retired")]
    assert len({key for key, _ in bench.vectors(WHOLE)}) == 122
    answer = bench.memory.recall(query="whale singing")
    assert (answer.searched.by_meaning, answer.hits[0].memory.text) == (122, "whales sing in the deep")


def test_memories_written_meanwhile_are_in_both(bench: Bench) -> None:
    """No write waits, and the switch loses none of them. So few that a build of 150 a second catches up on any machine."""
    reembed(bench.service, model="hashing", dimension=48, rate=150)
    written = 0
    while status(bench.service).state == "running" or not written:
        if written < 100:
            _remember(bench, f"written meanwhile {written}")
            written += 1
        assert bench.memory.recall(query="house").searched.by_meaning >= 121
    assert wait_for(bench.service).state == "done"
    assert bench.service.settle(60)
    assert len({key for key, _ in bench.vectors(48)}) == 121 + written
    assert bench.memory.recall(query="house").searched.by_meaning == 121 + written


def test_a_store_that_is_written_to_all_the_time_is_switched_all_the_same(bench: Bench) -> None:
    """Writers that never pause neither hold up the switch nor lose a memory by it."""
    stop = threading.Event()
    written: list[str] = []

    def write(name: str) -> None:
        number = 0
        while not stop.is_set():
            written.append(_remember(bench, f"written by {name} as number {number}"))
            number += 1

    threads = [threading.Thread(target=write, args=(name,)) for name in ("Ada", "Bo")]
    for thread in threads:
        thread.start()
    try:
        for dimension in (48, 40):
            reembed(bench.service, model="hashing", dimension=dimension)
            assert wait_for(bench.service).state == "done"
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert bench.service.settle(60)
    assert len(written) > 20
    assert bench.memory.recall(query="house").searched.by_meaning == 121 + len(written)
    bench.memory.take_back()
    assert wait_for(bench.service).state == "done"
    assert {key for key, _ in bench.vectors(48)} == {key for key, _ in bench.vectors(40)}


def test_the_switch_can_wait_to_be_asked_for(bench: Bench) -> None:
    reembed(bench.service, model="hashing", dimension=48, switch=False)
    assert wait_for(bench.service, "ready").error is None
    assert bench.states() == [(WHOLE, "active"), (48, "building")]
    _remember(bench, "written while it was ready")
    assert bench.service.settle(60)
    wait_for(bench.service, "ready")
    assert len({key for key, _ in bench.vectors(48)}) == 122, "it is kept complete"
    bench.memory.activate_generation()
    assert bench.states() == [(WHOLE, "retired"), (48, "active")]
    assert bench.memory.recall(query="house").searched.by_meaning == 122
    assert wait_for(bench.service).state == "done"


def test_an_incomplete_one_is_switched_to_only_when_told(bench: Bench) -> None:
    reembed(bench.service, model="hashing", dimension=48, rate=5)
    with pytest.raises(ConflictError, match="no vector in it yet"):
        bench.memory.activate_generation()
    assert bench.states() == [(WHOLE, "active"), (48, "building")]
    bench.memory.activate_generation(incomplete=True)
    assert bench.states() == [(WHOLE, "retired"), (48, "active")]
    assert bench.service.settle(60), "what lacks a vector is paid as everywhere"
    assert bench.memory.recall(query="house").searched.by_meaning == 121
    assert wait_for(bench.service).state == "done"


def test_a_generation_that_was_switched_to_binds_before_it_has_a_vector(bench: Bench) -> None:
    """Else an embedder that is loaded at that moment would switch back to its own."""
    store = bench.service._parts.store
    whole = active_generation(store)
    assert whole is not None
    made = store.create_generation(replace(whole.embedder, dimension=48), activate=False)
    store.activate_generation(made.id, complete=False)
    assert binding(store, active_generation(store)) == active_generation(store)
    with pytest.raises(EmbedderMismatchError):
        pin(store, whole.embedder)
    assert bench.states() == [(WHOLE, "retired"), (48, "active")]
    store.activate_generation(whole.id, complete=False)  # no embedder here makes the other vectors


def test_a_cancelled_build_is_kept_and_gone_on_with(bench: Bench) -> None:
    before = bench.hashes()
    reembed(bench.service, model="hashing", dimension=48, rate=40)
    while status(bench.service).done < 40:
        pass
    bench.memory.cancel_reembed()
    assert wait_for(bench.service).state == "cancelled"
    assert (bench.states(), bench.hashes()) == ([(WHOLE, "active"), (48, "retired")], before)
    kept = bench.vectors(48)
    assert 40 <= len(kept) < 121
    with pytest.raises(NotFoundError, match="no former"):
        bench.memory.take_back()
    reembed(bench.service, model="hashing", dimension=48)
    assert wait_for(bench.service).state == "done"
    assert kept.items() <= bench.vectors(48).items()


def test_pruning_leaves_what_is_in_use(bench: Bench) -> None:
    reembed(bench.service, dimension=16)
    wait_for(bench.service)
    small = bench.hashes()
    left = bench.memory.prune_generations()
    assert [(each.id, each.state) for each in left.generations] == [(2, "active")]
    assert bench.hashes() == small
    with pytest.raises(NotFoundError, match="no former"):
        bench.memory.take_back()
    assert bench.memory.prune_generations() == left
    reembed(bench.service)
    assert wait_for(bench.service).state == "done"
    assert bench.states()[-1] == (WHOLE, "active"), "growing back runs the model"


def test_a_closed_service_leaves_the_build_to_the_next(bench: Bench) -> None:
    reembed(bench.service, model="hashing", dimension=48, rate=30)
    while status(bench.service).done < 30:
        pass
    bench.service.close()
    bench.open()
    waiting = status(bench.service)
    assert (waiting.state, waiting.rate) == ("waiting", 30)
    part = next(part for part in bench.memory.health().parts if part.name == "reembed")
    assert (part.state, part.mend) == ("loading", "ai-memory reembed")
    reembed(bench.service)
    build = wait_for(bench.service)
    assert (build.state, build.generation, build.rate) == ("done", waiting.generation, None)


def test_a_started_service_goes_on_by_itself(bench: Bench) -> None:
    reembed(bench.service, model="hashing", dimension=48, rate=60)
    bench.service.close()
    bench.open()
    bench.service.resume_build()
    build = wait_for(bench.service)
    assert (build.state, build.rate) == ("done", 60)


def test_the_rate_of_a_running_build_can_be_changed(bench: Bench) -> None:
    reembed(bench.service, model="hashing", dimension=48, rate=1)
    first = status(bench.service)
    reembed(bench.service, model="hashing", dimension=48)
    build = wait_for(bench.service)
    assert (build.state, build.generation, build.rate) == ("done", first.generation, None)


def test_statistics_and_health_show_it(bench: Bench) -> None:
    reembed(bench.service, model="hashing", dimension=48, rate=20)
    stats = bench.memory.stats()
    assert [each.state for each in stats.generations] == ["active", "building"]
    assert stats.build is not None
    assert (stats.build.embedder.dimension, stats.build.total, stats.embedder) == (
        48,
        121,
        bench.shelf.whole.identity,
    )
    assert bench.memory.stats(namespace="default").build is None
    parts = {part.name: part for part in bench.memory.health().parts}
    assert "48 dimensions" in parts["reembed"].message
    assert parts["vectors"].state == "ok"
    bench.memory.cancel_reembed()
    assert "reembed" not in {part.name for part in bench.memory.health().parts}


def test_an_empty_store_and_one_without_vectors(make: Callable[[str], Bench]) -> None:
    bench = make("empty")
    reembed(bench.service, model="hashing", dimension=48)
    assert wait_for(bench.service).state == "done"
    _remember(bench, "the first memory")
    assert bench.service.settle(60)
    assert bench.memory.recall(query="memory").searched.by_meaning == 1


# ── what a recall sees ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_vector_that_is_paid_while_vectors_are_read_is_found(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its memory is newer than what the follower has read of the log."""
    read = bench.store.vector_rows

    def late(generation: int, **where: int) -> tuple[list[VectorRow], int]:
        monkeypatch.setattr(bench.store, "vector_rows", read)
        _remember(bench, "written and paid in between")
        assert bench.service.settle(60)
        return read(generation, **where)

    monkeypatch.setattr(bench.store, "vector_rows", late)
    follower = Follower(bench.store)
    views = [follower.view("default", bench.store.generations()[0]) for _ in range(2)]
    assert views[1] is not None
    scores = views[1].dense_scores(bench.shelf.whole.embed_queries(["the house is green"])[0])
    assert (len(scores), int(np.isnan(scores).sum())) == (125, 0)


def test_a_view_keeps_its_generation_to_the_end(bench: Bench) -> None:
    follower = Follower(bench.store)
    large, query = bench.store.generations()[0], bench.shelf.whole.embed_queries(["the house is green"])[0]
    view = follower.view("default", large)
    assert view is not None
    before = view.dense_scores(query)
    reembed(bench.service, dimension=16)
    wait_for(bench.service)
    small = bench.store.generations()[1]
    still = follower.view("default", large)
    assert still is not None
    assert still.dimension == WHOLE, "nobody has asked for the new one here"
    switched = follower.view("default", small)
    assert switched is not None
    assert (switched.dimension, view.dimension) == (16, WHOLE)
    assert np.array_equal(view.dense_scores(query), before)
    with pytest.raises(SwitchedError):
        follower.view("default", large)
    bench.memory.take_back()
    back = follower.view("default", large)
    assert back is not None
    assert np.array_equal(back.dense_scores(query), before)


def test_every_answer_is_of_one_generation_while_it_is_switched_to_and_fro(bench: Bench) -> None:
    """Threads ask all the time; other namespaces are written to. Each answer is the one of either generation, never between."""
    large = bench.hashes()
    reembed(bench.service, dimension=16)
    wait_for(bench.service)
    small = bench.hashes()
    allowed = [set(pair) for pair in zip(large, small, strict=True)]
    assert large != small
    wrong: list[str] = []
    seen: set[str] = set()
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            for question, good in zip(QUESTIONS, allowed, strict=True):
                answer = bench.memory.recall(query=question)
                seen.add(answer.answer_hash)
                if answer.answer_hash not in good or answer.notices:
                    wrong.append(f"{question}: {[notice.message for notice in answer.notices]}")

    def write() -> None:
        number = 0
        while not stop.is_set():
            bench.memory.remember(text=f"elsewhere {number}", namespace="other")
            number += 1

    threads = [*(threading.Thread(target=ask) for _ in range(3)), threading.Thread(target=write)]
    for thread in threads:
        thread.start()
    try:
        for number in range(4):
            bench.memory.take_back()
            assert wait_for(bench.service).state == "done"
            expected = small if number % 2 else large
            assert bench.hashes() == expected, "the next call follows"
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert seen == {*large, *small}


def test_a_process_without_the_new_model_says_so_and_works_by_words(bench: Bench) -> None:
    before = bench.hashes()
    whole = bench.shelf.whole
    poor = Service(open_sqlite_store(bench.folder / "memory.db", clock=SystemClock()), lambda pinned: whole)
    try:
        answer = poor.carry_out(RECALL, RecallRequest(query=QUESTIONS[0]))
        assert answer.answer_hash == before[0]
        reembed(bench.service, model="hashing", dimension=48)
        wait_for(bench.service)
        answer = poor.carry_out(RECALL, RecallRequest(query="house green"))
        assert [notice.code for notice in answer.notices] == ["words_only"]
        assert "48 dimensions" in answer.notices[0].message
        assert answer.hits[0].memory.text.startswith("the house is green")
        assert answer.searched.by_meaning == 0
        assert "embedder" in poor.carry_out(HEALTH, HealthRequest()).degraded
        bench.memory.take_back()
        assert poor.carry_out(RECALL, RecallRequest(query=QUESTIONS[0])).answer_hash == before[0]
    finally:
        bench.service.doctor()
        poor.close()
        bench.shelf.whole = type(whole)()


# ── what is refused ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ({"dimension": 17}, InvalidInputError, "64, 32, 16"),
        ({"dimension": 0}, InvalidInputError, "dimension"),
        ({"dimension": 9000}, InvalidInputError, "dimension"),
        ({"dimension": True}, InvalidInputError, "dimension"),
        ({"dimension": "32"}, InvalidInputError, "dimension"),
        ({"dimension": WHOLE}, ConflictError, "already"),
        ({}, ConflictError, "already"),
        ({"model": "absent"}, EmbedderUnavailableError, "absent"),
        ({"model": ""}, ConflictError, "already"),
        ({"model": "m" * 5000}, InvalidInputError, "model"),
        ({"model": 5}, InvalidInputError, "model"),
        ({"rate": 0}, InvalidInputError, "rate"),
        ({"rate": -1.0}, InvalidInputError, "rate"),
        ({"rate": float("nan")}, InvalidInputError, "rate"),
        ({"rate": float("inf")}, InvalidInputError, "rate"),
        ({"rate": "fast"}, InvalidInputError, "rate"),
        ({"speed": 1}, InvalidInputError, "speed"),
    ],
)
def test_bad_requests_begin_nothing(
    bench: Bench, values: dict[str, object], error: type[MemoryServiceError], words: str
) -> None:
    with pytest.raises(error) as refused:
        reembed(bench.service, **values)
    assert words in f"{refused.value.message} {refused.value.hint}"
    assert refused.value.hint
    assert bench.states() == [(WHOLE, "active")]
    assert bench.memory.generations().build is None


def test_two_at_once_are_refused_and_the_same_one_is_joined(bench: Bench) -> None:
    reembed(bench.service, model="hashing", dimension=48, rate=5)
    generation = status(bench.service).generation
    for values in ({"dimension": 16}, {"model": "hashing", "dimension": 40}):
        with pytest.raises(ConflictError, match="are being made") as refused:
            reembed(bench.service, **values)
        assert "--cancel" in (refused.value.hint or "")
    with pytest.raises(ConflictError, match="is being built"):
        bench.memory.take_back()
    assert bench.states() == [(WHOLE, "active"), (48, "building")]
    reembed(bench.service, model="hashing", dimension=48, rate=10_000)
    assert wait_for(bench.service).generation == generation


def test_two_services_share_one_build(bench: Bench) -> None:
    """The second waits beside the first and does nothing twice; it takes over where the first one ends."""
    other = Service(
        open_sqlite_store(bench.folder / "memory.db", clock=SystemClock()),
        bench.shelf.of_store,
        choose=bench.shelf.chosen,
        build_lock=bench.folder / "build.lock",
    )
    try:
        reembed(bench.service, model="hashing", dimension=48, rate=30)
        wait_for(bench.service, "running")
        reembed(other, model="hashing", dimension=48, rate=30)
        assert len(bench.store.jobs(kind="reembed")) == 1
        bench.service.close()
        assert wait_for(other).state == "done"
    finally:
        other.close()
        bench.open()
    assert bench.states() == [(WHOLE, "retired"), (48, "active")]


def test_actions_without_an_object(bench: Bench) -> None:
    service = bench.service
    missing: list[Callable[[], object]] = [
        lambda: service.carry_out(CANCEL_REEMBED, CancelReembedRequest()),
        lambda: service.carry_out(ACTIVATE_GENERATION, ActivateGenerationRequest(incomplete=True)),
        lambda: service.carry_out(TAKE_BACK, TakeBackRequest()),
        lambda: service.carry_out(TAKE_BACK, TakeBackRequest(generation=99)),
        lambda: service.carry_out(PRUNE_GENERATIONS, PruneGenerationsRequest(generation=99)),
    ]
    for act in missing:
        with pytest.raises(NotFoundError) as refused:
            act()
        assert "generations()" in (refused.value.hint or "")
    with pytest.raises(InvalidInputError, match="active"):
        service.carry_out(TAKE_BACK, TakeBackRequest(generation=1))
    with pytest.raises(InvalidInputError, match="active"):
        service.carry_out(PRUNE_GENERATIONS, PruneGenerationsRequest(generation=1))
    assert bench.states() == [(WHOLE, "active")]


def test_a_text_that_fails_ends_the_build_without_a_switch(bench: Bench) -> None:
    before = bench.hashes()
    reembed(bench.service, dimension=16)
    wait_for(bench.service)
    bench.memory.prune_generations()
    bench.shelf.whole.fails_on = {"cats sleep 7"}
    reembed(bench.service)
    failed = wait_for(bench.service)
    assert (failed.state, failed.done) == ("failed", 120)
    assert "out of memory" in (failed.error or "")
    assert bench.states() == [(16, "active"), (WHOLE, "building")]
    part = next(part for part in bench.memory.health().parts if part.name == "reembed")
    assert part.state == "degraded"
    bench.shelf.whole.fails_on = set()
    reembed(bench.service)
    assert wait_for(bench.service).state == "done"
    assert bench.hashes() == before
