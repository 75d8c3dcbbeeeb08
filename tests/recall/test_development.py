"""The makers of recall's development sets: the same sets every time, of the sizes that fits and figures rest on."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from ai_memory.evaluate.datasets import load_jsonl
from tests.recall.development.make import LANGUAGES, NEAR_MISS, SETS

ROOT = Path(__file__).resolve().parents[2]


def made(folder: Path, hash_seed: str) -> dict[str, str]:
    """The hash of each set's file, made by a process of its own."""
    command = [sys.executable, "-m", "tests.recall.development.make", str(folder)]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    subprocess.run(command, check=True, cwd=ROOT, env=environment, timeout=60)
    return {file.stem: sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sets")


@pytest.fixture(scope="module")
def hashes(folder: Path) -> dict[str, str]:
    return made(folder, "1")


def test_every_run_gives_the_same_sets(hashes: dict[str, str], tmp_path: Path) -> None:
    """Also in a process that orders its sets of strings otherwise."""
    assert set(hashes) == set(SETS)
    assert made(tmp_path, "2") == hashes
    assert len(set(hashes.values())) == len(hashes)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_questions_with_and_without_an_answer(
    hashes: dict[str, str], folder: Path, language: str
) -> None:
    """At least 200 near misses and as many questions that are answered, from notes and from chats."""
    missed = answered = 0
    for kind in ("notes", "chat"):
        for group in load_jsonl(folder / f"{kind}_{language}.jsonl"):
            for key, query in group.queries.items():
                assert bool(group.relevant(key)) == (query.category != NEAR_MISS)
                assert set(group.relevant(key)) <= set(group.docs)
                missed += query.category == NEAR_MISS
                answered += query.category != NEAR_MISS
    assert missed >= 200 <= answered


def test_long_documents_name_their_person_away_from_the_subject(hashes: dict[str, str], folder: Path) -> None:
    (group,) = load_jsonl(folder / "long_documents.jsonl")
    assert len(group.queries) == 180
    for key, query in group.queries.items():
        for name in group.relevant(key):
            head, *sections = group.docs[name].text.split("\n\n")
            who = head.splitlines()[1].split(",")[0]
            assert who in query.text
            assert not any(who in section for section in sections)
