"""The pace of a build in the background: so many texts a second, without bursts."""

from __future__ import annotations

import pytest

from ai_memory.service.background.filling import Pace


def test_the_pace_spreads_work_evenly() -> None:
    now = [100.0]
    pace = Pace(10.0, lambda: now[0])
    assert pace.batch == 10
    assert pace.rest(10) == pytest.approx(1.0)
    now[0] += 1.25
    assert pace.rest(10) == pytest.approx(1.0), "a slow batch is not made up for"
    now[0] += 0.5
    assert pace.rest(5) == pytest.approx(1.0), "the rest that is still due, and that of five more"
    assert Pace(0.25, lambda: now[0]).rest(1) == pytest.approx(4.0)
    assert (Pace(0.25).batch, Pace(None).rest(1_000_000), Pace(None).batch, Pace(1e6).batch) == (1, 0.0, 64, 64)
