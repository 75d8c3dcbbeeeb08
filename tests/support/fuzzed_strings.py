"""Ten thousand strings over twenty scripts, the same everywhere: what a tokenizer is compared with its reference on."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.support.scripts_of_the_world import SENTENCES

COUNT = 10_000
BLOCKS: dict[str, tuple[int, int]] = {
    "Latin": (0x0020, 0x024F),
    "Cyrillic": (0x0400, 0x04FF),
    "Greek": (0x0370, 0x03FF),
    "Han": (0x4E00, 0x9FFF),
    "Kana": (0x3040, 0x30FF),
    "Hangul": (0xAC00, 0xD7A3),
    "Arabic": (0x0600, 0x06FF),
    "Hebrew": (0x0590, 0x05FF),
    "Devanagari": (0x0900, 0x097F),
    "Bengali": (0x0980, 0x09FF),
    "Gurmukhi": (0x0A00, 0x0A7F),
    "Gujarati": (0x0A80, 0x0AFF),
    "Tamil": (0x0B80, 0x0BFF),
    "Telugu": (0x0C00, 0x0C7F),
    "Kannada": (0x0C80, 0x0CFF),
    "Malayalam": (0x0D00, 0x0D7F),
    "Thai": (0x0E00, 0x0E7F),
    "Georgian": (0x10A0, 0x10FF),
    "Armenian": (0x0530, 0x058F),
    "Ethiopic": (0x1200, 0x137F),
}
"""The Unicode block of each script of `SENTENCES`, unassigned places included."""
PIECES = (
    *(" ", "  ", "     ", "\t", "\n", "\n\n\n", "\r\n", "\u00a0", "\u2581", "\u2581\u2581", "\u200d", "\ufeff", "\x00"),
    *(
        "<bos>",
        "<eos>",
        "<pad>",
        "<unk>",
        "<mask>",
        "<0x41>",
        "<unused0>",
        "<start_of_turn>",
        "[multimodal]",
        "<b",
        ">",
    ),
    *("🚀", "👩‍👩‍👧", "👍🏽", "🇺🇦", "e\u0301", "\u0301", "𐍈", "\U0010ffff", "\ufffd", "1234", "3.14", "://", "task: "),
)
"""What strings go wrong at."""


def fuzzed_strings() -> Iterator[str]:
    """`COUNT` strings of up to 30 parts: letters of one script or two, words of its sentence, and `PIECES`. No surrogates."""
    # random() alone: its stream is promised to stay, that of the methods made from it is not
    draw = random.Random(20).random
    scripts = list(BLOCKS)
    for number in range(COUNT):
        chosen = [scripts[number % len(scripts)], scripts[int(draw() * len(scripts))]]
        parts: list[str] = []
        for _ in range(int(draw() ** 2 * 30)):
            script = chosen[draw() < 0.2]
            kind = draw()
            if kind < 0.5:
                first, last = BLOCKS[script]
                parts.append(chr(first + int(draw() * (last - first + 1))))
            elif kind < 0.8:
                words = SENTENCES[script].split(" ")
                parts.append(("" if draw() < 0.3 else " ") + words[int(draw() * len(words))])
            else:
                parts.append(PIECES[int(draw() * len(PIECES))])
        yield "".join(parts)
