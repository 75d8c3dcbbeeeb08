"""A machine's clock that jumps dates nothing wrongly for longer than it must, and health and doctor say so."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from ai_memory.clock import BELIEVED_AFTER, DAY_MICROS, SystemClock, from_micros, to_micros
from ai_memory.operations.reading import GET, GetRequest
from ai_memory.operations.watching import HEALTH, HealthRequest
from ai_memory.operations.writing import REMEMBER, REVISE, RememberRequest, ReviseRequest
from ai_memory.service.service import Service
from ai_memory.settings import Settings
from ai_memory.wiring import open_service

START = to_micros(dt.datetime(2026, 11, 1, tzinfo=dt.UTC))
FIFTY_YEARS = 50 * 365 * DAY_MICROS
SECOND = 1_000_000


class Machine:
    """Two clocks of a machine: the one that can be set, and the steady one."""

    def __init__(self, start: int = START) -> None:
        self.wall, self.steady = start, 5_000

    def pass_(self, micros: int) -> None:
        self.wall += micros
        self.steady += micros

    def clock(self) -> SystemClock:
        return SystemClock(lambda: self.wall, lambda: self.steady)


def seconds(clock: SystemClock, machine: Machine) -> int:
    """How many seconds an answer of the clock is from what the machine's clock says."""
    return (to_micros(clock.now()) - machine.wall) // SECOND


def test_a_moment_in_2076_dates_nothing() -> None:
    machine = Machine()
    clock = machine.clock()
    before = clock.now()
    machine.wall += FIFTY_YEARS
    for _ in range(3):
        machine.pass_(10 * SECOND)
        assert clock.now().year == 2026
    assert clock.jump().days == 50 * 365
    machine.wall -= FIFTY_YEARS
    after = clock.now()
    assert before + dt.timedelta(seconds=30) <= after < before + dt.timedelta(seconds=31)
    assert clock.jump() == dt.timedelta()


def test_a_clock_that_stays_in_2076_is_followed_and_followed_back() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall += FIFTY_YEARS
    clock.now()
    machine.pass_(BELIEVED_AFTER)
    assert clock.now().year == 2076
    machine.wall -= FIFTY_YEARS
    machine.pass_(SECOND)
    assert clock.now().year == 2076
    machine.pass_(BELIEVED_AFTER)
    assert clock.now().year == 2026, "until the process was started again, everything was dated 2076"
    assert seconds(clock, machine) == 0


def test_a_jump_that_is_followed_by_another_is_waited_for_anew() -> None:
    machine = Machine()
    clock = machine.clock()
    for _ in range(5):
        machine.wall += FIFTY_YEARS // 5
        machine.pass_(BELIEVED_AFTER // 2)
        assert clock.now().year == 2026


@pytest.mark.parametrize("step", [-9 * SECOND, -SECOND, SECOND, 3_600 * SECOND, 6 * DAY_MICROS])
def test_a_small_step_is_followed_and_time_does_not_run_backwards(step: int) -> None:
    machine = Machine()
    clock = machine.clock()
    before = clock.now()
    machine.wall += step
    machine.pass_(10)
    assert clock.now() > before
    machine.pass_(20 * SECOND)
    assert seconds(clock, machine) == 0


def test_the_first_setting_of_a_clock_that_was_never_set_is_followed_at_once() -> None:
    machine = Machine(start=1_000)
    clock = machine.clock()
    assert clock.now().year == 1970
    machine.wall = START
    assert clock.now() == from_micros(START)


def test_answers_are_strictly_later_while_the_clock_does_not_move() -> None:
    clock = Machine().clock()
    answers = [clock.now() for _ in range(100)]
    assert answers == sorted(set(answers))


# ── the service ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _service(folder: Path, machine: Machine) -> Service:
    return open_service(Settings(data_dir=folder, model="none"), clock=machine.clock())


def _clock_part(service: Service) -> str:
    parts = service.carry_out(HEALTH, HealthRequest()).parts
    return " ".join(part.message for part in parts if part.name == "clock")


def test_health_says_that_the_clock_jumped_and_writes_are_dated_as_before(tmp_path: Path) -> None:
    machine = Machine()
    service = _service(tmp_path, machine)
    assert _clock_part(service) == ""
    machine.wall += FIFTY_YEARS
    made = service.carry_out(REMEMBER, RememberRequest(text="one"))
    memory = service.carry_out(GET, GetRequest(id=made.memory_id or ""))
    assert memory.recorded_at.year == 2026
    assert "jumped by 18250 days" in _clock_part(service)
    machine.wall -= FIFTY_YEARS
    service.carry_out(REMEMBER, RememberRequest(text="two"))
    assert _clock_part(service) == ""
    assert service.doctor() == ()
    service.close()


def test_what_was_written_in_2076_is_named_and_poisons_nothing_else(tmp_path: Path) -> None:
    machine = Machine(START + FIFTY_YEARS)
    service = _service(tmp_path, machine)
    ahead = service.carry_out(REMEMBER, RememberRequest(text="from the future", idempotency_key="k")).memory_id or ""
    service.close()
    machine = Machine()
    service = _service(tmp_path, machine)
    assert "2076" in _clock_part(service)
    (problem,) = service.doctor()
    assert (problem.check, problem.count) == ("dated_ahead", 1)
    assert "log entry 1" in problem.message
    later = service.carry_out(REMEMBER, RememberRequest(text="now")).memory_id or ""
    assert service.carry_out(GET, GetRequest(id=later)).recorded_at.year == 2026
    service.carry_out(REVISE, ReviseRequest(id=later, text="now, and again"))
    assert service.carry_out(GET, GetRequest(id=later)).recorded_at.year == 2026
    service.carry_out(REVISE, ReviseRequest(id=ahead, text="from the future, revised"))  # its history stays in order
    assert [problem.check for problem in service.doctor()] == ["dated_ahead"]
    service.close()
