"""When two texts are the same, and which texts are accepted.

The normal form is used for comparing only; a text is stored as it was given. It forgives what people cannot see (Unicode
composition, line ends, trailing blanks, zero-width and direction marks) and nothing else: case, punctuation and inner
spacing stay, so that two texts a reader would call different are never merged.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import NamedTuple

from ai_memory.errors import InvalidInputError

_REFUSED = re.compile("[\x00\ud800-\udfff]")
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]")
_LINE_END = re.compile("\r\n|[\r\u2028\u2029\x85]")
_TRAILING = re.compile(r"[^\S\n]+(?=\n)")


def clean_text(text: str, field: str = "text") -> str:
    """`text` unchanged, after checking that it can be stored.

    Raises InvalidInputError, naming the field and the character's position, for a NUL (SQLite's and C's functions end a
    text there) and for a lone surrogate (it has no UTF-8 form). Every other character is accepted.
    """
    if text.isascii() and "\0" not in text:  # every field of every memory comes through here
        return text
    found = _REFUSED.search(text)
    if found is None:
        return text
    position, code = found.start(), ord(found.group())
    what = "a NUL character" if code == 0 else f"a lone surrogate (U+{code:04X})"
    raise InvalidInputError(
        f"{field} contains {what} at character {position}",
        hint="remove it, or decode the source with its right encoding",
        field=field,
        position=position,
    )


def normal_form(text: str) -> str:
    """`text` for comparison: NFC, line ends as a line feed, no trailing or outer blanks, no zero-width or direction marks."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    if not text.isprintable():  # line ends and tabs are not: most texts need no more than this look
        text = _TRAILING.sub("", _LINE_END.sub("\n", text))
    return text.strip()


class Digests(NamedTuple):
    """The two digests of what a memory says; see the functions of the same names."""

    content_hash: str
    dedup_key: bytes


def digests(
    namespace: str,
    user: str | None,
    agent: str | None,
    session: str | None,
    author: str | None,
    title: str | None,
    text: str,
    key: str | None = None,
) -> Digests:
    """Both digests, from one normal form."""
    framed = _framed(namespace, user, agent, session, author, title, normal_form(text))
    said = _digest(b"content", framed[4:]).hex()
    return Digests(said, _digest(b"dedup", framed if key is None else framed + _framed(key)))


def content_hash(author: str | None, title: str | None, text: str) -> str:
    """32 hex digits (BLAKE2b-128) over what a memory says: author, title and the text's normal form."""
    return _digest(b"content", _framed(author, title, normal_form(text))).hex()


def value_digest(namespace: str, author: str | None, title: str | None, text: str) -> bytes:
    """16 bytes that identify what a memory says within a namespace: what tombstones of earlier versions keep."""
    return _digest(b"value", _framed(namespace, author, title, normal_form(text)))


def dedup_key(
    namespace: str,
    user: str | None,
    agent: str | None,
    session: str | None,
    author: str | None,
    title: str | None,
    text: str,
    key: str | None = None,
) -> bytes:
    """16 bytes that two memories share exactly when they say the same in the same scope, under the same key if under any."""
    return digests(namespace, user, agent, session, author, title, text, key).dedup_key


def _framed(*parts: str | None) -> list[bytes]:
    """Parts in UTF-8, each prefixed with its length so that no two lists of parts, joined, are equal; None differs from ''."""
    framed: list[bytes] = []
    for part in parts:
        if part is None:
            framed.append(b"-")
        else:
            data = part.encode("utf-8", "surrogatepass")
            framed.append(b"%d:%b" % (len(data), data))
    return framed


def _digest(purpose: bytes, framed: list[bytes]) -> bytes:
    return hashlib.blake2b(b"".join(framed), digest_size=16, person=purpose).digest()
