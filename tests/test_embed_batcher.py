from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_memory.embed.batcher import Turns, plan_batches


@given(st.lists(st.integers(1, 300), max_size=60), st.integers(1, 1000))
def test_every_input_is_in_one_batch_within_the_budget(lengths: list[int], budget: int) -> None:
    batches = plan_batches(lengths, budget)
    assert sorted(position for batch in batches for position in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or max(lengths[position] for position in batch) * len(batch) <= budget


def test_like_lengths_go_together() -> None:
    assert plan_batches([3, 100, 4, 90, 5], 200) == [[1, 3], [4, 2, 0]]
    assert plan_batches([], 10) == []
    assert plan_batches([50], 10) == [[0]]


def wait_until_waiting(turns: Turns, urgent: int, patient: int) -> None:
    deadline = time.monotonic() + 10
    while (len(turns._urgent), len(turns._patient)) != (urgent, patient):
        assert time.monotonic() < deadline, "the callers never queued"
        time.sleep(0.001)


def queue_up(turns: Turns, names: list[tuple[str, bool]], order: list[str]) -> list[threading.Thread]:
    """Start callers one after the other, each only once the one before it waits."""

    def take(name: str, urgent: bool) -> None:
        with turns.turn(urgent=urgent):
            order.append(name)

    threads = []
    counts = {True: 0, False: 0}
    for name, urgent in names:
        threads.append(threading.Thread(target=take, args=(name, urgent)))
        threads[-1].start()
        counts[urgent] += 1
        wait_until_waiting(turns, counts[True], counts[False])
    return threads


def test_urgent_callers_go_first_in_their_order() -> None:
    turns, order = Turns(), list[str]()
    with turns.turn(urgent=False):
        threads = queue_up(turns, [("d1", False), ("q1", True), ("d2", False), ("q2", True)], order)
    for thread in threads:
        thread.join()
    assert order == ["q1", "q2", "d1", "d2"]


def test_a_stream_of_urgent_callers_cannot_starve_a_patient_one() -> None:
    turns, order = Turns(), list[str]()
    with turns.turn(urgent=False):
        threads = queue_up(turns, [("d", False), *((f"q{number}", True) for number in range(12))], order)
    for thread in threads:
        thread.join()
    assert order.index("d") == 8


def test_a_turn_is_given_back_when_its_block_fails() -> None:
    turns = Turns()
    with pytest.raises(ZeroDivisionError), turns.turn(urgent=True):
        raise ZeroDivisionError
    with turns.turn(urgent=False):
        pass
