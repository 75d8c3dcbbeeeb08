"""Words that occur nowhere else, are not cut by the text analysis and have no stem but themselves."""

from __future__ import annotations

_LETTERS = "bcdfghjklmnprtvw"


def secret(number: int, owner: str = "") -> str:
    """A word for a number, such as `zqoddbux`; `owner` (letters) keeps two sources apart."""
    digits = "".join(_LETTERS[int(digit, 16)] for digit in f"{number:x}")
    return f"zq{owner}o{digits}ux"
