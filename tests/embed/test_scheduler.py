"""Which inputs go into the next pass, and that every request ends, whatever happens to it or to others in its pass."""

from __future__ import annotations

import threading
import time
from bisect import insort
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ai_memory.embed import scheduler
from ai_memory.embed.base import Cancellation
from ai_memory.embed.batcher import Batch
from ai_memory.embed.models.folder import ModelFolder, read_model_folder
from ai_memory.embed.runtimes.base import Dtype
from ai_memory.embed.runtimes.openvino.runtime import OpenVinoRuntime
from ai_memory.embed.scheduler import IN_A_ROW, MAX_REQUESTS, Completed, Scheduler
from ai_memory.embed.transformer import TransformerEmbedder
from ai_memory.errors import (
    EmbedderError,
    EmbedderUnavailableError,
    OverloadedError,
    ServiceUnavailableError,
    TooLargeError,
)
from tests.support.faulty_runtime import PATIENCE, FaultyRuntime, faulty_embedder, plain_embedder
from tests.support.tiny_gemma import tiny_gemma
from tests.support.tiny_models import tiny_bert

POISON = 7


@pytest.fixture(scope="module", params=["bert", "gemma"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    place = tmp_path_factory.mktemp("models")
    if request.param == "bert":
        return read_model_folder(tiny_bert(place / "tiny", max_tokens=64))
    return read_model_folder(tiny_gemma(place / "embeddinggemma-300m"))


@pytest.fixture(scope="module")
def loaded(folder: ModelFolder) -> Iterator[OpenVinoRuntime]:
    runtime = OpenVinoRuntime(folder, dtype=Dtype.FLOAT32)
    yield runtime
    runtime.close()


@pytest.fixture
def runtime(loaded: OpenVinoRuntime) -> FaultyRuntime:
    return FaultyRuntime(loaded)


@pytest.fixture
def callers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(80) as pool:
        yield pool


def ids(length: int, first: int = 20) -> tuple[int, ...]:
    """An input of `count` tokens; `first` distinguishes it from others."""
    return tuple(first + place % 3 for place in range(length))


class Crowd:
    """Callers that queue up one after the other behind a pass that is being held."""

    def __init__(self, scheduler: Scheduler, runtime: FaultyRuntime, pool: ThreadPoolExecutor) -> None:
        self.scheduler, self.runtime, self.pool = scheduler, runtime, pool

    def ask(
        self, inputs: Sequence[tuple[int, ...]], *, urgent: bool = False, cancellation: Cancellation | None = None
    ) -> Future[Completed]:
        """Begin a request and return once it waits."""
        before = self.scheduler.waiting
        asked = self.pool.submit(self.scheduler.run, inputs, urgent=urgent, cancellation=cancellation)
        until(lambda: self.scheduler.waiting > before or asked.done())
        return asked

    def begin(self) -> Future[Completed]:
        """A first request, whose pass is running when this returns (inside `runtime.held()`)."""
        first = self.ask([ids(5)])
        self.runtime.wait_for_pass()
        return first


Gather = Callable[..., Crowd]


@pytest.fixture
def gather(folder: ModelFolder, loaded: OpenVinoRuntime, callers: ThreadPoolExecutor) -> Gather:
    """A crowd before the model: with `max_requests`, or with the runtime's budgets in tokens."""

    def gathered(max_requests: int = MAX_REQUESTS, **budgets: int) -> Crowd:
        runtime = FaultyRuntime(loaded, **budgets)
        return Crowd(Scheduler(runtime, folder.dimension, max_requests=max_requests), runtime, callers)

    return gathered


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.001)


# Which inputs share a pass


@given(st.lists(st.integers(1, 600), min_size=1, max_size=60), st.integers(1, 1000), st.booleans())
def test_a_batch_stays_within_its_budget_and_every_input_gets_into_one(
    lengths: list[int], budget: int, padded: bool
) -> None:
    left = sorted(lengths)
    done: list[int] = []
    while left:
        batch = Batch(budget, padded=padded)
        inside: list[int] = []
        while (at := batch.choose(left)) is not None:
            batch.add(left[at])
            inside.append(left.pop(at))
        assert inside, "an empty batch takes any input"
        cost = max(inside) * len(inside) if padded else sum(inside)
        assert len(inside) == 1 or cost <= budget
        assert batch.tokens == sum(inside)
        for length in inside:
            insort(done, length)
    assert done == sorted(lengths)


def test_similar_lengths_share_a_padded_pass() -> None:
    def batches(lengths: list[int], budget: int, *, padded: bool) -> list[list[int]]:
        left = sorted(lengths)
        made: list[list[int]] = []
        while left:
            batch = Batch(budget, padded=padded)
            made.append([])
            while (at := batch.choose(left)) is not None:
                batch.add(left[at])
                made[-1].append(left.pop(at))
        return made

    assert batches([3, 100, 4, 90, 5], 512, padded=True) == [[100, 90], [5, 4, 3]]
    assert batches([3, 100, 4, 90, 5], 512, padded=False) == [[100, 90, 5, 4, 3]]
    assert batches([600, 16, 500], 512, padded=True) == [[600], [500], [16]]
    assert batches([600, 16, 500, 12], 512, padded=False) == [[600], [500, 12], [16]]


def test_joining_never_costs_more_than_a_separate_pass() -> None:
    """A shorter input is padded up to the others, a longer one pads the others: either costs less than the overhead of a pass."""
    batch = Batch(512, padded=True)
    batch.add(40)
    batch.add(40)
    shortest, longest = batch.room()
    assert (shortest, longest) == (40 - 16, 40 + 8)


# Whose turn it is


def test_urgent_requests_go_first_and_short_ones_before_long_ones(gather: Gather) -> None:
    crowd = gather(token_budget=12)
    with crowd.runtime.held():
        crowd.begin()
        asked = [
            crowd.ask([ids(12, 30)] * 2),
            crowd.ask([ids(9, 40)]),
            crowd.ask([ids(11, 50)], urgent=True),
            crowd.ask([ids(7, 60)], urgent=True),
        ]
    assert [each.result(PATIENCE).vectors.shape[0] for each in asked] == [2, 1, 1, 1]
    assert [[each[0] for each in one] for one in crowd.runtime.passes] == [[20], [60], [50], [40], [30], [30]]


def test_requests_of_similar_size_run_in_order_of_arrival(gather: Gather) -> None:
    """Otherwise the longer ones would wait until nothing else does, and each would share its pass with new requests only."""
    crowd = gather(token_budget=12)
    with crowd.runtime.held():
        crowd.begin()
        asked = [crowd.ask([ids(length, 30 + length)]) for length in (12, 9, 15, 8, 13)]
    assert all(each.result(PATIENCE) for each in asked)
    assert [len(one[0]) for one in crowd.runtime.passes] == [5, 12, 9, 15, 8, 13]


def test_the_next_pass_takes_what_fits_the_first_in_turn_best_where_it_is_padded(gather: Gather) -> None:
    crowd = gather(token_budget=128)
    with crowd.runtime.held():
        crowd.begin()
        asked = [crowd.ask([ids(length)]) for length in (40, 44, 37, 41, 40, 43)]
    assert all(each.result(PATIENCE) for each in asked)
    lengths = [sorted(len(each) for each in one) for one in crowd.runtime.passes]
    assert lengths == (
        [[5], [40, 40, 41], [43, 44], [37]] if crowd.runtime.padded else [[5], [37, 40, 44], [40, 41, 43]]
    )


def test_only_a_caller_alone_for_a_minute_has_longer_passes(gather: Gather, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = gather(token_budget=20, alone_budget=40)
    many = [ids(10, 30)] * 8
    crowd.ask(many).result(PATIENCE)
    with crowd.runtime.held():
        crowd.begin()
        beside = crowd.ask(many)
    assert beside.result(PATIENCE).vectors.shape[0] == 8
    crowd.ask(many).result(PATIENCE)
    monkeypatch.setattr(scheduler, "ALONE_SECONDS", 0.0)
    crowd.ask(many).result(PATIENCE)
    assert [len(one) for one in crowd.runtime.passes] == [4, 4, 1, 2, 2, 2, 2, 2, 2, 2, 2, 4, 4]
    crowd.runtime.passes.clear()
    with crowd.runtime.held():
        crowd.begin()
        together = [crowd.ask(many), crowd.ask(many)]
    assert all(each.result(PATIENCE) for each in together)
    # While both wait, however long they have.
    assert [len(one) for one in crowd.runtime.passes][1:5] == [2, 2, 2, 2]


def test_requests_that_wait_share_the_next_pass(gather: Gather) -> None:
    crowd = gather()
    with crowd.runtime.held():
        crowd.begin()
        asked = [crowd.ask([ids(10, 30 + number)]) for number in range(40)]
    assert all(each.result(PATIENCE) for each in asked)
    assert [len(one) for one in crowd.runtime.passes] == [1, 40]


def test_a_stream_of_urgent_requests_cannot_starve_a_background_one(gather: Gather) -> None:
    crowd = gather(token_budget=10)
    with crowd.runtime.held():
        crowd.begin()
        crowd.ask([ids(10, 30)])
        for _ in range(12):
            crowd.ask([ids(10, 40)], urgent=True)
    until(lambda: crowd.scheduler.waiting == 0)
    assert [one[0][0] for one in crowd.runtime.passes].index(30) == 1 + IN_A_ROW


def test_a_stream_of_short_requests_cannot_starve_a_long_one(gather: Gather) -> None:
    crowd = gather(token_budget=10)
    with crowd.runtime.held():
        crowd.begin()
        crowd.ask([ids(30, 30)] * 3)
        for _ in range(24):
            crowd.ask([ids(8, 40)])
    until(lambda: crowd.scheduler.waiting == 0)
    turns = [place for place, one in enumerate(crowd.runtime.passes) if one[0][0] == 30]
    assert turns[0] == 1 + IN_A_ROW
    assert turns[1] - turns[0] == 1 + IN_A_ROW


def test_a_short_request_waits_for_one_pass_of_long_ones_at_most(gather: Gather) -> None:
    crowd = gather()
    with crowd.runtime.held():
        crowd.begin()
        for _ in range(10):
            crowd.ask([ids(60, 30)] * 50)
        crowd.ask([ids(4, 40)])
    until(lambda: crowd.scheduler.waiting == 0)
    assert 40 in {each[0] for each in crowd.runtime.passes[1]}


# What ends a request


def test_a_failing_input_fails_its_own_request_alone(gather: Gather) -> None:
    crowd = gather()
    crowd.runtime.poison = {POISON}
    with crowd.runtime.held():
        crowd.begin()
        good = [crowd.ask([ids(10), ids(11)]) for _ in range(6)]
        bad = crowd.ask([ids(10), (*ids(9), POISON)])
    with pytest.raises(EmbedderError, match="out of memory"):
        bad.result(PATIENCE)
    expected = crowd.scheduler.run([ids(10), ids(11)], urgent=False).vectors
    for each in good:
        np.testing.assert_allclose(each.result(PATIENCE).vectors, expected, atol=1e-5)
    assert crowd.scheduler.waiting == 0


@pytest.mark.parametrize("fault", [EmbedderError("gone"), RuntimeError("a driver died"), MemoryError()])
def test_a_pass_that_raises_ends_its_request_with_what_was_raised(
    folder: ModelFolder, runtime: FaultyRuntime, fault: Exception
) -> None:
    scheduler = Scheduler(runtime, folder.dimension)
    runtime.poison, runtime.fault = {POISON}, fault
    with pytest.raises(type(fault)):
        scheduler.run([ids(4), (POISON,)], urgent=False)
    runtime.poison = set()
    assert scheduler.run([(POISON,)], urgent=False).vectors.shape[0] == 1


def test_an_interrupted_leader_takes_only_its_own_request_with_it(gather: Gather) -> None:
    class Stop(BaseException):
        pass

    crowd = gather()
    inner, stops = crowd.runtime.forward, iter([True])

    def interrupted(inputs: Sequence[Sequence[int]]) -> object:
        if len(inputs) > 1 and next(stops, False):
            raise Stop
        return inner(inputs)

    with crowd.runtime.held():
        crowd.begin()
        asked = [crowd.ask([ids(10)]) for _ in range(4)]
        crowd.runtime.forward = interrupted  # type: ignore[method-assign, assignment]
    ended = [each.exception(PATIENCE) for each in asked]
    assert [type(each) for each in ended].count(Stop) == 1
    assert ended.count(None) == 3
    assert crowd.scheduler.waiting == 0


def test_a_cancelled_request_leaves_the_queue(gather: Gather) -> None:
    crowd = gather()
    cancellation = Cancellation()
    with crowd.runtime.held():
        first = crowd.begin()
        asked = crowd.ask([ids(9, 30)], cancellation=cancellation)
        other = crowd.ask([ids(9, 40)])
        cancellation.cancel()
        with pytest.raises(ServiceUnavailableError, match="caller disconnected"):
            asked.result(PATIENCE)
        assert crowd.scheduler.waiting == 2
    assert first.result(PATIENCE)
    assert other.result(PATIENCE)
    assert 30 not in {each[0] for one in crowd.runtime.passes for each in one}
    with pytest.raises(ServiceUnavailableError):
        crowd.scheduler.run([ids(3)], urgent=True, cancellation=cancellation)


def test_a_request_cancelled_while_it_leads_hands_over(gather: Gather) -> None:
    crowd = gather()
    cancellation = Cancellation()
    with crowd.runtime.held():
        leader = crowd.ask([ids(60, 30)] * 40, cancellation=cancellation)
        crowd.runtime.wait_for_pass()
        other = crowd.ask([ids(9, 40)])
        cancellation.cancel()
    with pytest.raises(ServiceUnavailableError):
        leader.result(PATIENCE)
    assert other.result(PATIENCE)
    assert len(crowd.runtime.passes) == 2, "what had not begun was never run"


def test_a_full_queue_refuses_at_once(gather: Gather) -> None:
    crowd = gather(max_requests=3)
    with crowd.runtime.held():
        first = crowd.begin()
        asked = [crowd.ask([ids(9)]) for _ in range(2)]
        with pytest.raises(OverloadedError, match="3 requests are waiting") as refused:
            crowd.scheduler.run([ids(9)], urgent=True)
    assert 1 <= refused.value.details["retry_after"] <= 60
    assert all(each.result(PATIENCE) for each in (first, *asked))
    assert crowd.scheduler.run([ids(9)], urgent=True)


def test_closing_ends_every_request_and_waits_for_the_pass(gather: Gather, callers: ThreadPoolExecutor) -> None:
    crowd = gather()
    with crowd.runtime.held():
        asked = [crowd.begin(), *(crowd.ask([ids(9)]) for _ in range(5))]
        closing = callers.submit(crowd.scheduler.close)
        for each in asked[1:]:
            assert isinstance(each.exception(PATIENCE), EmbedderUnavailableError)
        assert not closing.done()
    closing.result(PATIENCE)
    with pytest.raises(EmbedderUnavailableError):
        crowd.scheduler.run([ids(3)], urgent=True)


# The embedder around it


@pytest.fixture(scope="module")
def alone(folder: ModelFolder) -> Iterator[TransformerEmbedder]:
    embedder = plain_embedder(folder)
    yield embedder
    embedder.close()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    calls=st.lists(
        st.lists(st.text("abcdefg hijk,. 0123", max_size=90), min_size=1, max_size=6), min_size=2, max_size=10
    ),
    urgent=st.integers(0, 1023),
)
def test_the_same_text_has_the_same_vector_whatever_shares_its_pass(
    alone: TransformerEmbedder, calls: list[list[str]], urgent: int
) -> None:
    expected = {text: alone.embed_documents([text])[0] for texts in calls for text in texts}
    answers: dict[int, object] = {}
    start = threading.Barrier(len(calls))

    def ask(number: int, texts: list[str]) -> None:
        start.wait()
        inputs = alone.prompted_documents(texts)
        answers[number] = alone.encode(inputs, urgent=bool(urgent >> number & 1)).vectors

    threads = [threading.Thread(target=ask, args=(number, texts)) for number, texts in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, texts in enumerate(calls):
        np.testing.assert_allclose(answers[number], np.stack([expected[text] for text in texts]), atol=1e-5)  # type: ignore[call-overload]


def test_64_callers_lose_no_request(folder: ModelFolder, callers: ThreadPoolExecutor) -> None:
    embedder, runtime = faulty_embedder(folder)
    texts = [f"caller {number} asks about the gate" for number in range(64)]
    expected = embedder.embed_documents(texts)
    runtime.passes.clear()
    asked = [callers.submit(embedder.embed_documents, [text]) for text in texts * 3]
    for number, each in enumerate(asked):
        np.testing.assert_allclose(each.result(PATIENCE)[0], expected[number % 64], atol=1e-5)
    assert sum(map(len, runtime.passes)) == 64 * 3
    assert embedder.waiting == 0
    embedder.close()


def test_a_call_reports_its_times_and_tokens(alone: TransformerEmbedder) -> None:
    encoded = alone.encode(alone.prompted_queries(["a b c", "d"]), urgent=True)
    assert encoded.timings.tokenizing > 0
    assert encoded.timings.waiting >= 0
    assert encoded.timings.computing > 0
    assert len(encoded.tokens) == 2
    total = sum(encoded.tokens)
    assert alone.encode(alone.prompted_queries(["a b c", "d"]), max_total=total).tokens == encoded.tokens
    with pytest.raises(TooLargeError, match="tokens together") as refused:
        alone.encode(alone.prompted_queries(["a b c", "d"]), max_total=total - 1)
    assert refused.value.details == {"limit": total - 1, "actual": total}


def test_closing_an_embedder_ends_the_calls_that_wait(tmp_path: Path, callers: ThreadPoolExecutor) -> None:
    embedder, runtime = faulty_embedder(read_model_folder(tiny_bert(tmp_path / "tiny")))
    with runtime.held():
        first = callers.submit(embedder.embed_documents, ["one"])
        runtime.wait_for_pass()
        second = callers.submit(embedder.embed_documents, ["two"])
        until(lambda: embedder.waiting == 2)
        closing = callers.submit(embedder.close)
        assert isinstance(second.exception(PATIENCE), EmbedderUnavailableError)
    closing.result(PATIENCE)
    assert isinstance(first.exception(PATIENCE), EmbedderUnavailableError)
