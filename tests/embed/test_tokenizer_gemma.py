"""This tokenizer against transformers' Gemma tokenizer, on ten thousand strings in twenty scripts."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from ai_memory.embed.tokenizer import TextTokenizer, Window
from tests.support.fuzzed_strings import BLOCKS, fuzzed_strings
from tests.support.scripts_of_the_world import SENTENCES
from tests.support.tiny_gemma import tiny_gemma

GOLDEN = json.loads((Path(__file__).resolve().parents[1] / "golden" / "gemma_tokens.json").read_text(encoding="ascii"))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gemma(tmp_path_factory.mktemp("gemma")) / "tokenizer.json"


@pytest.fixture(scope="module")
def windows(file: Path) -> list[Window]:
    texts = list(fuzzed_strings())
    prompts = [GOLDEN["prompt_of_every_other"] if number % 2 else "" for number in range(len(texts))]
    return TextTokenizer(file, max_tokens=2048).windows(texts, prompts)


def test_ids_equal_the_references(file: Path, windows: list[Window]) -> None:
    assert hashlib.sha256(file.read_bytes()).hexdigest() == GOLDEN["tokenizer"], (
        "another tokenizer than the reference's"
    )
    assert [window.text for window in windows] == list(range(GOLDEN["strings"])), "every string is one window"
    assert sum(len(window.ids) for window in windows) == GOLDEN["tokens"]
    expected = GOLDEN["sha256_of_each_hundred"]
    for index, digest in enumerate(expected):
        size = len(windows) // len(expected)
        ids = [list(window.ids) for window in windows[index * size : (index + 1) * size]]
        found = hashlib.sha256(json.dumps(ids, separators=(",", ":")).encode()).hexdigest()
        assert found == digest, f"strings {index * size} to {(index + 1) * size} differ"


def test_the_strings_are_of_twenty_scripts() -> None:
    assert len(BLOCKS) == 20
    assert BLOCKS.keys() == SENTENCES.keys()
    names = {"Han": "CJK", "Kana": "HIRAGANA"}
    for script, sentence in SENTENCES.items():
        wanted = names.get(script, script.upper())
        assert any(unicodedata.name(letter, "").startswith(wanted) for letter in sentence), script


def test_the_strings_need_bytes_and_hold_written_specials(file: Path, windows: list[Window]) -> None:
    texts = list(fuzzed_strings())
    vocabulary = json.loads(file.read_text(encoding="utf-8"))["model"]["vocab"]
    first, last, unknown = vocabulary["<0x00>"], vocabulary["<0xFF>"], vocabulary["<unk>"]
    assert sum("<eos>" in text for text in texts) > 100
    assert sum(any(first <= token <= last for token in window.ids) for window in windows) > 5000
    assert not any(unknown in window.ids and "<unk>" not in texts[window.text] for window in windows)


@pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="this system does not tell a process's memory in /proc"
)
def test_texts_are_not_remembered(file: Path) -> None:
    """This tokenizer treats a whole text as one word, and its library caches 10,000 words."""
    done = subprocess.run([sys.executable, "-c", GROWTH, str(file)], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 10


GROWTH = """
import resource, sys
from pathlib import Path
from ai_memory.embed.tokenizer import TextTokenizer

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20

tokenizer = TextTokenizer(Path(sys.argv[1]), 2048)
before = resident()
for number in range(10_000):
    tokenizer.count([f"{number} ships with green sails leave the harbour at seven, {number * 7919} of them at noon"], [""])
print(resident() - before)
"""
