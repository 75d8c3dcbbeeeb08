"""Other forms of versions, part numbers, addresses, hashes and telephone numbers, by which the same code is found.

A code is written with and without separators, a version with and without its v and its last zeros, a hash by its first digits. Each
form is an exact index term, so it neither makes a text look longer nor matches a word. A form that ends or begins with an ellipsis
stands for all codes that begin or end so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_VERSION = re.compile(r"[a-z]*?(?<!\d)(\d+(?:\.\d+)+)(.*)")
_HASH = re.compile(r"(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{7,64}")
_LONG_HASH = 20
_SHOWN = range(7, 13)
"""So many digits are shown of a long hash. Shorter codes may differ in their last digit, and are found as a whole."""
_SEPARATORS = re.compile(r"[-:/._]+")
_SEPARATED = re.compile(
    r"(?=.*\d)[a-z0-9]{1,12}([-:/._])[a-z0-9]{1,12}(?:\1[a-z0-9]{1,12}){0,7}|[a-f]{2}(?:[-:][a-f]{2}){5}"
)
_ADDRESS = re.compile("[0-9a-f]{12}")
"""A hardware address without separators."""
_MAY_BE_TELEPHONE = re.compile(r"\d[\d() ./-]{5}")
_MAY_BE_TELEPHONE_ASCII = re.compile(r"[0-9][0-9() ./-]{5}")
"""Looked for in every text that is indexed, and found in few; a set of ASCII characters is searched twice as fast as `\\d`."""
_LEAST_MIXED, _LEAST_DIGITS = 4, 6
"""Characters without separators: *F-150* is F150, but *12:30* is no 1230."""
_TELEPHONE = re.compile(
    r"(?<![\w.,/-])(?:(?:\+|00?|\()[\d()]{1,6}(?:[ ./-]{1,2}[\d()]{1,8}){1,6}|\d{3}[ .-]\d{3}[ .-]\d{4})(?![\w,/-]|\.\d)"
)
_TELEPHONE_DIGITS = (7, 15)
_TRUNK = re.compile(r"\(0\)|\D")
_LOCAL = 8
"""The last digits that a telephone number has with and without its country's code and the zero before its area's."""


def written(code: str) -> Iterator[str]:
    """The forms besides its own that a code of a text is found by; `code` is case-folded. None for a plain word."""
    version = _VERSION.fullmatch(code)
    if not version:
        yield from _forms(code)
        if _HASH.fullmatch(code) and len(code) >= _LONG_HASH:
            yield from (f"{code[:count]}…" for count in _SHOWN)
        return
    numbers, more = version.groups()
    if more:
        yield f"{numbers}…"
    elif numbers != code:
        yield numbers
    parts = numbers.split(".")
    for count in range(2, len(parts)):
        yield ".".join(parts[:count]) + "…"


def asked(code: str) -> Iterator[str]:
    """The forms besides its own that a code of a question looks for; `code` is case-folded. None for a plain word."""
    version = _VERSION.fullmatch(code)
    if not version:
        yield from _forms(code)
        if _HASH.fullmatch(code):
            yield from (code[:count] for count in _SHOWN) if len(code) >= _LONG_HASH else (f"{code[: _SHOWN[-1]]}…",)
        return
    numbers, more = version.groups()
    if more:
        return
    if numbers != code:
        yield numbers
    yield f"{numbers}…"
    while numbers.endswith(".0") and numbers.count(".") > 1:
        numbers = numbers.removesuffix(".0")
        yield numbers


def may_be_code(word: str) -> bool:
    """Return whether a case-folded word without separators may be a code: it has a digit, or is a hardware address."""
    return word.isascii() and (not word.isalpha() or _ADDRESS.fullmatch(word) is not None)


def telephones(text: str) -> Sequence[tuple[str, tuple[str, ...]]]:
    """The telephone numbers in a text that are written in several groups, each with the forms it is found by."""
    may_be = _MAY_BE_TELEPHONE_ASCII if text.isascii() else _MAY_BE_TELEPHONE
    if not may_be.search(text):  # most texts: looking for numbers proper costs more
        return ()
    found = ((match.group(), tuple(_numbers(match.group()))) for match in _TELEPHONE.finditer(text))
    return [(number, forms) for number, forms in found if forms]


def _forms(code: str) -> Iterator[str]:
    if _SEPARATED.fullmatch(code):
        joined = _SEPARATORS.sub("", code)
        if len(joined) >= (_LEAST_DIGITS if joined.isdigit() else _LEAST_MIXED):
            yield joined
        code = joined
    if code.isdigit():
        yield from (form for form in _numbers(code) if form != code)


def _numbers(written_so: str) -> Iterator[str]:
    """The digits of a telephone number, international without *00*, and its last ones."""
    digits = _TRUNK.sub("", written_so).removeprefix("00")
    least, most = _TELEPHONE_DIGITS
    if least <= len(digits) <= most:
        yield digits
        if len(digits) > _LOCAL:  # the country's code, the zero before the area's, or neither
            yield "…" + digits[-_LOCAL:]
