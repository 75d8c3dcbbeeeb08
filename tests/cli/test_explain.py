"""`ai-memory explain`: what a person sees of why each hit is where it is, on real memories with the real small model."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_memory import Memory
from ai_memory.cli.output import show
from ai_memory.cli.output.explain import SMALLEST, Scale, bar
from ai_memory.cli.output.layout import isolated, width, wrap
from ai_memory.cli.output.screen import Screen
from ai_memory.embed.models.folder import ModelFolder
from ai_memory.recall.answer import Answer
from tests.support.serving import COMMAND, environment, running_service

DEMO = Path(__file__).resolve().parents[2] / "demo" / "team.jsonl"
QUESTION = "Which server builds the map packs?"
BAR = re.compile(r"^    (\w[\w ]*?) {2,}-?\d+\.\d\d × -?\d+\.\d{3}  ( *[▐█]*)│([█▏▎▍▌▋▊▉]* *) ( *[+-]\d+\.\d\d)$")


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory, minilm_folder: ModelFolder) -> Path:
    """A data folder with the demonstration's memories, and some in scripts that run from right to left or are wide."""
    folder = tmp_path_factory.mktemp("team") / "data"
    drafts = [
        {key: value for key, value in json.loads(line).items() if key != "key"}
        for line in DEMO.read_text("utf-8").splitlines()
    ]
    drafts += [
        {
            "text": "השרת של המפות מתוחזק על ידי דנה כהן",
            "author": "דנה כהן",
            "context": "עבודה/שרתים",
            "session": "rtl",
        },
        {
            "text": "地図サーバーは田中さんが管理しています。",
            "title": "サーバー管理",
            "author": "田中",
            "session": "rtl",
        },
    ]
    with Memory(data_dir=folder, model=str(minilm_folder.path)) as memory:
        assert memory.remember_many(drafts).counts == {"stored": len(drafts)}
        assert memory.settle(110)
    return folder


@pytest.fixture(scope="module")
def memory(team: Path, minilm_folder: ModelFolder) -> Iterator[Memory]:
    with Memory(data_dir=team, model=str(minilm_folder.path)) as opened:
        yield opened


def screen(columns: int) -> Screen:
    made = Screen()
    made.width, made.colour = columns, False
    return made


def explained(memory: Memory, question: str, **more: object) -> Answer:
    return memory.recall(question, explain=True, layers=["semantic"], **more)  # type: ignore[arg-type]


@pytest.mark.model
def test_the_bars_of_a_hit_add_up_to_its_score(memory: Memory) -> None:
    answer = explained(memory, QUESTION)
    blocks = re.split(r"(?m)^ ?\d+\. ", "\n".join(show.lines_of(answer, screen(80))))[1:]
    assert len(blocks) == len(answer.hits) == 10
    for hit, block in zip(answer.hits, blocks, strict=True):
        drawn = [found for found in map(BAR.match, block.splitlines()) if found]
        assert hit.trace is not None
        stages = [stage for stage in hit.trace.stages if abs(stage.contribution) >= SMALLEST]
        assert [found[1] for found in drawn] == [stage.name.replace("_", " ") for stage in stages]
        assert sum(float(found[4]) for found in drawn) == pytest.approx(hit.score, abs=0.01 * len(hit.trace.stages))
        for found, stage in zip(drawn, stages, strict=True):
            assert bool(found[3].strip()) == (stage.contribution > 0)
            assert bool(found[2].strip()) == (stage.contribution < 0)


@pytest.mark.model
def test_the_lead_over_the_next_hit_is_told(memory: Memory) -> None:
    answer = explained(memory, QUESTION)
    text = "\n".join(show.lines_of(answer, screen(400)))
    leads = re.findall(r"above (\d+) by (-?\d+\.\d\d): (.*)", text)
    assert [int(rank) for rank, _, _ in leads] == list(range(2, len(answer.hits) + 1))
    for (_, lead, told), hit, after in zip(leads, answer.hits, answer.hits[1:], strict=False):
        assert float(lead) == pytest.approx(hit.score - after.score, abs=0.006)
        assert all(float(gain) > 0 for gain in re.findall(r"[+-]\d+\.\d\d", told.split("; against it")[0]))


@pytest.mark.model
def test_confidence_is_the_logistic_of_its_summands(memory: Memory) -> None:
    for hit in explained(memory, QUESTION).hits:
        assert hit.trace is not None
        odds = sum(stage.contribution for stage in hit.trace.certainty)
        assert hit.confidence == pytest.approx(1 / (1 + 2.718281828459045**-odds))


@pytest.mark.model
def test_what_the_question_was_understood_as(memory: Memory) -> None:
    answer = explained(memory, 'marmot "map packs"', context="work", tags=[])
    asked = answer.asked
    assert asked is not None
    assert [word.text for word in asked.words] == ["marmot", "map", "packs"]
    assert sum(word.share for word in asked.words) == pytest.approx(1.0)
    assert asked.phrases == ("map packs",)
    assert asked.filters == {"context": "work"}
    assert asked.candidates >= len(answer.hits)
    assert asked.origins["lexical"] <= asked.candidates
    head = "\n".join(show.lines_of(answer, screen(80))).split("\n\n")[0]
    assert "context work" in head
    assert "“map packs”" in head
    assert (asked.trusted is None) == answer.abstained
    assert explained(memory, QUESTION).asked != asked
    assert memory.recall(QUESTION).asked is None, "what nobody asked for is not worked out"


