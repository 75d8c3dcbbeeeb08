"""Write the table of characters that look like ASCII letters and digits, by which a forgotten text is known again.

    curl -O https://www.unicode.org/Public/security/17.0.0/confusables.txt
    python scripts/lookalikes.py confusables.txt

Most are the confusables of Unicode TR39. Added are those whose name says which letter or digit they are (small capitals, letters in
squares and circles, the digits of every script), which TR39 leaves out because nobody takes one for the other by mistake.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / "src" / "ai_memory" / "text" / "data" / "lookalikes.txt"
PROTOTYPES = {"rn": "m"}
"""TR39 writes every m as rn; here an m is an m."""
NAMED = re.compile(
    r"(?:LATIN LETTER SMALL CAPITAL|(?:NEGATIVE )?(?:CIRCLED|SQUARED) LATIN CAPITAL LETTER|REGIONAL INDICATOR SYMBOL LETTER)"
    r" ([A-Z])"
)


def main() -> None:
    """Write the file: a line for each ASCII form, which comes first, then the characters that look like it."""
    found = confusables(Path(sys.argv[1])) | named()
    lines: dict[str, list[str]] = {}
    for character, form in sorted(found.items()):
        lines.setdefault(form, []).append(character)
    written = [f"{form} {''.join(characters)}\n" for form, characters in sorted(lines.items())]
    FILE.write_text("".join(written), encoding="utf-8")
    print(f"{len(found)} characters")


def confusables(file: Path) -> dict[str, str]:
    """The characters of TR39's table that look like ASCII letters and digits, accents aside."""
    found: dict[str, str] = {}
    for line in file.read_text(encoding="utf-8-sig").splitlines():
        source, *rest = line.partition("#")[0].split(";")
        if not rest:
            continue
        character, form = _characters(source), _without_marks(_characters(rest[0]))
        form = PROTOTYPES.get(form, form)
        is_new = (
            len(character) == 1 and not character.isascii() and unicodedata.normalize("NFKC", character) == character
        )
        if is_new and form.isascii() and form.isalnum() and unicodedata.decimal(character, None) is None:
            found[character] = form
    return found


def named() -> dict[str, str]:
    """The characters whose name says which letter or digit they are."""
    found: dict[str, str] = {}
    for character in map(chr, range(0x80, sys.maxunicode + 1)):
        if unicodedata.normalize("NFKC", character) != character:
            continue  # the compatibility form is made first
        match = NAMED.fullmatch(unicodedata.name(character, ""))
        digit = unicodedata.digit(character, None)
        if match:
            found[character] = match[1].lower()
        elif digit is not None:
            found[character] = str(digit)
    return found


def _characters(codes: str) -> str:
    return "".join(chr(int(code, 16)) for code in codes.split())


def _without_marks(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


if __name__ == "__main__":
    main()
