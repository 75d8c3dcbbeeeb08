"""Markdown files as memories: front matter becomes fields, the first heading the title, the folder the context."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, get_args, get_origin, get_type_hints

import yaml

from ai_memory.errors import InvalidInputError, TooLargeError
from ai_memory.operations.writing import Draft

SUFFIXES = frozenset({".md", ".markdown"})
MAX_FRONT_MATTER = 65_536
MAX_FILE_BYTES = 8_000_000
"""A larger file exceeds the limit of one memory's text, whatever its characters."""

_TYPES = {name: hint for name, hint in get_type_hints(Draft).items() if name not in ("text", "attributes")}
"""Fields of a draft that front matter may give. The text comes below it, and attributes are what has no other name."""

LISTS = frozenset(name for name, hint in _TYPES.items() if get_origin(hint) is tuple)
DATES = frozenset(name for name, hint in _TYPES.items() if dt.datetime in get_args(hint))
NUMBERS = frozenset(name for name, hint in _TYPES.items() if hint is float)

OTHER_NAMES = {
    "date": "valid_from",
    "created": "valid_from",
    "expires": "valid_to",
    "authors": "author",
    "category": "context",
}

_HEADING = re.compile(r"^#[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)


class _PlainLoader(yaml.SafeLoader):
    """YAML without aliases: nested aliases can expand a small file without bound."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise InvalidInputError("the front matter has a YAML alias", hint="write the value out instead of *name")
        return super().compose_node(parent, index)


def files_below(folder: Path) -> Iterator[Path]:
    """The Markdown files of a folder and its sub-folders by path, without hidden ones and without following links to folders."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if (
            path.suffix.lower() in SUFFIXES
            and path.is_file()
            and not any(part.startswith(".") for part in inside.parts)
        ):
            yield path


def read_file(path: Path, folder: Path | None = None) -> dict[str, Any]:
    """A file's draft values. Below `folder` its source is the relative path and its context the sub-folders.

    Raises InvalidInputError for a file that cannot be read, is not UTF-8, has bad front matter or no text; TooLargeError.
    """
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise TooLargeError(
                f"{path} has {size:,} bytes", hint="split it into several files", limit=MAX_FILE_BYTES, actual=size
            )
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read: {error.strerror or error}", hint="check the path") from None
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            f"{path} is not UTF-8 (byte {error.start})", hint=f"convert it: iconv -f WINDOWS-1252 -t UTF-8 {path.name}"
        ) from None
    inside = PurePosixPath(path.relative_to(folder).as_posix()) if folder is not None else PurePosixPath(path.name)
    context = "" if str(inside.parent) == "." else str(inside.parent)
    if path.suffix.lower() in SUFFIXES:
        return draft_values(text, source=str(inside), context=context)
    return _with_text({"source": str(inside)}, text)


def draft_values(text: str, *, source: str | None = None, context: str = "") -> dict[str, Any]:
    """Draft values of one Markdown text; front matter wins over `source` and `context`. Unknown keys become attributes."""
    text = text.replace("\r\n", "\n").removeprefix("\ufeff")
    values: dict[str, Any] = {}
    if source:
        values["source"] = source
    if context:
        values["context"] = context
    match = _FRONT_MATTER.match(text)
    if match:
        values |= _fields(_front_matter(match[1]))
        text = text[match.end() :]
    if "title" not in values and (heading := _first_heading(text)):
        values["title"] = heading
    return _with_text(values, text)


def has_front_matter(text: str) -> bool:
    """Whether a text begins with front matter."""
    return _FRONT_MATTER.match(text.replace("\r\n", "\n")) is not None


def _with_text(values: dict[str, Any], text: str) -> dict[str, Any]:
    text = text.strip("\n")
    if not text.strip():
        raise InvalidInputError("there is no text below the front matter", hint="write the text to remember")
    return {**values, "text": text}


def _first_heading(text: str) -> str | None:
    outside_code = "".join(part for index, part in enumerate(text.split("```")) if index % 2 == 0)
    match = _HEADING.search(outside_code)
    return match[1] if match else None


def _front_matter(source: str) -> dict[str, Any]:
    if len(source) > MAX_FRONT_MATTER:
        raise TooLargeError(
            f"the front matter has {len(source):,} characters",
            hint="move its text below the closing ---",
            limit=MAX_FRONT_MATTER,
            actual=len(source),
        )
    try:
        loaded = yaml.load(source, Loader=_PlainLoader)  # noqa: S506 - a SafeLoader, made stricter
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InvalidInputError(
            f"the front matter is not valid YAML: {reason}", hint="quote values that contain a colon"
        ) from None
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise InvalidInputError(
            f"the front matter is a YAML {type(loaded).__name__}, not key: value lines",
            hint="write lines of key: value",
        )
    return {str(key): value for key, value in loaded.items()}


def _fields(front_matter: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    for key, value in front_matter.items():
        name = key.lower().replace("-", "_")
        field = name if name in _TYPES else OTHER_NAMES.get(name)
        if value is None:
            continue
        if field is None:
            target = attributes if name != "attributes" or not isinstance(value, dict) else None
            if target is None:
                attributes |= _plain(value)
            else:
                attributes[key] = _plain(value)
        elif field in LISTS:
            values[field] = _listed(value)
        elif field in DATES:
            values[field] = _instant(value)
        elif field in NUMBERS:
            values[field] = value
        else:
            values[field] = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    if attributes:
        values["attributes"] = attributes
    return values


def _listed(value: Any) -> list[str]:
    if isinstance(value, str):
        return [part.strip().removeprefix("#") for part in value.split(",") if part.strip()]
    return [str(part) for part in value] if isinstance(value, list) else [str(value)]


def _instant(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value if value.tzinfo else value.replace(tzinfo=dt.UTC)
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC)
    return str(value)


def _plain(value: Any) -> Any:
    """The value with dates and keys as strings, as JSON needs them."""
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(part) for part in value]
    if isinstance(value, dt.date):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)
