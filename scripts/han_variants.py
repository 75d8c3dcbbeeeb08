"""Write the table of traditional Chinese characters and their simplified forms that text analysis uses.

    pip install opencc==1.4.2
    python scripts/han_variants.py

The pairs are those of OpenCC (Apache-2.0), character by character, within the Basic Multilingual Plane.
"""

from __future__ import annotations

from pathlib import Path

import opencc

FILE = Path(__file__).resolve().parent.parent / "src" / "ai_memory" / "text" / "data" / "han_variants.txt"
BLOCKS = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF))
PER_LINE = 40


def main() -> None:
    """Write the file."""
    convert = opencc.OpenCC("t2s").convert
    found = ((chr(code), convert(chr(code))) for first, last in BLOCKS for code in range(first, last + 1))
    pairs = [old + new for old, new in found if new != old and len(new) == 1 and new <= "\uffff"]
    lines = ["".join(pairs[at : at + PER_LINE]) for at in range(0, len(pairs), PER_LINE)]
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(pairs)} pairs")


if __name__ == "__main__":
    main()
