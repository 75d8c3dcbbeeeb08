"""Whether a text only asks: a question is seldom the answer to another one."""

from __future__ import annotations

_MARKS = ("?", "\uff1f", "\u061f", "\u037e", "\u203d", "\u2047", "\u2048", "\u2049")
"""The question marks of Latin and Cyrillic, East Asian, Arabic and Greek script, and the doubled ones."""
_AFTER = "!.\u2026\"'\u201d\u2019\u00bb)]*_ \t\r\n"
"""What may stand behind a question mark without turning the question into something else."""


def asks(text: str) -> bool:
    """Whether a text ends with a question mark, closing quotes and brackets aside; False for an empty one."""
    return text.rstrip(_AFTER).endswith(_MARKS)
