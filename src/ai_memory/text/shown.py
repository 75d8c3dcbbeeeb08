"""Stored text as it is shown: nothing in it hides, reorders what is around it, or poses as something else.

A memory's text, title, author and every other field may come from anybody, and what a model or a terminal shows of them goes
through here: invisible characters are left out, other line ends become line feeds, a field is folded onto one line, and a text
is quoted line by line behind `MARK`. What is stored, and what JSON carries, stays as it was given.

Invisible are Unicode's default-ignorable characters, its tags and private ones, controls and direction marks, and letters that
have no ink. Some of them belong to writing, and stay where they do: joiners in the scripts that need them and between emoji, one
variation selector after an emoji or a Mongolian letter, and the tags in the flags of England, Scotland and Wales.
"""

from __future__ import annotations

import re

MARK = "> "
"""The prefix of every line of a quoted text."""

_JOINING = "\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u18aa\u1a20-\u1c4f\ua800-\uabff\ufb50-\ufdcf\ufdf0-\ufdff\ufe70-\ufefc"
_JOINING += "\U00010a00-\U00011fff\U0001e900-\U0001e95f"
"""Scripts in which a joiner decides how a letter looks: Arabic, those of India and South-East Asia, Mongolian."""
_EMOJI = "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u23ff\u24c2\u25a0-\u27bf\u2934\u2935\u2b00-\u2bff\u3030\u303d\u3297\u3299"
_EMOJI += "\U0001f000-\U0001fbff"
_KEPT = "|".join(
    (
        f"(?<=[{_JOINING}])[\u200c\u200d]",
        f"(?:(?<=[{_EMOJI}])|(?<=[{_EMOJI}]\ufe0f))\u200d(?=[{_EMOJI}])",
        f"(?<=[{_EMOJI}])[\ufe0e\ufe0f]",
        "(?<=[#*0-9])\ufe0f(?=\u20e3)",
        "(?<=[\u1820-\u18aa])[\u180b-\u180f]",
        "(?<=\U0001f3f4)\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074|"
        "\U000e0077\U000e006c\U000e0073)\U000e007f",
    )
)
_INKLESS = "\u2800\u3164\uffa0\u115f\u1160\U0001d159"
"""Letters and signs that take room and show nothing."""
_HIDDEN = (
    "\u00ad\u034f\u061c\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufdd0-\ufdef\ufe00-\ufe0f\ufeff"
    "\ufff0-\ufffb\ufffe\uffff\U00016fe4\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\ue000-\uf8ff"
    "\U000f0000-\U0010ffff"
)
_CONTROLS = "\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff"
_UNSEEN = re.compile(f"({_KEPT})|([{_INKLESS}\x1f])|[{_HIDDEN}{_CONTROLS}]")
_LINE_END = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")


def shown(text: str) -> str:
    """`text` without what cannot be seen; every line end is a line feed, and what takes room without ink is a space."""
    if text.isascii() and text.isprintable():
        return text
    return without_unseen(_LINE_END.sub("\n", text))


def without_unseen(text: str) -> str:
    """`text` without invisible characters and controls; line ends and tabs stay, what takes room without ink is a space."""
    return _UNSEEN.sub(lambda found: found[1] or (" " if found[2] else ""), text)


def one_line(text: str) -> str:
    """As `shown`, on one line: every run of blanks and line ends is one space, and there is none at the ends."""
    return " ".join(shown(text).split())


def quoted(text: str) -> list[str]:
    """The lines of `text` that hold something, each on one line behind `MARK`, so that none can be taken for anything else."""
    return [MARK + line for line in map(one_line, shown(text).split("\n")) if line]