@pytest.mark.model
def test_the_times_that_a_question_names_are_shown(memory: Memory) -> None:
    answer = explained(memory, "What went wrong in March 2025?")
    assert answer.asked is not None
    (time,) = answer.asked.times
    assert (str(time.since), str(time.until)) == ("2025-03-01 00:00:00+00:00", "2025-04-01 00:00:00+00:00")
    assert "times       2025-03-01 to 2025-04-01" in list(show.lines_of(answer, screen(80)))
    assert {"time"} <= {stage.name for hit in answer.hits if hit.trace for stage in hit.trace.stages}
    timeless = explained(memory, QUESTION).asked
    assert timeless is not None
    assert timeless.times == ()


@pytest.mark.model
def test_an_answer_that_is_not_trusted_says_why(memory: Memory) -> None:
    answer = explained(memory, "zygote quasar kombucha")
    assert answer.abstained
    head = "\n".join(show.lines_of(answer, screen(400)))
    assert f"doubtful: {answer.reason}" in head
    assert head.count(str(answer.reason)) == 1, "the reason is said once"


@pytest.mark.model
@pytest.mark.parametrize("columns", [40, 80, 132])
@pytest.mark.parametrize("question", [QUESTION, "דנה כהן", "サーバーを管理するのは誰ですか", "", "x" * 300])
def test_no_line_is_wider_than_the_terminal(memory: Memory, question: str, columns: int) -> None:
    for line in show.lines_of(explained(memory, question, include_ended=True), screen(columns)):
        assert width(line) <= columns or line.strip().startswith("mem_"), line


@pytest.mark.model
def test_names_from_right_to_left_do_not_reorder_what_follows(memory: Memory) -> None:
    lines = list(show.lines_of(explained(memory, "דנה כהן", limit=1, context="עבודה"), screen(100)))
    facts = next(line for line in lines if line.startswith(" 1."))
    assert isolated("דנה כהן") in facts
    assert "\\u2068" not in "".join(lines)
    for line in lines:
        assert line.count("\u2068") == line.count("\u2069")


def test_only_right_to_left_text_is_isolated() -> None:
    assert isolated("Anna Б 日本") == "Anna Б 日本"
    assert isolated("دانا") == "\u2068دانا\u2069"
    assert isolated("a\u202eא\nb") == "\u2068a\\u202eא b\u2069"
    assert wrap(isolated("א ב"), 40, made_visible=True) == ["\u2068א ב\u2069"]


@given(st.floats(-20, 20), st.floats(0, 20), st.floats(-20, 0), st.integers(12, 100), st.booleans())
def test_a_bar_has_its_columns_and_its_side(
    value: float, most: float, least: float, columns: int, blocks: bool
) -> None:
    scale = Scale(max(most, value), min(least, value), 5)
    left, axis, right = bar(value, scale, columns, blocks=blocks)
    assert width(left) + width(axis) + width(right) == columns
    assert not (left.strip() and right.strip())
    assert bool(right.strip()) == (value > 0)
    assert bool(left.strip()) == (value < 0)


def test_a_longer_bar_says_more() -> None:
    scale = Scale(4.0, -1.0, 5)
    lengths = [len(bar(value, scale, 50)[2].rstrip()) for value in (0.5, 1.0, 2.0, 4.0)]
    assert lengths == sorted(set(lengths))
    assert bar(4.0, scale, 50)[2] == "█" * len(bar(4.0, scale, 50)[2]), "the greatest fills its side"
    assert bar(-1.0, scale, 50)[0] == "█" * 10


@pytest.mark.model
def test_a_running_service_explains_the_same(team: Path, minilm_folder: ModelFolder) -> None:
    model = {"AI_MEMORY_MODEL": str(minilm_folder.path)}
    own = asked_aloud(team, model)
    with running_service(team, **model):
        served = asked_aloud(team, model)
    assert served["asked"] == own["asked"]
    assert served["answer_hash"] == own["answer_hash"]
    assert [hit["trace"] for hit in served["hits"]] == [hit["trace"] for hit in own["hits"]]
    assert len(own["hits"]) == 5


def asked_aloud(folder: Path, more: dict[str, str]) -> dict[str, Any]:
    command = [COMMAND, "explain", QUESTION, "--json"]
    done = subprocess.run(command, env=environment(folder, **more), capture_output=True, timeout=60, check=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


@pytest.mark.parametrize("no_colour", [False, True])
def test_colour_is_for_terminals_that_want_it(tmp_path: Path, no_colour: bool) -> None:
    with Memory(data_dir=tmp_path / "data", model="none") as memory:
        memory.remember("The lamp of the lighthouse is lit at dusk.")
    more = {"COLUMNS": "80", "TERM": "xterm"} | ({"NO_COLOR": "1"} if no_colour else {})
    there, here = pty.openpty()
    done = subprocess.run(
        [COMMAND, "explain", "Which lamp is lit?"], env=environment(tmp_path / "data", **more), stdout=here, timeout=60
    )
    os.close(here)
    told = b""
    while True:
        try:
            told += (part := os.read(there, 65_536))
        except OSError:  # Linux says so where the other side is closed and all has been read
            break
        if not part:
            break
    os.close(there)
    assert done.returncode == 0
    assert "│".encode() in told
    assert (b"\x1b[" in told) != no_colour
